extension Value {
    /// The value as TOML writes it, on one line.
    public var toml: String {
        switch self {
        case .array(let items):
            var text = ""
            for item in items { text += (text.isEmpty ? "" : ", ") + item.toml }
            return "[" + text + "]"
        case .table(let entries):
            var text = ""
            for entry in entries {
                text += (text.isEmpty ? "" : ", ") + DocumentPath(keys: [entry.key]).text + " = " + entry.value.toml
            }
            return text.isEmpty ? "{}" : "{ " + text + " }"
        // TOML's basic strings and numbers are written as JSON's.
        case .string, .integer, .double, .bool, .null: return compactJSON
        }
    }
}
