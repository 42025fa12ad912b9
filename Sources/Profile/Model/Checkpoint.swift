extension Profile {
    /// How boxes are saved.
    public struct Checkpoint: Sendable, Equatable {
        /// Whether a box is made so that it can be saved: see ``Profile/forCheckpoints``.
        public var enabled = false
        /// What becomes of TCP connections, unless a save says otherwise.
        public var tcp = Connections.established
        /// Run in each clone of a snapshot before it counts as started (`sandbox restore --count`).
        public var onClone: [String] = []
        /// Milliseconds between snapshots that are taken while it runs; `nil`: none is.
        public var every: Int?
        /// How many of those are kept, the newest.
        public var keep = 3
        public var compression = Compression.none
        /// Whether memory is copied before a save while the box runs.
        public var preCopy = false

        public init() {}
    }

    /// How snapshots are kept.
    public enum Compression: String, Sendable, CaseIterable { case none, zstd }

    /// What becomes of TCP connections.
    public enum Connections: String, Sendable, CaseIterable {
        /// They go on after the restore.
        case established
        /// They are closed.
        case close
    }

    /// The profile with what `checkpoint.enabled` brings: process ids of the box's own, which are free when it comes back
    /// (pid_namespaces(7)), with a view of the processes that goes with them, and the command as process 1, since sandbox's
    /// own init cannot be saved.
    public var forCheckpoints: Profile {
        guard checkpoint.enabled else { return self }
        var profile = self
        for kind in [NamespaceKind.pid, .mount] where namespaces.join[kind] == nil {
            profile.namespaces.unshare.insert(kind)
        }
        profile.process.initProcess = false
        return profile
    }
}

extension Profile {
    /// What of the profile contradicts `checkpoint.enabled`: a key, what is wrong with it, and the mend.
    public var checkpointProblems: [(key: String, text: String, mend: String)] {
        var problems: [(key: String, text: String, mend: String)] = []
        func add(_ key: String, _ text: String, _ mend: String) { problems.append((key, text, mend)) }
        if checkpoint.every != nil, !checkpoint.enabled {
            add("checkpoint.every", "the box is not made so that it can be saved", "set checkpoint.enabled = true")
        }
        guard checkpoint.enabled else { return problems }
        if filesystem.landlock {
            add("filesystem.landlock", Profile.losesLandlock, "set it to false: the mount namespace keeps the rules")
        }
        if security.landlock != Landlock() {
            add("security.landlock", Profile.losesLandlock, "use namespaces and security.seccomp in its place")
        }
        for kind in NamespaceKind.allCases where namespaces.join[kind] != nil {
            add(
                "namespaces.join.\(kind.rawValue)",
                "a box that can be saved cannot share another's \(kind.rawValue) namespace", "unshare it instead")
        }
        if process.terminal == .pty {
            add("process.terminal", "a box on a terminal of its own cannot be saved", "use \"auto\" or \"none\"")
        }
        if !process.keepDescriptors.isEmpty {
            add(
                "process.keep-descriptors", "what is open from outside the box cannot be saved", "take it out")
        }
        if filesystem.overlay?.size != nil {
            add(
                "filesystem.overlay.size",
                "a box that can be saved keeps its changes in the state directory, without a limit",
                "take it out")
        }
        if !lifecycle.recordsExit {
            add("lifecycle.record-exit", "a box that can be saved has a process that waits for it", "set it to true")
        }
        return problems
    }

    private static var losesLandlock: String {
        "a restored application would be without its Landlock rules, which CRIU drops without a word"
    }
}
