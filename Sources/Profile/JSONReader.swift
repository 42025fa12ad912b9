extension Value {
    /// How deep a document may nest.
    private static let depthLimit = 64

    /// Reads a JSON document (RFC 8259): `nil` for anything else. Whole numbers that an `Int` holds become integers.
    public init?(json text: String) {
        var text = text
        let value = text.withUTF8 { bytes in
            var reader = JSONReader(bytes)
            let value = reader.value(depth: Value.depthLimit)
            return reader.isAtEnd() ? value : nil
        }
        guard let value else { return nil }
        self = value
    }
}

private struct JSONReader {
    /// Somebody else's, for as long as they are read.
    private let bytes: UnsafeBufferPointer<UInt8>
    private var next = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func text(_ place: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[place]), as: UTF8.self)
    }

    mutating func isAtEnd() -> Bool {
        skipSpace()
        return next == bytes.count
    }

    mutating func value(depth: Int) -> Value? {
        skipSpace()
        guard depth > 0, next < bytes.count else { return nil }
        switch bytes[next] {
        case UInt8(ascii: "{"): return table(depth: depth - 1)
        case UInt8(ascii: "["): return array(depth: depth - 1)
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return take("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func skipSpace() {
        while next < bytes.count, isSpace(bytes[next]) { next += 1 }
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }

    private mutating func take(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard next + count <= bytes.count else { return false }
        for index in 0..<count where bytes[next + index] != word.utf8Start[index] { return false }
        next += count
        return true
    }

    private mutating func table(depth: Int) -> Value? {
        next += 1
        var entries: [(key: String, value: Value)] = []
        skipSpace()
        if take("}") { return .table([]) }
        while true {
            skipSpace()
            guard next < bytes.count, bytes[next] == UInt8(ascii: "\""), let key = string() else { return nil }
            skipSpace()
            guard take(":"), let value = value(depth: depth) else { return nil }
            entries.append((key, value))
            skipSpace()
            if take("}") { return .table(entries) }
            guard take(",") else { return nil }
        }
    }

    private mutating func array(depth: Int) -> Value? {
        next += 1
        var items: [Value] = []
        skipSpace()
        if take("]") { return .array([]) }
        while true {
            guard let item = value(depth: depth) else { return nil }
            items.append(item)
            skipSpace()
            if take("]") { return .array(items) }
            guard take(",") else { return nil }
        }
    }

    private mutating func number() -> Value? {
        let start = next
        while next < bytes.count, isNumeric(bytes[next]) { next += 1 }
        let text = text(start..<next)
        var digits = text.utf8[...]
        if digits.first == UInt8(ascii: "-") { digits = digits.dropFirst() }
        guard let first = digits.first, isDigit(first), let last = digits.last, isDigit(last) else { return nil }
        if first == UInt8(ascii: "0"), digits.count > 1, isDigit(digits[digits.index(after: digits.startIndex)]) {
            return nil
        }
        if let number = Int(text) { return .integer(number) }
        return Double(text).map { .double($0) }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private func isNumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
        default: isDigit(byte)
        }
    }

    private mutating func string() -> String? {
        next += 1
        let start = next
        while next < bytes.count, bytes[next] >= 0x20, bytes[next] != UInt8(ascii: "\\") {
            if bytes[next] == UInt8(ascii: "\"") {
                next += 1
                // Between two characters of a text it is one itself.
                return text(start..<next - 1)
            }
            next += 1
        }
        var text = Array(bytes[start..<next])
        while next < bytes.count {
            let byte = bytes[next]
            next += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                text.append(contentsOf: String(scalar).utf8)
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard next < bytes.count else { return nil }
        let byte = bytes[next]
        next += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"): return scalar()
        default: return nil
        }
    }

    /// Four hexadecimal digits, or twice four for what lies beyond 16 bits.
    private mutating func scalar() -> Unicode.Scalar? {
        guard let first = unit() else { return nil }
        guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
        guard take("\\u"), let second = unit(), UTF16.isTrailSurrogate(second) else { return nil }
        return Unicode.Scalar(0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00))
    }

    private mutating func unit() -> UInt16? {
        guard next + 4 <= bytes.count, bytes[next] != UInt8(ascii: "+"), bytes[next] != UInt8(ascii: "-") else {
            return nil
        }
        let digits = text(next..<next + 4)
        next += 4
        return UInt16(digits, radix: 16)
    }
}
