extension Value {
    /// The value as TOML 1.0 writes it, on one line. Null, which TOML lacks, is left out of tables and lists.
    public var toml: String {
        switch self {
        case .array(let items):
            var text = ""
            for item in items where item != .null { text += (text.isEmpty ? "" : ", ") + item.toml }
            return "[" + text + "]"
        case .table(let entries):
            var text = ""
            for entry in entries where entry.value != .null {
                text += (text.isEmpty ? "" : ", ") + DocumentPath(keys: [entry.key]).text + " = " + entry.value.toml
            }
            return text.isEmpty ? "{}" : "{ " + text + " }"
        case .double(let number) where !number.isFinite: return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf"
        // TOML's basic strings and numbers are written as JSON's.
        case .string, .integer, .double, .bool, .null: return compactJSON
        }
    }

    /// A table as a TOML document: a line for each key, then a section for each table. No other value is one.
    public func tomlDocument() -> String {
        guard case .table(let entries) = self else { preconditionFailure("a TOML document is a table") }
        var text = ""
        Value.write(entries, under: DocumentPath(), into: &text)
        return text
    }

    private static func write(
        _ entries: [(key: String, value: Value)], under path: DocumentPath, into text: inout String
    ) {
        for entry in entries where entry.value != .null {
            if case .table = entry.value { continue }
            text += DocumentPath(keys: [entry.key]).text + " = " + entry.value.toml + "\n"
        }
        for entry in entries {
            guard case .table(let inner) = entry.value else { continue }
            let section = path.appending(entry.key)
            // One that holds nothing but tables needs no header of its own.
            if inner.isEmpty || inner.contains(where: { !$0.value.isTable }) {
                text += (text.isEmpty ? "" : "\n") + "[" + section.text + "]\n"
            }
            write(inner, under: section, into: &text)
        }
    }

    private var isTable: Bool {
        if case .table = self { return true }
        return false
    }
}
