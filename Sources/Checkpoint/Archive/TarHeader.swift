/// The header of a regular file in an archive, as POSIX describes it (pax(1), "ustar"): nothing else is in ours.
struct TarHeader: Equatable {
    static let blockSize = 512
    /// Two names at least: what is before the last `/` has a field of its own.
    var path: String
    /// Bytes.
    var size: Int

    init(path: String, size: Int) { (self.path, self.size) = (path, size) }

    private static let (name, mode, owner, group, length, time) = (0, 100, 108, 116, 124, 136)
    private static let (sum, type, link, magic, prefix) = (148, 156, 157, 257, 345)

    /// Bytes that follow the content, to a whole number of blocks.
    var padding: Int { (TarHeader.blockSize - size % TarHeader.blockSize) % TarHeader.blockSize }

    /// `nil` for a path that does not fit: 155 bytes before the last `/`, 100 behind it.
    var block: [UInt8]? {
        var block = [UInt8](repeating: 0, count: TarHeader.blockSize)
        func put(_ text: String, at place: Int) {
            block.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
        }
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        let bytes = Array(path.utf8)
        guard let slash = bytes.lastIndex(of: 0x2f), slash <= 155, bytes.count - slash - 1 <= 100, size >= 0 else {
            return nil
        }
        block.replaceSubrange(0..<bytes.count - slash - 1, with: bytes[(slash + 1)...])
        block.replaceSubrange(TarHeader.prefix..<TarHeader.prefix + slash, with: bytes[..<slash])
        put("0000600", at: TarHeader.mode)
        for place in [TarHeader.owner, TarHeader.group] { put("0000000", at: place) }
        if size < 1 << 33 {
            put(digits(size, 11), at: TarHeader.length)
        } else {
            // As GNU tar and pax write what has more digits.
            for index in 0..<8 {
                block[TarHeader.length + 4 + index] = UInt8(truncatingIfNeeded: size >> (56 - 8 * index))
            }
            block[TarHeader.length] = 0x80
        }
        put("00000000000", at: TarHeader.time)
        put("0", at: TarHeader.type)
        put("ustar", at: TarHeader.magic)
        put("00", at: TarHeader.magic + 6)
        put(digits(TarHeader.checkSum(block), 6), at: TarHeader.sum)
        block[TarHeader.sum + 7] = 0x20
        return block
    }

    /// The sum of all bytes, its own field taken as spaces.
    private static func checkSum(_ block: [UInt8]) -> Int {
        var total = 8 * 0x20
        for (index, byte) in block.enumerated() where !(sum..<sum + 8).contains(index) { total += Int(byte) }
        return total
    }

    /// Reads a block.
    /// - Throws: why it is no header of a plain file.
    init(_ block: [UInt8]) throws(SnapshotError) {
        guard block.count == TarHeader.blockSize,
            block[TarHeader.magic..<TarHeader.magic + 5].elementsEqual("ustar".utf8),
            let sum = TarHeader.octal(block[TarHeader.sum..<TarHeader.sum + 8]), sum == TarHeader.checkSum(block)
        else { throw SnapshotError("it is no archive of a snapshot, or damaged") }
        let name = TarHeader.text(block[TarHeader.name..<TarHeader.name + 100])
        let before = TarHeader.text(block[TarHeader.prefix..<TarHeader.prefix + 155])
        path = before.isEmpty ? name : before + "/" + name
        guard block[TarHeader.type] == 0x30, block[TarHeader.link] == 0 else {
            throw SnapshotError("\"\(path)\" in it is no plain file", mend: "a snapshot has nothing else")
        }
        let field = block[TarHeader.length..<TarHeader.length + 12]
        guard let size = field.first == 0x80 ? TarHeader.binary(field.dropFirst()) : TarHeader.octal(field) else {
            throw SnapshotError("\"\(path)\" in it has no proper size")
        }
        self.size = size
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        if digits.isEmpty { return nil }
        return Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 >= 0 ? $0 : nil }
    }

    private static func binary(_ field: ArraySlice<UInt8>) -> Int? {
        var number = 0
        for byte in field {
            if number >> 54 != 0 { return nil }
            number = number << 8 | Int(byte)
        }
        return number
    }
}
