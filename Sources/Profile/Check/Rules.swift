/// Gathers findings about a whole profile: each names the key where it stands.
struct Rules {
    let loaded: LoadedProfile
    private(set) var findings: [Finding] = []
    /// The namespaces that the box gets.
    let unshared: NamespaceSet

    init(_ loaded: LoadedProfile) {
        self.loaded = loaded
        unshared = loaded.profile.forCheckpoints.namespaces.unshare
    }

    var profile: Profile { loaded.profile }

    func isUnshared(_ kind: NamespaceKind) -> Bool { unshared.contains(kind) }

    func isSet(_ key: String) -> Bool { path(key).flatMap { loaded.root.source(of: $0) } != nil }

    mutating func error(_ key: String, _ text: String, mend: String? = nil) {
        findings.append(Finding(.error, place: place(key), key: named(key), text: text, mend: mend))
    }

    mutating func warning(_ key: String, _ text: String, mend: String? = nil) {
        findings.append(Finding(.warning, place: place(key), key: named(key), text: text, mend: mend))
    }

    /// About what a layer holds and the merged profile does not.
    mutating func warning(layer: Int, _ path: DocumentPath, _ text: String, mend: String? = nil) {
        let place = loaded.layers[layer].place(of: path, key: false)
        findings.append(Finding(.warning, place: place, key: named(path.text), text: text, mend: mend))
    }

    private func path(_ key: String) -> DocumentPath? { DocumentPath(parsing: key) }

    private func place(_ key: String) -> SourceReference? { path(key).flatMap { loaded.place(of: $0) } }

    /// An item of a plain list goes by its list's name.
    private func named(_ key: String) -> String {
        guard var path = path(key), case .index? = path.parts.last else { return key }
        if case .tables? = Schema.kind(at: path) { return key }
        path.parts.removeLast()
        return path.text
    }
}
