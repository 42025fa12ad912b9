extension Schema {
    /// How to mend an unknown key: the nearest of its neighbours, or the section where a key of that name belongs.
    static func mend(unknown name: String, among names: [String]) -> String? {
        let homes = homes(of: name)
        let nearest = Suggestion.nearest(to: name, among: names)
        if let nearest, Suggestion.distance(Array(name.utf8), Array(nearest.utf8)) == 0 || homes.isEmpty {
            return "did you mean \(Form.quote(nearest))?"
        }
        if !homes.isEmpty { return "it belongs in \(either(homes))" }
        var all: [String] = []
        for path in paths where path.parts.count > 1 { all.append(lastKey(path)) }
        guard let distant = Suggestion.nearest(to: name, among: all) else {
            return names.count <= 20 ? "known here: \(names.joined(separator: ", "))" : "profile(5) has those known"
        }
        return "did you mean \(Form.quote(distant)) in \(either(self.homes(of: distant)))?"
    }

    /// Every key but those of list items, as paths, in the language's order.
    static let paths: [DocumentPath] = {
        var paths: [DocumentPath] = []
        collect(root, DocumentPath(), into: &paths)
        return paths
    }()

    private static func collect(_ keys: [Key], _ path: DocumentPath, into paths: inout [DocumentPath]) {
        for key in keys {
            let inner = path.appending(key.name)
            switch key.kind {
            case .section(let keys):
                paths.append(inner)
                collect(keys(), inner, into: &paths)
            case .map(.oneOf(let words), _):
                paths.append(inner)
                for word in words() { paths.append(inner.appending(word)) }
            default: paths.append(inner)
            }
        }
    }

    private static func lastKey(_ path: DocumentPath) -> String { path.keys.last ?? "" }

    /// The tables that have a key of this name.
    private static func homes(of name: String) -> [String] {
        var homes: [String] = []
        for path in paths where lastKey(path) == name {
            let home = DocumentPath(Array(path.parts.dropLast()))
            homes.append(home.parts.isEmpty ? "the top of the file, before any [section]" : "[\(home.text)]")
        }
        return homes
    }

    private static func either(_ words: [String]) -> String { words.joined(separator: " or ") }

    /// A table of the required keys, as TOML writes it.
    static func sample(_ keys: [Key]) -> String {
        var words: [String] = []
        for key in keys where key.isRequired { words.append("\(key.name) = \(key.example)") }
        return "{ \(words.joined(separator: ", ")) }"
    }
}
