/// A profile as merged from its layers, which knows where each value came from.
public struct LoadedProfile: Sendable {
    public let profile: Profile
    /// The files read, in the order in which they merged.
    public let files: [TOMLDocument]
    /// The merged document, without `extends`.
    public let merged: Value
    let layers: [Layer]
    let root: Node
    let idleRemovals: [(layer: Int, path: DocumentPath, name: String)]

    /// The layers have been validated.
    init(_ layers: [Layer]) throws(ProfileError) {
        let merge = Merge(layers)
        var root = merge.root
        if case .table(let entries, let origin) = root {
            root = .table(entries.filter { $0.key != "extends" }, origin)
        }
        try self.init(layers, root, merge.idleRemovals)
    }

    /// - Parameter root: what the layers merged to.
    init(
        _ layers: [Layer], _ root: Node, _ idleRemovals: [(layer: Int, path: DocumentPath, name: String)]
    ) throws(ProfileError) {
        self.layers = layers
        self.root = root
        self.idleRemovals = idleRemovals
        merged = root.value
        var files: [TOMLDocument] = []
        for layer in layers {
            if let document = layer.document { files.append(document) }
        }
        self.files = files
        var reader = ProfileReader(merged) { [root] path in
            root.source(of: path).map { layers[$0.layer].reference }
        }
        do {
            profile = try reader.profile()
        } catch {
            var error = error
            if let path = error.key.flatMap({ DocumentPath(parsing: $0) }) {
                error.place = LoadedProfile.place(of: path, key: false, in: root, layers)
            }
            throw error
        }
    }

    /// Where a value of the merged document was written, such as `filesystem.bind[0].options`: file, line, column.
    public func provenance(of keyPath: String) -> SourceReference? {
        DocumentPath(parsing: keyPath).flatMap { place(of: $0) }
    }

    func place(of path: DocumentPath, key: Bool = false) -> SourceReference? {
        LoadedProfile.place(of: path, key: key, in: root, layers)
    }

    private static func place(of path: DocumentPath, key: Bool, in root: Node, _ layers: [Layer]) -> SourceReference? {
        root.source(of: path).map { layers[$0.layer].place(of: $0.path, key: key) }
    }
}
