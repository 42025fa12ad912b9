/// A merged value that knows which layer each of its parts came from.
enum Node: Sendable {
    struct Origin: Sendable {
        /// Index of the layer.
        var layer: Int
        /// The item's index in the layer's own list, when it is one.
        var item: Int?
    }
    struct Item: Sendable {
        var value: Value
        var origin: Origin
    }

    case leaf(Value, Origin)
    case list([Item], Origin)
    case table([(key: String, node: Node)], Origin)

    subscript(key: String) -> Node? {
        guard case .table(let entries, _) = self else { return nil }
        for entry in entries where entry.key == key { return entry.node }
        return nil
    }

    /// The same with one node below it changed; the same when there is no such node.
    func replacing(_ keys: ArraySlice<String>, _ change: (Node) -> Node) -> Node {
        guard let key = keys.first else { return change(self) }
        guard case .table(var entries, let origin) = self else { return self }
        for index in entries.indices where entries[index].key == key {
            entries[index].node = entries[index].node.replacing(keys.dropFirst(), change)
        }
        return .table(entries, origin)
    }

    var origin: Origin {
        switch self {
        case .leaf(_, let origin), .list(_, let origin), .table(_, let origin): origin
        }
    }

    var value: Value {
        switch self {
        case .leaf(let value, _): return value
        case .list(let items, _):
            var values: [Value] = []
            for item in items { values.append(item.value) }
            return .array(values)
        case .table(let entries, _):
            var values: [(key: String, value: Value)] = []
            for entry in entries { values.append((entry.key, entry.node.value)) }
            return .table(values)
        }
    }

    /// The layer that a path's value came from, and the path in that layer; nil when there is no such value.
    func source(of path: DocumentPath) -> (layer: Int, path: DocumentPath)? {
        var node = self
        for (depth, part) in path.parts.enumerated() {
            switch (node, part) {
            case (.table, .key(let key)):
                guard let inner = node[key] else { return nil }
                node = inner
            case (.list(let items, _), .index(let index)):
                guard items.indices.contains(index) else { return nil }
                let origin = items[index].origin
                let rest = path.parts[(depth + 1)...]
                let own: [DocumentPath.Part] = origin.item.map { [.index($0)] } ?? []
                return (origin.layer, DocumentPath(Array(path.parts[..<depth]) + own + rest))
            case (.leaf(_, let origin), _): return (origin.layer, path)
            default: return nil
            }
        }
        return (node.origin.layer, path)
    }
}
