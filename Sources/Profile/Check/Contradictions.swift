extension LoadedProfile {
    /// Keys that cannot hold together: each an error.
    public func contradictions() -> [Finding] {
        var rules = Rules(self)
        rules.checkNamespaces()
        rules.checkMounts()
        rules.checkProcess()
        rules.checkCapabilities()
        rules.checkSeccomp()
        rules.checkLifecycle()
        rules.checkCheckpoint()
        rules.checkDisplay()
        rules.checkFunction()
        return rules.findings
    }
}

extension Rules {
    /// A key that needs a namespace of the box's own.
    private mutating func need(_ kind: NamespaceKind, _ key: String) {
        error(
            key, "needs a \(kind.rawValue) namespace of the box's own",
            mend: "add \"\(kind.rawValue)\" to namespaces.unshare or take this out")
    }

    mutating func checkNamespaces() {
        for kind in NamespaceKind.allCases where isUnshared(kind) && profile.namespaces.join[kind] != nil {
            error(
                "namespaces.join.\(kind.rawValue)", "the \(kind.rawValue) namespace is unshared too",
                mend: "either unshare it or join one")
        }
        if !isUnshared(.time) {
            if profile.namespaces.monotonicOffset != nil { need(.time, "namespaces.time-offset.monotonic") }
            if profile.namespaces.boottimeOffset != nil { need(.time, "namespaces.time-offset.boottime") }
        }
        if !isUnshared(.uts) {
            if profile.process.hostname != nil { need(.uts, "process.hostname") }
            if profile.process.domainname != nil { need(.uts, "process.domainname") }
        }
        if !isUnshared(.user) {
            if profile.security.uidMap != .own { need(.user, "security.uid-map") }
            if let map = profile.security.gidMap, map != .own { need(.user, "security.gid-map") }
        }
        checkMap("security.uid-map", profile.security.uidMap)
        checkMap("security.gid-map", profile.security.gidMap ?? .own)
        for problem in profile.network.problems(hasNamespace: isUnshared(.net)) {
            error(problem.key, problem.text, mend: problem.mend)
        }
    }

    private mutating func checkMap(_ key: String, _ map: Profile.IDMapping) {
        if map == .explicit([]) { error(key, "maps no id", mend: "write a triple, \"self\" or \"auto\"") }
    }

    mutating func checkMounts() {
        let filesystem = profile.filesystem
        if !isUnshared(.mount) {
            var keys = ["overlay", "private", "tmpfs", "bind", "files", "symlinks", "masked-paths", "readonly-paths"]
            if let root = filesystem.root, WrittenPath.plain(root) != "/" { keys.append("root") }
            // Landlock can express these without a mount.
            if !filesystem.landlock { keys += ["read-only", "writable", "hide"] }
            for key in keys where isFilled(loaded.merged["filesystem"]?[key]) { need(.mount, "filesystem.\(key)") }
            if filesystem.proc == .fresh || filesystem.proc == .none { need(.mount, "filesystem.proc") }
        }
        if filesystem.proc == .fresh, !isUnshared(.pid), profile.namespaces.join[.pid] == nil {
            need(.pid, "filesystem.proc")
        }
        for (index, path) in filesystem.writable.enumerated() {
            guard let other = filesystem.readOnly.first(where: { WrittenPath.plain($0) == WrittenPath.plain(path) })
            else { continue }
            error(
                "filesystem.writable[\(index)]", "\(Form.quote(other)) is in filesystem.read-only too",
                mend: "keep one of them")
        }
        for (index, bind) in filesystem.binds.enumerated() where bind.options.idmap && !isUnshared(.user) {
            error(
                "filesystem.bind[\(index)].options", "\"idmap\" needs a user namespace of the box's own",
                mend: "add \"user\" to namespaces.unshare or take this out")
        }
    }

    private func isFilled(_ value: Value?) -> Bool {
        switch value {
        case nil, .array([]): false
        default: true
        }
    }

    mutating func checkProcess() {
        let process = profile.process
        if !process.initProcess, !isUnshared(.pid) { need(.pid, "process.init") }
        if process.terminal == .inherit, profile.security.terminalInjection == .deny {
            error(
                "process.terminal", "\"inherit\" contradicts security.terminal-injection = \"deny\"",
                mend: "use \"auto\", which guards the terminal")
        }
        if let core = profile.limits["core"], let other = process.coreLimit, core != other {
            error("process.core-limit", "limits.core says otherwise", mend: "keep one of them")
        }
        for name in process.environment.unset where process.environment.set[name] != nil {
            error(
                DocumentPath(keys: ["process", "environment", "set", name]).text,
                "process.environment.unset takes it out", mend: "keep one of them")
        }
    }

    mutating func checkCapabilities() {
        let sets = profile.security.capabilities
        let ambient = "security.capabilities.ambient"
        checkSubset(sets.ambient, ambient, of: sets.keep, "keep")
        checkSubset(sets.ambient, ambient, of: sets.permitted, "permitted")
        checkSubset(sets.ambient, ambient, of: sets.inheritable, "inheritable")
        checkSubset(sets.effective ?? [], "security.capabilities.effective", of: sets.permitted, "permitted")
    }

    private mutating func checkSubset(_ names: [String], _ key: String, of others: [String]?, _ other: String) {
        guard let others, !others.contains("ALL") else { return }
        for (index, name) in names.enumerated() where !others.contains(name) {
            error(
                "\(key)[\(index)]", "\(Form.quote(name)) is not in security.capabilities.\(other)",
                mend: "add it there or take it out here")
        }
    }

    mutating func checkLifecycle() {
        let lifecycle = profile.lifecycle
        if !lifecycle.recordsExit, lifecycle.restart != .no {
            error(
                "lifecycle.record-exit", "lifecycle.restart needs to know how the command ended",
                mend: "take one of them out")
        }
    }

    mutating func checkCheckpoint() {
        for problem in profile.checkpointProblems { error(problem.key, problem.text, mend: problem.mend) }
        if profile.checkpoint.enabled, isSet("process.init"), profile.process.initProcess {
            error(
                "process.init", "sandbox's own init cannot be saved, and checkpoint.enabled asks for that",
                mend: "take one of them out")
        }
    }

    mutating func checkDisplay() {
        for problem in profile.displayProblems(unsharing: unshared) {
            error(problem.key, problem.text, mend: problem.mend)
        }
        for problem in profile.busProblems(unsharing: unshared) {
            error(problem.key, problem.text, mend: problem.mend)
        }
    }

    mutating func checkSeccomp() {
        guard let seccomp = profile.security.seccomp else { return }
        let key = "security.seccomp"
        for (index, name) in seccomp.deny.enumerated() where seccomp.allow.contains(name) {
            error("\(key).deny[\(index)]", "\(Form.quote(name)) is in \(key).allow too", mend: "keep one of them")
        }
        if seccomp.default == .deny, seccomp.allow.isEmpty, !seccomp.rules.contains(where: { $0.action == .allow }) {
            error("\(key).default", "denies every call, and nothing is allowed", mend: "fill \(key).allow")
        }
        if seccomp.action == .allow {
            error("\(key).action", "\"allow\" denies nothing", mend: "use an errno name, \"kill\", \"log\" or \"trap\"")
        }
    }
}
