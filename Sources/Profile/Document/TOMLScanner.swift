/// A cursor over TOML text that knows lines and columns. It reads keys and skips values.
struct TOMLScanner {
    /// From 1; a column counts characters (Unicode scalars).
    struct Position: Sendable, Equatable {
        var line: Int
        var column: Int
    }

    private let bytes: [UInt8]
    private var index = 0
    private(set) var position = Position(line: 1, column: 1)

    init(_ text: String) {
        bytes = Array(text.utf8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    var isAtEnd: Bool { index >= bytes.count }
    var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where index < bytes.count {
            if bytes[index] == UInt8(ascii: "\n") {
                position = Position(line: position.line + 1, column: 1)
            } else if index + 1 >= bytes.count || bytes[index + 1] & 0xC0 != 0x80 {
                position.column += 1
            }
            index += 1
        }
    }

    func starts(with text: StaticString) -> Bool {
        guard index + text.utf8CodeUnitCount <= bytes.count else { return false }
        for offset in 0..<text.utf8CodeUnitCount where bytes[index + offset] != text.utf8Start[offset] { return false }
        return true
    }

    mutating func take(_ text: StaticString) -> Bool {
        guard starts(with: text) else { return false }
        advance(text.utf8CodeUnitCount)
        return true
    }

    mutating func skipBlanks() {
        while let byte = next, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { advance() }
    }

    mutating func skipLine() {
        while let byte = next, byte != UInt8(ascii: "\n") { advance() }
    }

    /// Skips blanks, ends of lines and comments.
    mutating func skipSpace() {
        while let byte = next {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
            case UInt8(ascii: "#"): skipLine()
            default: return
            }
        }
    }

    /// A dotted key: each part with its place.
    mutating func dottedKey() -> [(key: String, at: Position)]? {
        var parts: [(key: String, at: Position)] = []
        while true {
            skipBlanks()
            let start = position
            guard let part = simpleKey() else { return nil }
            parts.append((part, start))
            skipBlanks()
            if !take(".") { return parts }
        }
    }

    private mutating func simpleKey() -> String? {
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return quoted()
        default: break
        }
        let start = index
        while let byte = next, DocumentPath.isBare(byte) { advance() }
        return index == start ? nil : String(decoding: bytes[start..<index], as: UTF8.self)
    }

    /// A basic or literal string on one line.
    private mutating func quoted() -> String? {
        guard let quote = next else { return nil }
        advance()
        var text: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\n") {
            advance()
            if byte == quote { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                guard let escaped = escape() else { return nil }
                text.append(contentsOf: escaped)
            } else {
                text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> [UInt8]? {
        guard let byte = next else { return nil }
        advance()
        switch byte {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "u"): return scalar(digits: 4)
        case UInt8(ascii: "U"): return scalar(digits: 8)
        default: return [byte]
        }
    }

    private mutating func scalar(digits: Int) -> [UInt8]? {
        guard index + digits <= bytes.count else { return nil }
        let text = String(decoding: bytes[index..<index + digits], as: UTF8.self)
        guard let number = UInt32(text, radix: 16), let scalar = Unicode.Scalar(number) else { return nil }
        advance(digits)
        return Array(String(Character(scalar)).utf8)
    }

    /// Whether nothing but a comment follows on this line.
    var isAtEndOfLine: Bool {
        switch next {
        case nil, UInt8(ascii: "\n"), UInt8(ascii: "#"): true
        case UInt8(ascii: "\r"): starts(with: "\r\n")
        default: false
        }
    }

    enum StringEnd {
        case whole, unfinished
        /// It holds an escaped NUL.
        case nul
    }

    /// Skips a string, multi-line ones included.
    mutating func skipString() -> StringEnd {
        guard let quote = next else { return .unfinished }
        let isLong = starts(with: "\"\"\"") || starts(with: "'''")
        advance(isLong ? 3 : 1)
        while let byte = next {
            if byte == quote, !isLong || starts(with: "\"\"\"") || starts(with: "'''") {
                advance(isLong ? 3 : 1)
                // Up to two more quotes belong to a multi-line string's content.
                for _ in 0..<2 where isLong && next == quote { advance() }
                return .whole
            }
            if byte == UInt8(ascii: "\n"), !isLong { return .unfinished }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                if starts(with: "\\u0000") || starts(with: "\\U00000000") { return .nul }
                advance(2)
            } else {
                advance()
            }
        }
        return .unfinished
    }

    /// Skips a number, a date, true or false: whether there was what may be one.
    mutating func skipScalar() -> Bool {
        let start = index
        while let byte = next {
            let isPart =
                DocumentPath.isBare(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: ":")
            // A date may have a space before its time.
            let isGap =
                byte == UInt8(ascii: " ") && index - start == 10 && index + 1 < bytes.count
                && bytes[index + 1] >= UInt8(ascii: "0") && bytes[index + 1] <= UInt8(ascii: "9")
            guard isPart || isGap else { break }
            advance()
        }
        return index > start && TOMLScanner.isWhole(bytes[start..<index])
    }

    /// Whether what has the marks of a date or time is one: the parser asserts that digits follow them.
    private static func isWhole(_ scalar: ArraySlice<UInt8>) -> Bool {
        let head = scalar.prefix(5)
        let isDated = head.count == 5 && head.last == UInt8(ascii: "-") && head.dropLast().allSatisfy(isDigit)
        guard isDated || scalar.contains(UInt8(ascii: ":")) else { return true }
        var shape: [UInt8] = []
        for byte in scalar {
            // A fraction of any length looks like one digit.
            if isDigit(byte), shape.suffix(2) == [UInt8(ascii: "."), UInt8(ascii: "0")] { continue }
            shape.append(isDigit(byte) ? UInt8(ascii: "0") : byte)
        }
        let text = String(decoding: shape, as: UTF8.self)
        var times = ["00:00:00", "00:00:00.0"]
        if times.contains(text) || text == "0000-00-00" { return true }
        for time in times { times += [time + "Z", time + "z", time + "+00:00", time + "-00:00"] }
        for gap in ["T", "t", " "] where text.hasPrefix("0000-00-00" + gap) {
            return times.contains(String(text.dropFirst(11)))
        }
        return false
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// `a.b[3]."c.d"` to its end.
    mutating func path() -> [DocumentPath.Part]? {
        var parts: [DocumentPath.Part] = []
        while true {
            guard let key = simpleKey() else { return nil }
            parts.append(.key(key))
            while take("[") {
                let start = index
                while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { advance() }
                guard let number = Int(String(decoding: bytes[start..<index], as: UTF8.self)) else { return nil }
                guard take("]") else { return nil }
                parts.append(.index(number))
            }
            if isAtEnd { return parts }
            guard take(".") else { return nil }
        }
    }
}
