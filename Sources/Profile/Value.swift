/// A document of plain values: what a TOML file holds, and what `--json` prints.
public enum Value: Sendable, Equatable {
    case string(String)
    case integer(Int)
    case double(Double)
    case bool(Bool)
    case array([Value])
    /// Keys in the order in which they print.
    case table([(key: String, value: Value)])
    case null

    public static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.string(let a), .string(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.double(let a), .double(let b)): a == b
        case (.bool(let a), .bool(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.table(let a), .table(let b)): a.elementsEqual(b) { $0.key == $1.key && $0.value == $1.value }
        case (.null, .null): true
        default: false
        }
    }

    public subscript(key: String) -> Value? {
        guard case .table(let entries) = self else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// Strings as an array.
    public static func strings(_ list: [String]) -> Value {
        var items: [Value] = []
        for text in list { items.append(.string(text)) }
        return .array(items)
    }

    /// The document as JSON (RFC 8259), indented by two spaces.
    public var json: String {
        var text = ""
        write(to: &text, indent: "\n")
        return text
    }

    /// The document as JSON on one line.
    public var compactJSON: String {
        var text = ""
        write(to: &text, indent: nil)
        return text
    }

    private func write(to text: inout String, indent: String?) {
        switch self {
        case .null: text += "null"
        case .string(let value): Value.quote(value, into: &text)
        case .integer(let value): text += String(value)
        case .double(let value): text += value.isFinite ? "\(value)" : "null"
        case .bool(let value): text += value ? "true" : "false"
        case .array(let list):
            Value.block("[", "]", list, into: &text, indent: indent) { item, text, inner in
                item.write(to: &text, indent: inner)
            }
        case .table(let entries):
            Value.block("{", "}", entries, into: &text, indent: indent) { entry, text, inner in
                Value.quote(entry.key, into: &text)
                text += inner == nil ? ":" : ": "
                entry.value.write(to: &text, indent: inner)
            }
        }
    }

    private static func block<Item>(
        _ open: String, _ close: String, _ items: [Item], into text: inout String, indent: String?,
        _ each: (Item, inout String, String?) -> Void
    ) {
        text += open
        let inner = indent.map { $0 + "  " }
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            text += inner ?? ""
            each(item, &text, inner)
        }
        if !items.isEmpty { text += indent ?? "" }
        text += close
    }

    private static func quote(_ value: String, into text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
