/// Makes a command's output safe for the operator's terminal, piece by piece: colours and weights stay, and what would
/// move the cursor, change the title, reorder or hide text is shown instead of done (ECMA-48, `printable`).
struct LogFilter {
    /// The beginning of what is not complete yet: a character or an escape sequence.
    private var pending: [UInt8] = []
    private var hasStyle = false

    /// The longest sequence that is taken for one, in bytes.
    private static let limit = 48

    /// The next piece of output, as far as it can be told.
    mutating func filter(_ bytes: some Collection<UInt8>) -> [UInt8] {
        pending += bytes
        var safe: [UInt8] = []
        var index = 0
        while index < pending.count {
            guard let end = take(from: index, &safe) else { break }
            index = end
        }
        pending.removeFirst(index)
        return safe
    }

    /// What is left at the end, and plain style again.
    mutating func finish() -> [UInt8] {
        var safe: [UInt8] = []
        for byte in pending { LogFilter.escape(byte, &safe) }
        pending = []
        if hasStyle { safe += Array("\u{1b}[0m".utf8) }
        hasStyle = false
        return safe
    }

    /// Takes one character or sequence. Returns where the next one begins; `nil` when this one is not complete.
    private mutating func take(from index: Int, _ safe: inout [UInt8]) -> Int? {
        let byte = pending[index]
        switch byte {
        case 0x0a, 0x09, 0x20..<0x7f:
            safe.append(byte)
            return index + 1
        case 0x0d: return takeReturn(from: index, &safe)
        case 0x1b: return takeSequence(from: index, &safe)
        case 0x80...: return takeCharacter(from: index, &safe)
        default:
            LogFilter.escape(byte, &safe)
            return index + 1
        }
    }

    /// A terminal's line ends in two bytes; alone, the first would let a line be overwritten.
    private func takeReturn(from index: Int, _ safe: inout [UInt8]) -> Int? {
        guard index + 1 < pending.count else { return nil }
        if pending[index + 1] != 0x0a { safe += Array("\\r".utf8) }
        return index + 1
    }

    /// ESC [ digits m, and nothing else.
    private mutating func takeSequence(from index: Int, _ safe: inout [UInt8]) -> Int? {
        var end = index + 1
        while end < pending.count, end - index < LogFilter.limit {
            let byte = pending[end]
            end += 1
            if end == index + 2, byte == UInt8(ascii: "[") { continue }
            if end > index + 2, byte == UInt8(ascii: "m") {
                safe += pending[index..<end]
                hasStyle = true
                return end
            }
            let isParameter = end > index + 2 && (0x30...0x3b).contains(byte)
            if !isParameter {
                LogFilter.escape(0x1b, &safe)
                return index + 1
            }
        }
        if end - index < LogFilter.limit { return nil }
        LogFilter.escape(0x1b, &safe)
        return index + 1
    }

    /// A character of more than one byte; bytes that are none are shown by their numbers.
    private func takeCharacter(from index: Int, _ safe: inout [UInt8]) -> Int? {
        let length =
            switch pending[index] {
            case 0xc2...0xdf: 2
            case 0xe0...0xef: 3
            case 0xf0...0xf4: 4
            default: 1
            }
        var end = index + 1
        while end < index + length, end < pending.count, pending[end] & 0xc0 == 0x80 { end += 1 }
        if end < index + length, end == pending.count { return nil }
        let bytes = pending[index..<end]
        guard let text = String(validating: bytes, as: UTF8.self), end == index + length, length > 1 else {
            LogFilter.escape(pending[index], &safe)
            return index + 1
        }
        safe += Array(printable(text).utf8)
        return end
    }

    private static func escape(_ byte: UInt8, _ safe: inout [UInt8]) {
        let digits = String(byte, radix: 16)
        safe += Array(("\\x" + (digits.utf8.count < 2 ? "0" : "") + digits).utf8)
    }
}
