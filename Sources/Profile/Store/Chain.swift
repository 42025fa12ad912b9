/// The files behind some names, each once, in the order in which they merge.
struct Chain {
    /// Where a name was written.
    struct Referrer {
        var file: Found
        var document: TOMLDocument
        var item: Int
    }
    struct Found: Equatable {
        var path: String
        /// Place of its directory on the search path; nil when given by path.
        var directory: Int?
        /// The name that it was looked up by.
        var name: String
    }

    private let store: ProfileStore
    private(set) var layers: [Layer] = []
    private var done: [String] = []
    /// The files being read, outermost first.
    private var open: [Found] = []

    init(_ store: ProfileStore) { self.store = store }

    mutating func add(_ name: String, from referrer: Referrer?) throws(ProfileError) {
        let (found, bytes) = try find(name, from: referrer)
        if open.contains(where: { $0.path == found.path }) { throw loop(found, referrer) }
        guard !done.contains(found.path) else { return }
        guard open.count < ProfileStore.depthLimit else {
            throw error(
                referrer, "\"extends\" goes deeper than \(ProfileStore.depthLimit) files", mend: "flatten the chain")
        }
        let document = try TOMLDocument(file: found.path, bytes: bytes)
        open.append(found)
        for (index, parent) in try parents(of: document).enumerated() {
            try add(parent, from: Referrer(file: found, document: document, item: index))
        }
        open.removeLast()
        done.append(found.path)
        layers.append(Layer(document))
    }

    private func parents(of document: TOMLDocument) throws(ProfileError) -> [String] {
        guard let value = document.value["extends"] else { return [] }
        var names: [String] = []
        if case .array(let items) = value {
            for case .string(let name) in items { names.append(name) }
            if names.count == items.count, names.allSatisfy({ Form.profile.problem(with: $0) == nil }) { return names }
        }
        // The schema's words for what is wrong with it.
        let findings = Validation(Layer(document)).findings
        for finding in findings where finding.key == "extends" { throw finding.error }
        throw ProfileError(place: SourceReference(file: document.file), key: "extends", problem: "no list of names")
    }

    private func find(_ name: String, from referrer: Referrer?) throws(ProfileError) -> (Found, [UInt8]) {
        if ProfileStore.isPath(name) { return try findPath(name, from: referrer) }
        if let problem = Form.profile.problem(with: name) { throw error(referrer, problem.text, mend: problem.mend) }
        var first = 0
        if let referrer, let directory = referrer.file.directory, referrer.file.name == name { first = directory + 1 }
        var tried: [String] = []
        let searched = store.directories + store.further
        for index in searched.indices.dropFirst(first) {
            let path = ProfileStore.join(searched[index], name + ".toml")
            if let bytes = try store.read(path) { return (Found(path: path, directory: index, name: name), bytes) }
            if index < store.directories.count { tried.append(searched[index]) }
        }
        let place = tried.isEmpty ? "no directory is left to search" : "searched \(tried.joined(separator: ", "))"
        throw error(referrer, "no profile \(Form.quote(name)): \(place)", mend: suggestion(name))
    }

    /// A path stands for itself; in `extends` it begins at the file's own directory.
    private func findPath(_ name: String, from referrer: Referrer?) throws(ProfileError) -> (Found, [UInt8]) {
        var path = name
        if let referrer, !name.hasPrefix("/"), let slash = referrer.file.path.lastIndex(of: "/") {
            path = String(referrer.file.path[...slash]) + name
        }
        guard let bytes = try store.read(path) else {
            throw error(referrer, "no file \(Form.quote(path))", mend: nil)
        }
        return (Found(path: path, directory: nil, name: name), bytes)
    }

    private func suggestion(_ name: String) -> String? {
        guard let profiles = try? store.list() else { return nil }
        var names: [String] = []
        for profile in profiles where profile.name != name { names.append(profile.name) }
        return Suggestion.nearest(to: name, among: names).map { "did you mean \(Form.quote($0))?" }
            ?? "`sandbox profile list` names those there are"
    }

    private func loop(_ found: Found, _ referrer: Referrer?) -> ProfileError {
        var names: [String] = []
        for file in open.drop(while: { $0.path != found.path }) { names.append(file.name) }
        names.append(found.name)
        return error(referrer, "a loop: \(names.joined(separator: " -> "))", mend: "take one of them out")
    }

    private func error(_ referrer: Referrer?, _ problem: String, mend: String?) -> ProfileError {
        guard let referrer else { return ProfileError(problem: problem, mend: mend) }
        let path = DocumentPath(keys: ["extends"]).appending(referrer.item)
        return ProfileError(
            place: referrer.document.place(of: path, key: false), key: "extends", problem: problem, mend: mend)
    }
}
