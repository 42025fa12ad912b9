/// Pixels of a screen, row by row from the top, three bytes each: red, green, blue.
struct Picture: Equatable {
    let width: Int
    let height: Int
    var pixels: [UInt8]

    /// A black one.
    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        pixels = [UInt8](repeating: 0, count: width * height * 3)
    }

    /// A PNG file (ISO/IEC 15948): eight bits a channel, no alpha, rows as they are.
    var png: [UInt8] {
        var header: [UInt8] = []
        header.append(bigEndian: UInt32(width))
        header.append(bigEndian: UInt32(height))
        header += [8, 2, 0, 0, 0]
        var file: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
        file.append(chunk: "IHDR", header)
        file.append(chunk: "IDAT", compressed)
        file.append(chunk: "IEND", [])
        return file
    }

    /// The rows, each behind a zero that says "not filtered", as a zlib stream.
    private var compressed: [UInt8] {
        let row = width * 3
        var bytes: [UInt8] = []
        bytes.reserveCapacity((row + 1) * height)
        for y in 0..<height {
            bytes.append(0)
            bytes += pixels[y * row..<(y + 1) * row]
        }
        var stream = Deflate(repeating: [3, row + 1])
        stream.write(bytes)
        return stream.finish(checksum: adler32(bytes))
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian number: UInt32) {
        for shift in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    fileprivate mutating func append(chunk name: String, _ content: [UInt8]) {
        append(bigEndian: UInt32(content.count))
        let start = count
        self += Array(name.utf8) + content
        append(bigEndian: crc32(self[start...]))
    }
}

/// RFC 1950.
private func adler32(_ bytes: [UInt8]) -> UInt32 {
    var (low, high): (UInt32, UInt32) = (1, 0)
    bytes.withUnsafeBufferPointer { bytes in
        var start = 0
        while start < bytes.count {
            // So many additions cannot overflow.
            let end = min(start + 5552, bytes.count)
            for index in start..<end {
                low &+= UInt32(bytes[index])
                high &+= low
            }
            (low, high) = (low % 65521, high % 65521)
            start = end
        }
    }
    return high << 16 | low
}

/// ISO 3309, as PNG takes it.
private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var table: [UInt32] = []
    for index in 0..<UInt32(256) {
        var value = index
        for _ in 0..<8 { value = value & 1 == 1 ? (value >> 1) ^ 0xedb8_8320 : value >> 1 }
        table.append(value)
    }
    return bytes.withUnsafeBufferPointer { bytes in
        var value: UInt32 = .max
        for byte in bytes {
            let index = UInt8(truncatingIfNeeded: value) ^ byte
            value = table[Int(index)] ^ (value >> 8)
        }
        return ~value
    }
}
