import Profile

/// Keys that need a namespace of the box's own: without it they would change the host, or protect nothing.
struct Requirements {
    private let profile: Profile
    private let unshare: NamespaceSet

    init(_ profile: Profile, _ unshare: NamespaceSet) {
        self.profile = profile
        self.unshare = unshare
    }

    func check() throws(LaunchError) {
        let (process, namespaces, security) = (profile.process, profile.namespaces, profile.security)
        if process.hostname != nil { try need(.uts, "process.hostname") }
        if process.domainname != nil { try need(.uts, "process.domainname") }
        if namespaces.monotonicOffset != nil { try need(.time, "namespaces.time-offset.monotonic") }
        if namespaces.boottimeOffset != nil { try need(.time, "namespaces.time-offset.boottime") }
        if let problem = profile.displayProblems(unsharing: unshare).first {
            throw LaunchError(key: problem.key, problem.text, mend: problem.mend)
        }
        if let problem = profile.busProblems(unsharing: unshare).first {
            throw LaunchError(key: problem.key, problem.text, mend: problem.mend)
        }
        try check(security.uidMap, "security.uid-map")
        try check(security.gidMap ?? .own, "security.gid-map")
        for (index, bind) in profile.filesystem.binds.enumerated() where bind.options.idmap {
            try need(.user, "filesystem.bind[\(index)].options")
        }
        if let problem = profile.network.problems(hasNamespace: unshare.contains(.net)).first {
            throw LaunchError(key: problem.key, problem.text, mend: problem.mend)
        }
    }

    private func check(_ map: Profile.IDMapping, _ key: String) throws(LaunchError) {
        if map == .own { return }
        if map == .explicit([]) {
            throw LaunchError(key: key, "maps no id", mend: "write a triple, \"self\" or \"auto\"")
        }
        try need(.user, key)
    }

    private func need(_ kind: NamespaceKind, _ key: String) throws(LaunchError) {
        if unshare.contains(kind) { return }
        throw LaunchError(
            key: key, "needs a \(kind.rawValue) namespace of the box's own",
            mend: "add \"\(kind.rawValue)\" to namespaces.unshare or take this out")
    }
}
