extension LoadedProfile {
    /// The merged profile as TOML, each value with the file and line that it came from.
    public func show() -> String {
        var listing = Listing(self)
        listing.write()
        return listing.text
    }
}

/// Writes a merged profile with the sources of its values.
private struct Listing {
    private let loaded: LoadedProfile
    /// One index per layer, so that a long file is scanned once.
    private let indices: [TOMLIndex?]
    private(set) var text = ""

    init(_ loaded: LoadedProfile) {
        self.loaded = loaded
        var indices: [TOMLIndex?] = []
        for layer in loaded.layers { indices.append(layer.document.map { TOMLIndex($0.text) }) }
        self.indices = indices
    }

    mutating func write() {
        guard case .table(let entries, _) = loaded.root else { return }
        for entry in entries {
            if case .table = entry.node { continue }
            line(entry.key, entry.node, DocumentPath(keys: [entry.key]))
        }
        for entry in entries {
            guard case .table(let inner, _) = entry.node else { continue }
            text += (text.isEmpty ? "" : "\n") + "[" + entry.key + "]\n"
            for item in inner {
                let path = DocumentPath(keys: [entry.key, item.key])
                keys(DocumentPath(keys: [item.key]).text, item.node, path)
            }
        }
    }

    /// A table below a section is written as dotted keys, so that each value has a line.
    private mutating func keys(_ name: String, _ node: Node, _ path: DocumentPath) {
        guard case .table(let entries, _) = node, !entries.isEmpty else { return line(name, node, path) }
        for entry in entries {
            keys(name + "." + DocumentPath(keys: [entry.key]).text, entry.node, path.appending(entry.key))
        }
    }

    private mutating func line(_ name: String, _ node: Node, _ path: DocumentPath) {
        if case .list(let items, _) = node, isSpread(items) {
            text += name + " = [\n"
            for index in items.indices {
                text += "    " + items[index].value.toml + ",  # " + source(path.appending(index)) + "\n"
            }
            text += "]\n"
        } else {
            text += name + " = " + node.value.toml + "  # " + source(path) + "\n"
        }
    }

    /// Whether a list's items come from several layers, or are tables.
    private func isSpread(_ items: [Node.Item]) -> Bool {
        items.contains { item in
            if case .table = item.value { return true }
            return item.origin.layer != items.first?.origin.layer
        }
    }

    private func source(_ path: DocumentPath) -> String {
        // A list is where its items are, whichever layer last touched it.
        let first = loaded.root.source(of: path.appending(0))
        guard let found = first ?? loaded.root.source(of: path) else { return "?" }
        let layer = loaded.layers[found.layer]
        guard let document = layer.document, let index = indices[found.layer] else { return layer.reference.text }
        var place = document.place(of: found.path, key: true, in: index)
        place.column = nil
        return place.text
    }
}
