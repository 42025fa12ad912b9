/// Reads a merged document, which the schema has accepted, into the model.
struct ProfileReader {
    let document: Value
    /// The file that a path's value came from.
    let source: (DocumentPath) -> SourceReference?
    private var profileRead = Profile()

    init(_ document: Value, source: @escaping (DocumentPath) -> SourceReference?) {
        self.document = document
        self.source = source
    }

    mutating func profile() throws(ProfileError) -> Profile {
        profileRead.description = try text(document["description"], "description")
        if let section = document["namespaces"] { profileRead.namespaces = try namespaces(section) }
        if let section = document["process"] { profileRead.process = try process(section) }
        if let section = document["limits"] { profileRead.limits = try limits(section) }
        if let section = document["filesystem"] { profileRead.filesystem = try filesystem(section) }
        if let section = document["security"] { profileRead.security = try security(section) }
        if let section = document["resources"] { profileRead.resources = try resources(section) }
        if let section = document["network"] { profileRead.network = try network(section) }
        if let section = document["lifecycle"] { profileRead.lifecycle = try lifecycle(section) }
        if let section = document["checkpoint"] { profileRead.checkpoint = try checkpoint(section) }
        if let section = document["display"] { profileRead.display = try display(section) }
        if let section = document["dbus"] { profileRead.dbus = try dbus(section) }
        if let section = document["function"] { profileRead.function = try function(section) }
        return profileRead
    }

    private func namespaces(_ section: Value) throws(ProfileError) -> Profile.Namespaces {
        var namespaces = Profile.Namespaces()
        namespaces.unshare = NamespaceSet(try words(section["unshare"], "namespaces.unshare") ?? [])
        for entry in try entries(section["join"], "namespaces.join") {
            guard let kind = NamespaceKind(rawValue: entry.key),
                let target = try text(entry.value, "namespaces.join")
            else { throw notRead("namespaces.join") }
            namespaces.join[kind] =
                target.hasPrefix("/") ? .path(target) : .sandbox(String(target.dropFirst("sandbox:".utf8.count)))
        }
        namespaces.monotonicOffset = try integer(section["time-offset"]?["monotonic"], "namespaces.time-offset")
        namespaces.boottimeOffset = try integer(section["time-offset"]?["boottime"], "namespaces.time-offset")
        return namespaces
    }

    private func limits(_ section: Value) throws(ProfileError) -> Named<Profile.Limit> {
        var limits: Named<Profile.Limit> = [:]
        for entry in try entries(section, "limits") { limits[entry.key] = try limit(entry.value, "limits") }
        return limits
    }

    private func resources(_ section: Value) throws(ProfileError) -> Profile.Resources {
        var resources = Profile.Resources()
        resources.memory = try size(section["memory"], "resources.memory")
        resources.memoryHigh = try size(section["memory-high"], "resources.memory-high")
        resources.memorySwap = try size(section["memory-swap"], "resources.memory-swap")
        switch section["cpu"] {
        case .integer(let number): resources.cpu = Double(number)
        case .double(let number): resources.cpu = number
        case nil: break
        default: throw notRead("resources.cpu")
        }
        resources.cpuWeight = try integer(section["cpu-weight"], "resources.cpu-weight")
        resources.pids = try integer(section["pids"], "resources.pids")
        resources.cpuset = try text(section["cpuset"], "resources.cpuset")
        resources.ioWeight = try integer(section["io-weight"], "resources.io-weight")
        return resources
    }
}
