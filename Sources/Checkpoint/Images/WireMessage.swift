/// A message of protobuf's wire format, its fields as they came: what is not known is kept. CRIU's images are made of
/// such messages, whose descriptions change from version to version.
struct WireMessage: Equatable {
    struct Field: Equatable {
        var number: Int
        var content: Content
    }

    enum Content: Equatable {
        case number(UInt64)
        /// 4 or 8 bytes.
        case fixed(ArraySlice<UInt8>)
        /// Text, bytes, a message or packed numbers.
        case bytes(ArraySlice<UInt8>)
    }

    var fields: [Field] = []

    /// `nil` for what is no such message.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            guard let tag = WireMessage.takeNumber(&rest), tag >> 3 >= 1, tag >> 3 < 1 << 29 else { return nil }
            let content: Content
            switch tag & 7 {
            case 0:
                guard let number = WireMessage.takeNumber(&rest) else { return nil }
                content = .number(number)
            case 1, 5:
                guard let taken = WireMessage.take(tag & 7 == 1 ? 8 : 4, &rest) else { return nil }
                content = .fixed(taken)
            case 2:
                guard let count = WireMessage.takeNumber(&rest), let taken = WireMessage.take(count, &rest) else {
                    return nil
                }
                content = .bytes(taken)
            default: return nil
            }
            fields.append(Field(number: Int(tag >> 3), content: content))
        }
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for field in fields {
            let tag = UInt64(field.number) << 3
            switch field.content {
            case .number(let number): bytes += WireMessage.encode(tag) + WireMessage.encode(number)
            case .fixed(let taken): bytes += WireMessage.encode(tag | (taken.count == 8 ? 1 : 5)) + taken
            case .bytes(let taken):
                bytes += WireMessage.encode(tag | 2) + WireMessage.encode(UInt64(taken.count)) + taken
            }
        }
        return bytes
    }

    /// The field's only or last number.
    func number(_ field: Int) -> UInt64? {
        for entry in fields.reversed() where entry.number == field {
            if case .number(let number) = entry.content { return number }
        }
        return nil
    }

    /// All numbers of a repeated field, packed or not; `nil` for a packed one that is cut off.
    func numbers(_ field: Int) -> [UInt64]? {
        var numbers: [UInt64] = []
        for entry in fields where entry.number == field {
            switch entry.content {
            case .number(let number): numbers.append(number)
            case .bytes(var packed):
                while !packed.isEmpty {
                    guard let number = WireMessage.takeNumber(&packed) else { return nil }
                    numbers.append(number)
                }
            case .fixed: return nil
            }
        }
        return numbers
    }

    /// Puts other numbers into a repeated field, in its place.
    mutating func set(_ field: Int, _ numbers: [UInt64]) {
        let place = fields.firstIndex { $0.number == field } ?? fields.count
        fields.removeAll { $0.number == field }
        fields.insert(contentsOf: numbers.map { Field(number: field, content: .number($0)) }, at: place)
    }

    private static func takeNumber(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }

    private static func take(_ count: UInt64, _ bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard count <= UInt64(bytes.count) else { return nil }
        let taken = bytes.prefix(Int(count))
        bytes = bytes.dropFirst(Int(count))
        return taken
    }

    private static func encode(_ number: UInt64) -> [UInt8] {
        var (bytes, rest): ([UInt8], UInt64) = ([], number)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
