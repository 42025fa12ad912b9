extension ProfileStore {
    /// Profiles for a sandbox that is run by itself. One of them may give parameters, as a chain does:
    /// `NAME:PRESET?parameter=value&…`. Names that are no profile's are looked for among the functions.
    ///
    /// - Throws: as ``load(_:overrides:contradictions:)``; what is wrong with parameters; an inline function.
    public func load(running names: [String], overrides: [Override] = []) throws(ProfileError) -> LoadedProfile {
        var plain: [String] = []
        var given: FunctionReference?
        for name in names {
            guard let reference = try ProfileStore.reference(name) else {
                plain.append(name)
                continue
            }
            if let given {
                throw ProfileError(
                    problem: "\(Form.quote(given.description)) and \(Form.quote(name)) both give parameters",
                    mend: "give them to one of the profiles")
            }
            given = reference
            plain.append(reference.name)
        }
        let store = ProfileStore(
            directories: directories, further: functions.directories, read: read, list: entries)
        let loaded = try store.load(plain, overrides: overrides)
        guard let reference = given ?? plain.last.flatMap({ FunctionReference($0) }) else { return loaded }
        return try loaded.running(reference, gives: given != nil)
    }

    /// - Returns: nil for a name without parameters.
    private static func reference(_ name: String) throws(ProfileError) -> FunctionReference? {
        guard !name.hasSuffix(".toml"), name.contains("?") || (!isPath(name) && name.contains(":")) else { return nil }
        do throws(NotRead) {
            let reference = try FunctionReference(reading: name)
            if reference.instance == nil { return reference }
            throw NotRead("names an instance, which only a chain shares", "take \"@…\" out; -n names the sandbox")
        } catch {
            throw ProfileError(problem: "\(Form.quote(name)) \(error.problem)", mend: error.mend)
        }
    }
}

extension LoadedProfile {
    /// The profile of an ordinary sandbox: parameters filled in, and no function any more.
    fileprivate func running(_ reference: FunctionReference, gives: Bool) throws(ProfileError) -> LoadedProfile {
        guard let function = profile.function else {
            guard gives else { return self }
            throw ProfileError(
                problem: "\(Form.quote(reference.name)) takes no parameters: its profile has no section [function]",
                mend: "name the profile alone")
        }
        if function.placement == .inline {
            throw ProfileError(
                place: place(of: DocumentPath(keys: ["function", "placement"])), key: "function.placement",
                problem: "an inline function is no sandbox: it has no process",
                mend: "put \(Form.quote(reference.description)) into a chain with --chain")
        }
        let resolver: FunctionResolver
        do throws(NotRead) { resolver = try FunctionResolver(function, reference) } catch {
            throw ProfileError(problem: "\(Form.quote(reference.description)) \(error.problem)", mend: error.mend)
        }
        guard case .table(let entries, let origin) = root else { return self }
        var filled = Node.table(entries.filter { $0.key != "function" }, origin)
        for path in FunctionResolver.boxPaths {
            filled = try fill(filled, path[...], DocumentPath(), resolver)
        }
        return try LoadedProfile(layers, filled, idleRemovals)
    }

    /// The same with the texts below a path of keys filled in.
    private func fill(
        _ node: Node, _ keys: ArraySlice<String>, _ path: DocumentPath, _ resolver: FunctionResolver
    ) throws(ProfileError) -> Node {
        func filled(_ value: Value, _ path: DocumentPath) throws(ProfileError) -> Value {
            do throws(NotRead) {
                return try value.mapTexts { text throws(NotRead) in try resolver.texts(text) }
            } catch {
                throw ProfileError(place: place(of: path), key: path.text, problem: error.problem, mend: error.mend)
            }
        }
        switch node {
        case .leaf(let value, let origin): return .leaf(try filled(value, path), origin)
        case .list(var items, let origin):
            for index in items.indices { items[index].value = try filled(items[index].value, path.appending(index)) }
            return .list(items, origin)
        case .table(var entries, let origin):
            for index in entries.indices where keys.first.map({ $0 == entries[index].key }) ?? true {
                let key = entries[index].key
                entries[index].node = try fill(entries[index].node, keys.dropFirst(), path.appending(key), resolver)
            }
            return .table(entries, origin)
        }
    }
}
