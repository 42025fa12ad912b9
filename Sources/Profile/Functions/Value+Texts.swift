extension Value {
    /// The same with what stands at a path of keys changed; what is not there stays so.
    func changed(
        at path: ArraySlice<String>, _ change: (Value) throws(NotRead) -> Value
    ) throws(NotRead) -> Value {
        guard let key = path.first else { return try change(self) }
        guard case .table(var entries) = self else { return self }
        for index in entries.indices where entries[index].key == key {
            entries[index].value = try entries[index].value.changed(at: path.dropFirst(), change)
        }
        return .table(entries)
    }

    /// The same with all of its texts changed, keys excepted.
    func mapTexts(_ change: (String) throws(NotRead) -> String) throws(NotRead) -> Value {
        switch self {
        case .string(let text): return .string(try change(text))
        case .array(let items):
            var changed: [Value] = []
            for item in items { changed.append(try item.mapTexts(change)) }
            return .array(changed)
        case .table(var entries):
            for index in entries.indices { entries[index].value = try entries[index].value.mapTexts(change) }
            return .table(entries)
        case .integer, .double, .bool, .null: return self
        }
    }
}
