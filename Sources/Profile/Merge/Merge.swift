/// Merges layers from left to right: tables merge, scalars override, lists append without duplicates, `"!x"` removes `x`.
struct Merge {
    private(set) var root = Node.table([], Node.Origin(layer: 0))
    /// Removals that found nothing, as paths of their layers.
    private(set) var idleRemovals: [(layer: Int, path: DocumentPath, name: String)] = []
    private var mode = Layer.Mode.append
    private var isCommandLine = false

    init(_ layers: [Layer]) {
        for (index, layer) in layers.enumerated() {
            mode = layer.mode
            isCommandLine = layer.reference == Layer.commandLine
            dropUnset(layer.value["process"]?["environment"]?["unset"])
            root = table(root, layer.value, Schema.root, DocumentPath(), index)
        }
    }

    /// A variable that a layer unsets is no longer set by those below it.
    private mutating func dropUnset(_ unset: Value?) {
        guard case .array(let names)? = unset else { return }
        root = root.replacing(["process", "environment", "set"]) { set in
            guard case .table(let entries, let origin) = set else { return set }
            return .table(entries.filter { entry in !names.contains(.string(entry.key)) }, origin)
        }
    }

    private mutating func table(
        _ base: Node?, _ value: Value, _ keys: [Key], _ path: DocumentPath, _ layer: Int
    ) -> Node {
        guard case .table(let entries) = value else { return .leaf(value, Node.Origin(layer: layer)) }
        var merged: [(key: String, node: Node)] = []
        // In the language's order, whatever the file's.
        for place in keys.indices {
            let name = keys[place].name
            let old = base?[name]
            guard let own = entries.last(where: { $0.key == name })?.value else {
                if let old { merged.append((name, old)) }
                continue
            }
            if let node = node(old, own, keys[place].kind, path.appending(name), layer) { merged.append((name, node)) }
        }
        return .table(merged, base?.origin ?? Node.Origin(layer: layer))
    }

    /// Nil takes the key away.
    private mutating func node(
        _ base: Node?, _ value: Value, _ kind: Kind, _ path: DocumentPath, _ layer: Int
    ) -> Node? {
        let origin = Node.Origin(layer: layer)
        if kind.isScalar, value == .string("!") {
            if base == nil { idleRemovals.append((layer, path, path.text)) }
            return nil
        }
        switch (kind, value) {
        case (.section(let keys), .table): return table(base, value, keys(), path, layer)
        case (.map(_, let element), .table(let entries)): return map(base, entries, element, path, layer)
        case (.list(let element), .array(let items)): return list(base, items, element, path, layer)
        case (.idMapping, .array(let items)): return list(base, items, .limit, path, layer)
        case (.tables(_, let identity), .array(let items)): return records(base, items, identity, path, layer)
        case (.namespaces, _): return namespaces(base, value, path, layer)
        case (.vector, .array(let items)), (.oneOrMore, .array(let items)):
            var own: [Node.Item] = []
            for (index, item) in items.enumerated() {
                own.append(Node.Item(value: item, origin: Node.Origin(layer: layer, item: index)))
            }
            return .list(own, origin)
        default: return .leaf(value, origin)
        }
    }

    private mutating func map(
        _ base: Node?, _ entries: [(key: String, value: Value)], _ element: Kind, _ path: DocumentPath, _ layer: Int
    ) -> Node {
        var merged: [(key: String, node: Node)] = []
        if case .table(let old, _)? = base { merged = old }
        for entry in entries {
            let place = merged.firstIndex { $0.key == entry.key }
            let node = node(place.map { merged[$0].node }, entry.value, element, path.appending(entry.key), layer)
            switch (place, node) {
            case (let place?, let node?): merged[place].node = node
            case (let place?, nil): merged.remove(at: place)
            case (nil, let node?): merged.append((entry.key, node))
            case (nil, nil): break
            }
        }
        return .table(merged, base?.origin ?? Node.Origin(layer: layer))
    }

    /// What a layer's list starts from.
    private func start(_ base: Node?, _ items: [Value], _ identity: [String]?) -> [Node.Item] {
        guard case .list(let old, _)? = base else { return [] }
        return mode == .assign && !Removal.isAll(items, identity) ? [] : old
    }

