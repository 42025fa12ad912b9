extension ProfileStore {
    /// The functions along the same search path, each directory's in its folder `functions`. They may extend profiles.
    public var functions: ProfileStore {
        ProfileStore(
            directories: directories.map { ProfileStore.join($0, "functions") }, further: directories, read: read,
            list: entries)
    }

    /// The functions of a chain, in order. To be called on the store of profiles.
    ///
    /// - Parameter key: the chain's, for errors.
    public func resolve(_ references: [String], key: String) throws(ProfileError) -> [ResolvedFunction] {
        var resolved: [ResolvedFunction] = []
        for (index, text) in references.enumerated() {
            resolved.append(try resolve(text, key: "\(key)[\(index)]", within: []))
        }
        return resolved
    }

    /// - Parameter outer: the functions in whose own chains this one stands.
    private func resolve(_ text: String, key: String, within outer: [String]) throws(ProfileError) -> ResolvedFunction {
        func told<Result>(_ body: () throws(NotRead) -> Result) throws(ProfileError) -> Result {
            do throws(NotRead) { return try body() } catch {
                throw ProfileError(key: key, problem: "\(Form.quote(text)) \(error.problem)", mend: error.mend)
            }
        }
        let reference = try told { () throws(NotRead) in try FunctionReference(reading: text) }
        if outer.contains(reference.name) {
            let names = (outer + [reference.name]).joined(separator: " -> ")
            throw ProfileError(key: key, problem: "a loop: \(names)", mend: "take one of them out")
        }
        let loaded = try load(reference.name, key: key)
        let resolved = try told { () throws(NotRead) in
            guard let function = loaded.profile.function else {
                throw NotRead("is no function: its profile has no section [function]", "name another")
            }
            return try FunctionResolver(function, reference, loaded.merged).resolved()
        }
        for interface in [loaded.profile.network.interface] + loaded.profile.network.more {
            for inner in interface.chain {
                _ = try resolve(inner, key: key, within: outer + [reference.name])
            }
        }
        return resolved
    }

    private func load(_ name: String, key: String) throws(ProfileError) -> LoadedProfile {
        do throws(ProfileError) {
            try known(name)
            return try functions.load([name])
        } catch {
            // One without a place is about the name, the others about the function's file.
            let problem = error.place == nil ? error.problem : "the function \(Form.quote(name)): \(error.message)"
            throw ProfileError(key: key, problem: problem, mend: error.place == nil ? error.mend : nil)
        }
    }

    private func known(_ name: String) throws(ProfileError) {
        if ProfileStore.isPath(name) { return }
        let names = Set(try functions.list().map(\.name)).sorted()
        if names.contains(name) { return }
        let near = Suggestion.nearest(to: name, among: names).map { "did you mean \(Form.quote($0))?" }
        throw ProfileError(
            problem: "unknown function \(Form.quote(name))",
            mend: near ?? (names.isEmpty ? nil : "there are \(names.joined(separator: ", "))"))
    }
}
