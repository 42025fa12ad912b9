/// A zlib stream (RFC 1950, RFC 1951) in one block of the fixed code, which looks for repetitions at a few distances
/// only: in a picture that is not filtered, of the pixel to the left and of the one above.
struct Deflate {
    private let distances: [Int]
    private var bytes: [UInt8] = [0x78, 0x01]
    private var bits: UInt64 = 0
    private var count: UInt64 = 0

    /// - Parameter distances: 1 to 32768 bytes back; others are left out.
    init(repeating distances: [Int]) {
        self.distances = distances.filter { (1...32768).contains($0) }
        put(0b011, 3)
    }

    mutating func write(_ input: [UInt8]) {
        input.withUnsafeBufferPointer { input in
            var position = 0
            while position < input.count {
                let (length, distance) = repetition(input, position)
                if length < 4 {
                    put(literal: input[position])
                    position += 1
                } else {
                    put(length: length)
                    put(distance: distance)
                    position += length
                }
            }
        }
    }

    /// Ends the block and adds the checksum of what was written.
    mutating func finish(checksum: UInt32) -> [UInt8] {
        put(code: 256)
        if count > 0 { put(0, (8 - count % 8) % 8) }
        for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: checksum >> shift)) }
        return bytes
    }

    /// The longest repetition that begins here, of 258 bytes at most.
    private func repetition(_ input: UnsafeBufferPointer<UInt8>, _ position: Int) -> (length: Int, distance: Int) {
        var best = (length: 0, distance: 0)
        let limit = min(258, input.count - position)
        for distance in distances where distance <= position {
            var length = 0
            while length < limit, input[position + length] == input[position + length - distance] { length += 1 }
            if length > best.length { best = (length, distance) }
        }
        return best
    }

    /// The lowest bit first.
    private mutating func put(_ value: UInt64, _ width: UInt64) {
        bits |= value << count
        count += width
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            count -= 8
        }
    }

    /// A Huffman code, whose highest bit comes first.
    private mutating func put(reversed code: Int, _ width: UInt64) {
        var reversed: UInt64 = 0
        for bit in 0..<Int(width) where code >> bit & 1 == 1 { reversed |= 1 << (width - 1 - UInt64(bit)) }
        put(reversed, width)
    }

    private mutating func put(literal byte: UInt8) { put(code: Int(byte)) }

    /// A literal, a length or the end of the block, by the fixed code.
    private mutating func put(code: Int) {
        switch code {
        case 0...143: put(reversed: 0x30 + code, 8)
        case 144...255: put(reversed: 0x190 + code - 144, 9)
        case 256...279: put(reversed: code - 256, 7)
        default: put(reversed: 0xc0 + code - 280, 8)
        }
    }

    /// 3 to 258: groups of four codes, each group with one more extra bit than the one before.
    private mutating func put(length: Int) {
        if length == 258 { return put(code: 285) }
        if length < 11 { return put(code: 254 + length) }
        let value = length - 3
        let extra = Int.bitWidth - value.leadingZeroBitCount - 3
        put(code: 257 + 4 * extra + value >> extra)
        put(UInt64(value & (1 << extra - 1)), UInt64(extra))
    }

    /// Groups of two codes, each group with one more extra bit than the one before.
    private mutating func put(distance: Int) {
        let value = distance - 1
        if value < 4 { return put(reversed: value, 5) }
        let extra = Int.bitWidth - value.leadingZeroBitCount - 2
        put(reversed: 2 * extra + value >> extra, 5)
        put(UInt64(value & (1 << extra - 1)), UInt64(extra))
    }
}
