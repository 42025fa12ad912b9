/// `"!x"`: what a list loses.
enum Removal {
    /// What a plain item takes out.
    static func item(_ value: Value) -> String? {
        guard case .string(let text) = value, text.hasPrefix("!") else { return nil }
        return String(text.dropFirst())
    }

    /// What a table takes out, by the first of its identity's keys that it has.
    static func record(_ value: Value, _ identity: [String]) -> String? {
        guard let text = self.identity(of: value, identity), text.hasPrefix("!") else { return nil }
        return String(text.dropFirst())
    }

    static func identity(of value: Value, _ keys: [String]) -> String? {
        for key in keys {
            switch value[key] {
            case .string(let text): return text
            case .array(let items): return Value.array(items).identity
            default: continue
            }
        }
        return nil
    }

    /// Whether every item takes something out.
    static func isAll(_ items: [Value], _ identity: [String]?) -> Bool {
        guard !items.isEmpty else { return false }
        for item in items where (identity.map { record(item, $0) } ?? self.item(item)) == nil { return false }
        return true
    }
}

extension Value {
    /// A text by which `"!x"` finds a value: strings as they are, without a slash at their end.
    var identity: String {
        switch self {
        case .string(let text): return text.utf8.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
        case .integer(let number): return String(number)
        case .array(let items):
            var text = ""
            for item in items { text += (text.isEmpty ? "" : " ") + item.identity }
            return text
        default: return compactJSON
        }
    }
}
