import CDigest
import Glibc
public import Kernel

/// The digest of a file, 64 lower-case hexadecimal digits: SHA-256 of its bytes; of one that has more than a block, SHA-256
/// of the lines that the digests of its blocks make, each with a line feed. So blocks can be digested beside each other,
/// and one of them can be checked without the others.
///
/// `split -b 262144 --filter='sha256sum | cut -c-64' FILE | sha256sum` says the same of a file of many blocks.
public struct FileDigest: ~Copyable {
    /// Bytes of a block.
    public static let block = 1 << 18
    /// Bytes of a block's line.
    static let line = 65

    /// Of the whole blocks so far.
    private(set) var lines: [UInt8] = []
    /// Bytes so far.
    private(set) var size = 0
    /// Of the block under way.
    private var digest = Digest()

    public init() {}

    /// Bytes of the block under way.
    var filled: Int { size - lines.count / FileDigest.line * FileDigest.block }

    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(FileDigest.block - filled)
            digest.add(UnsafeRawBufferPointer(rebasing: part))
            size += part.count
            rest = rest.dropFirst(part.count)
            if filled == FileDigest.block { append(digest.finish()) }
        }
    }

    /// The digest of all bytes added; nothing is to be added afterwards.
    public mutating func finish() -> String {
        if size == FileDigest.block { return String(decoding: lines.dropLast(), as: UTF8.self) }
        if size < FileDigest.block { return digest.finish() }
        if filled > 0 { append(digest.finish()) }
        return FileDigest.of(lines)
    }

    /// Of lines: of the file whose blocks' they are.
    static func of(_ lines: [UInt8]) -> String {
        var digest = Digest()
        lines.withUnsafeBytes { digest.add($0) }
        return digest.finish()
    }

    private mutating func append(_ text: String) {
        lines += text.utf8
        lines.append(UInt8(ascii: "\n"))
    }

    // MARK: - Files

    /// The digest of an open file, from its beginning to its end, and how many bytes that were.
    public static func of(file: Int32, name: String) throws(SystemError) -> (sum: String, size: Int) {
        try of(file: file, name: name, by: .copied)
    }

    static func of(file: Int32, name: String, by way: BlockReader.Way) throws(SystemError) -> (sum: String, size: Int) {
        var digest = FileDigest()
        try digest.addAll(of: file, name: name, by: way)
        return (digest.finish(), digest.size)
    }

    /// Adds the file's bytes from where it is, ``size``, to the file's end.
    /// - Parameter helped: with another process beside this one where that is worth its while.
    mutating func addAll(
        of file: Int32, name: String, by way: BlockReader.Way = .copied, helped: Bool = false
    ) throws(SystemError) {
        let end = Int(try FileStatus(file, name: name).size)
        if helped { try addPairsHelped(of: file, to: end, name: name, by: way) }
        try addPairs(of: file, to: end, name: name, by: way)
        // One byte more than there is tells of the end at once.
        let room = min(FileDigest.block, max(1, end - size + 1))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try check("read \(name)") { Int32(pread(file, buffer.baseAddress, room, off_t(size))) }
            add(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
            if count == 0 || count < room && size >= end { return }
        }
    }

    /// Adds blocks of a file from where it is, two at a time, as long as there are two more.
    /// - Parameter end: what the file has at least.
    /// - Parameter isToGoOn: asked after each two.
    mutating func addPairs(
        of file: Int32, to end: Int, name: String, by way: BlockReader.Way = .copied,
        while isToGoOn: (_ size: Int) -> Bool = { _ in true }
    ) throws(SystemError) {
        if filled > 0 || end - size < FileDigest.pair { return }
        var reader = BlockReader(file, name: name, way)
        repeat {
            lines += FileDigest.lines(of: try reader.pair(at: size))
            size += FileDigest.pair
        } while isToGoOn(size) && end - size >= FileDigest.pair
    }

    /// Takes the lines of blocks that follow those so far.
    mutating func append(lines more: [UInt8]) {
        lines += more
        size += more.count / FileDigest.line * FileDigest.block
    }

    /// Bytes of two blocks.
    static let pair = 2 * block

    /// The lines of one block or two.
    static func lines(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        if bytes.count == 2 * block, digest_has_pairs() != 0, let start = bytes.baseAddress {
            var pair = digest_pair()
            var sums = [UInt8](repeating: 0, count: 64)
            digest_pair_begin(&pair)
            digest_pair_add(&pair, start, start + block, block)
            sums.withUnsafeMutableBufferPointer { sums in
                guard let first = sums.baseAddress else { return }
                digest_pair_end(&pair, first, first + 32)
            }
            return Digest.digits(sums[..<32]) + [UInt8(ascii: "\n")] + Digest.digits(sums[32...]) + [UInt8(ascii: "\n")]
        }
        var lines: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: block) {
            var digest = Digest()
            digest.add(UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + block)]))
            lines += digest.finish().utf8
            lines.append(UInt8(ascii: "\n"))
        }
        return lines
    }
}