    private mutating func list(
        _ base: Node?, _ items: [Value], _ element: Kind, _ path: DocumentPath, _ layer: Int
    ) -> Node {
        var merged = start(base, items, nil)
        for (index, item) in items.enumerated() {
            let origin = Node.Origin(layer: layer, item: index)
            if let name = Removal.item(item) {
                if !remove(name, element, from: &merged) {
                    idleRemovals.append((layer, path.appending(index), name))
                }
                continue
            }
            for value in Merge.expand(item, element) {
                if !isThere(value, merged, element, layer) { merged.append(Node.Item(value: value, origin: origin)) }
            }
        }
        return .list(merged, Node.Origin(layer: layer))
    }

    /// Whether an item says nothing new. A function may stand in a chain twice, but not because two files have it.
    private func isThere(_ value: Value, _ items: [Node.Item], _ element: Kind, _ layer: Int) -> Bool {
        let identity = value.identity
        if case .string(.functionReference) = element {
            return !isCommandLine && items.contains { $0.origin.layer != layer && $0.value.identity == identity }
        }
        return items.contains { $0.value.identity == identity }
    }

    /// Whether it was there.
    private func remove(_ name: String, _ element: Kind, from items: inout [Node.Item]) -> Bool {
        var name = Value.string(name).identity
        if case .string(.capability) = element {
            name = Names.capability(name)
            // "ALL" less one is every other by name.
            if name != "ALL", let all = items.firstIndex(where: { $0.value == .string("ALL") }) {
                let origin = items.remove(at: all).origin
                for capability in Names.capabilities where !items.contains(where: { $0.value.identity == capability }) {
                    items.append(Node.Item(value: .string(capability), origin: origin))
                }
            }
        }
        let before = items.count
        items.removeAll { $0.value.identity == name }
        return items.count < before
    }

    /// The values that one item stands for, as the model names them.
    private static func expand(_ item: Value, _ element: Kind) -> [Value] {
        guard case .string(let text) = item, case .string(let form) = element else { return [item] }
        switch form {
        case .capability: return [.string(Names.capability(text))]
        case .oneOf(let words) where text == "all" && words().last == "all":
            var all: [Value] = []
            for word in words().dropLast() { all.append(.string(word)) }
            return all
        default: return [item]
        }
    }

    private mutating func records(
        _ base: Node?, _ items: [Value], _ identity: [String], _ path: DocumentPath, _ layer: Int
    ) -> Node {
        var merged = start(base, items, identity)
        for (index, item) in items.enumerated() {
            let own = Node.Item(value: item, origin: Node.Origin(layer: layer, item: index))
            if let removed = Removal.record(item, identity) {
                let before = merged.count
                let name = Value.string(removed).identity
                merged.removeAll { Merge.name($0.value, identity) == name }
                if merged.count == before { idleRemovals.append((layer, path.appending(index), removed)) }
            } else if let place = Merge.rival(of: own, in: merged, identity) {
                merged[place] = own
            } else if !merged.contains(where: { $0.value == item }) {
                merged.append(own)
            }
        }
        return .list(merged, Node.Origin(layer: layer))
    }

    private static func name(_ value: Value, _ identity: [String]) -> String? {
        Removal.identity(of: value, identity).map { Value.string($0).identity }
    }

    /// The record of another layer whose place an item takes. Filter rules for the same calls stand side by side.
    private static func rival(of item: Node.Item, in items: [Node.Item], _ identity: [String]) -> Int? {
        guard identity != ["calls"], let name = name(item.value, identity) else { return nil }
        return items.firstIndex { $0.origin.layer != item.origin.layer && Merge.name($0.value, identity) == name }
    }

    private mutating func namespaces(_ base: Node?, _ value: Value, _ path: DocumentPath, _ layer: Int) -> Node {
        let element = Kind.string(.choice(Schema.kindNames + ["all"]))
        switch value {
        case .array(let items): return list(base, items, element, path, layer)
        case .string("all"):
            var items: [Node.Item] = []
            for kind in Schema.kindNames {
                items.append(Node.Item(value: .string(kind), origin: Node.Origin(layer: layer)))
            }
            return .list(items, Node.Origin(layer: layer))
        default: return .list([], Node.Origin(layer: layer))
        }
    }
}
