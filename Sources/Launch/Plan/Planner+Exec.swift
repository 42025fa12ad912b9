public import Profile

extension Planner {
    /// The plan for a further command in a running box that `profile` made: as confined as the box's own.
    ///
    /// The host's environment, home and directory are to be those that the box was launched with; `term` is the
    /// caller's TERM.
    public func exec(
        _ profile: Profile, in entry: EntryPlan, command: [String], _ options: ExecOptions, term: String? = nil
    ) throws(LaunchError) -> LaunchPlan {
        let profile = profile.forCheckpoints
        var plan = LaunchPlan(command: try checked(command))
        plan.entry = entry
        plan.entry?.namesAccount = profile.process.user != nil
        plan.process = process(profile, entry.box, options)
        plan.limits = profile.limits
        if let core = profile.process.coreLimit { plan.limits["core"] = core }
        plan.security = profile.security
        plan.isCheckpointable = profile.checkpoint.enabled
        plan.hidesNoFrames = try mayHideFrames(profile)
        plan.namespaces.uidMap = entry.box.uidMap
        plan.namespaces.gidMap = entry.box.gidMap
        if profile.filesystem.landlock {
            plan.filesystem.landlock =
                try FilesystemPlanner(
                    host: host, filesystem: profile.filesystem, unshare: profile.namespaces.unshare,
                    display: profile.display, dbus: profile.buses
                ).plan().landlock
        }
        if options.terminal, let term, options.environment["TERM"] == nil {
            plan.process.environment.set["TERM"] = term
        }
        plan.environment = try environment(plan.process.environment, profile)
        plan.workingDirectory = try (options.workingDirectory ?? profile.process.workingDirectory).map {
            path throws(LaunchError) in try PathExpansion(host: host).expand(path, key: "process.working-directory")
        }
        terminal(profile, options, &plan)
        try checkIdentity(profile, entry.box)
        try matchFilters(&plan)
        return plan
    }

    private func process(_ profile: Profile, _ box: BoxFacts, _ options: ExecOptions) -> Profile.Process {
        var process = profile.process
        process.user = options.user
        process.group = options.group
        process.groups = nil
        process.noNewPrivileges = process.noNewPrivileges || box.noNewPrivileges
        process.umask = process.umask ?? box.umask
        process.keepDescriptors = []
        (process.hostname, process.domainname) = (nil, nil)
        for (name, value) in options.environment.entries { process.environment.set[name] = value }
        return process
    }

    private func terminal(_ profile: Profile, _ options: ExecOptions, _ plan: inout LaunchPlan) {
        if options.terminal {
            plan.supervision = .waiter(initProcess: true, pseudoTerminal: true)
        } else if plan.entry?.box.namespaces.contains(.pid) == true {
            plan.supervision = .waiter(initProcess: false, pseudoTerminal: false)
        }
        plan.leavesTerminal = !options.terminal && profile.process.terminal == .none
        plan.guardsTerminal =
            host.hasTerminal && !options.terminal && profile.security.terminalInjection != .allow
    }

    /// Whether the process can be what the record says (CVE-2022-31214): a box of the caller's, with what its profile
    /// gave it.
    private func checkIdentity(_ profile: Profile, _ box: BoxFacts) throws(LaunchError) {
        let missing = profile.namespaces.unshare.subtracting(box.namespaces).sorted()
        if let kind = missing.first {
            throw LaunchError(
                "the sandbox's process has no \(kind.rawValue) namespace of its own, as its record says",
                mend: "a command in a box cannot enter that box again; else the record is not to be trusted")
        }
        let joinsUser = profile.namespaces.join[.user] != nil
        guard box.owner == host.uid || joinsUser || (host.privileged && !box.namespaces.contains(.user)) else {
            throw LaunchError(
                "the sandbox's process belongs to user \(box.owner)", mend: "only who launched it may enter")
        }
        if host.privileged { return }
        if let group = box.callerGroups.first(where: { !box.groups.contains($0) }) {
            throw LaunchError(
                "you are in group \(group) and the sandbox's command is not",
                mend: "launch it anew to give it your groups")
        }
    }

    /// At least as many filters as the box's own command has.
    private func matchFilters(_ plan: inout LaunchPlan) throws(LaunchError) {
        guard let box = plan.entry?.box else { return }
        func count() throws(LaunchError) -> Int { try SystemCallFilter(plan).filter() == nil ? 0 : 1 }
        let guardsTerminal = plan.guardsTerminal
        plan.guardsTerminal = false
        let own = try count()
        plan.guardsTerminal = guardsTerminal
        if box.filters < own {
            throw LaunchError("the sandbox's command is not under the system call filter of its profile")
        }
        let expected = box.inheritedFilters.map { $0 + own } ?? box.filters
        // A command launched on a terminal has a filter that guards it, if no other.
        if box.callerFilters + (try count()) < box.filters { plan.guardsTerminal = true }
        if box.callerFilters + (try count()) < expected {
            throw LaunchError(
                "the sandbox's command is under \(expected) system call filters, and another would be under fewer",
                mend: "call it from where the sandbox was launched")
        }
    }
}
