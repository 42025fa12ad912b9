public import Profile

/// Decides a launch: profile and host in, plan out, nothing changed.
public struct Planner: Sendable {
    let host: HostFacts

    public init(host: HostFacts) { self.host = host }

    /// The plan for `profile`, running `command` or, when that is empty, the profile's own.
    public func plan(
        _ profile: Profile, command: [String], name: String? = nil, isDetached: Bool = false
    ) throws(LaunchError) -> LaunchPlan {
        if let problem = profile.checkpointProblems.first {
            throw LaunchError(key: problem.key, problem.text, mend: problem.mend)
        }
        let profile = profile.forCheckpoints
        var plan = LaunchPlan(command: try checked(command.isEmpty ? profile.process.command : command))
        plan.name = name
        plan.isCheckpointable = profile.checkpoint.enabled
        plan.savedConnections = profile.checkpoint.tcp
        plan.process = profile.process
        plan.limits = profile.limits
        if let core = profile.process.coreLimit { plan.limits["core"] = core }
        plan.security = profile.security
        plan.resources = profile.resources
        plan.namespaces = try namespaces(profile)
        let unshare = plan.namespaces.unshare
        plan.interfaces = try interfaces(profile.network)
        plan.hidesNoFrames = try hidesNoFrames(profile)
        let resolver = ResolverPlanner(host: host, network: profile.network, unshare: unshare)
        // In a user namespace of its own they are locked, and a box with one cannot be saved.
        let dropsNamespaceFiles =
            profile.checkpoint.enabled && unshare.contains(.mount) && !unshare.contains(.user)
        plan.filesystem = try FilesystemPlanner(
            host: host, filesystem: profile.filesystem, unshare: unshare,
            dropsNamespaceFiles: dropsNamespaceFiles,
            network: try resolver.steps() + tapSteps(plan.interfaces, profile.filesystem, unshare),
            display: profile.display, dbus: profile.buses
        ).plan()
        plan.filesystem.overlay?.hasHandles = profile.checkpoint.enabled
        plan.filesystem.dropsNamespaceFiles = dropsNamespaceFiles
        plan.display = DisplayPlan(profile.display, isSavable: profile.checkpoint.enabled)
        plan.hostDisplay = try hostDisplay(profile.display)
        plan.requiresSecurityContext = profile.display.securityContext == .required
        plan.bus = try bus(profile, plan.namespaces)
        plan.environment = try environment(profile.process.environment, profile)
        plan.workingDirectory = try profile.process.workingDirectory.map { path throws(LaunchError) in
            try PathExpansion(host: host).expand(path, key: "process.working-directory")
        }
        terminal(profile, &plan)
        if isDetached { try detach(profile, &plan) }
        try Requirements(profile, plan.namespaces.unshare).check()
        return plan
    }

    func checked(_ command: [String]) throws(LaunchError) -> [String] {
        guard let program = command.first, !program.isEmpty else {
            throw LaunchError("no command to run", mend: "give one, or set process.command in a profile")
        }
        if let bad = command.first(where: { $0.utf8.contains(0) }) {
            throw LaunchError(key: "process.command", "\"\(bad)\" holds a NUL byte")
        }
        return command
    }

    private func namespaces(_ profile: Profile) throws(LaunchError) -> NamespacePlan {
        var plan = NamespacePlan()
        plan.unshare = profile.namespaces.unshare
        for (kind, target) in profile.namespaces.join.sorted(by: { $0.key < $1.key }) {
            plan.join.append(.init(kind: kind, path: try path(of: target, kind)))
        }
        let joinsUser = plan.join.contains { $0.kind == .user }
        if !host.privileged, !joinsUser, !plan.unshare.isEmpty, !plan.unshare.contains(.user) {
            plan.unshare.insert(.user)
            plan.impliesUser = true
        }
        plan.monotonicOffset = profile.namespaces.monotonicOffset
        plan.boottimeOffset = profile.namespaces.boottimeOffset
        if plan.unshare.contains(.user) { try mapIDs(profile.security, &plan) }
        return plan
    }

    private func path(of target: Profile.JoinTarget, _ kind: NamespaceKind) throws(LaunchError) -> String {
        let key = "namespaces.join.\(kind.rawValue)"
        switch target {
        case .path(let path): return try PathExpansion(host: host).expand(path, key: key)
        case .sandbox(let name):
            guard let directory = try host.namespaceDirectory(name) else {
                throw LaunchError(key: key, "no sandbox \"\(name)\" is running")
            }
            return "\(directory)/\(kind.entry)"
        }
    }

    private func mapIDs(_ security: Profile.Security, _ plan: inout NamespacePlan) throws(LaunchError) {
        plan.uidMap = try ranges(security.uidMap, uid: true)
        plan.gidMap = try ranges(security.gidMap ?? security.uidMap, uid: false)
        let single =
            plan.uidMap.count == 1 && plan.uidMap[0].count == 1 && plan.uidMap[0].outside == host.uid
            && plan.gidMap.count == 1 && plan.gidMap[0].count == 1 && plan.gidMap[0].outside == host.gid
        plan.mapWriter = single ? .own : host.privileged ? .privileged : .setuidHelpers
    }

    private func ranges(_ mapping: Profile.IDMapping, uid: Bool) throws(LaunchError) -> [Profile.IDRange] {
        let own = uid ? host.uid : host.gid
        switch mapping {
        case .own: return [.init(inside: own, outside: own, count: 1)]
        case .explicit(let ranges): return ranges
        case .auto:
            guard let range = host.subordinateIDs(uid).first else {
                let file = uid ? "/etc/subuid" : "/etc/subgid"
                throw LaunchError(
                    key: "security.\(uid ? "uid" : "gid")-map", "\(file) gives you no range",
                    mend: "add a line such as \"NAME:100000:65536\" there (usermod --add-sub\(uid ? "uid" : "gid")s)")
            }
            if host.privileged { return [.init(inside: 0, outside: range.outside, count: range.count)] }
            return [
                .init(inside: 0, outside: own, count: 1),
                .init(inside: 1, outside: range.outside, count: range.count),
            ]
        }
    }

    func environment(_ wanted: Profile.Environment) -> [String] {
        if !wanted.clear, wanted.set.entries.isEmpty, wanted.unset.isEmpty { return host.environment }
        var kept = host.environment.filter { entry in
            let name = environmentName(entry)
            if wanted.set[String(name)] != nil || matches(name, wanted.unset) { return false }
            return !wanted.clear || matches(name, wanted.keep)
        }
        for (name, value) in wanted.set.entries { kept.append("\(name)=\(value)") }
        return kept
    }

    private func matches(_ name: Substring, _ patterns: [String]) -> Bool {
        patterns.contains { $0.hasSuffix("*") ? name.hasPrefix($0.dropLast()) : name == $0 }
    }

    /// A box of its own session, whose launcher returns.
    private func detach(_ profile: Profile, _ plan: inout LaunchPlan) throws(LaunchError) {
        if profile.process.dieWithParent {
            throw LaunchError(
                key: "process.die-with-parent", "a detached sandbox outlives its starter", mend: "set it to false")
        }
        if profile.process.terminal == .inherit {
            throw LaunchError(
                key: "process.terminal", "a detached sandbox cannot keep the caller's terminal",
                mend: "use \"pty\", to attach to it later, or \"none\"")
        }
        if !profile.process.keepDescriptors.isEmpty, profile.lifecycle.restart != .no {
            throw LaunchError(
                key: "process.keep-descriptors", "a sandbox that begins anew has no caller to inherit them from",
                mend: "set lifecycle.restart = \"no\"")
        }
        (plan.guardsTerminal, plan.leavesTerminal) = (false, false)
        if plan.supervision == .none { plan.supervision = .waiter(initProcess: false, pseudoTerminal: false) }
        var hasInit = false
        if case .waiter(initProcess: true, _) = plan.supervision { hasInit = true }
        let lifecycle = profile.lifecycle
        let needsWaiter = !hasInit && (lifecycle.recordsExit || lifecycle.logSize != nil)
        plan.logSize = lifecycle.logSize
        plan.saveInterval = profile.checkpoint.every
        plan.isCopiedBefore = profile.checkpoint.preCopy
        // Somebody has to be there for the process between the box and a bus, and for a compositor to see the end.
        let staysFor = lifecycle.restart != .no || plan.bus != nil || plan.isAtCompositor
        plan.detachment = needsWaiter || staysFor ? .waiter : .alone
    }

    private func terminal(_ profile: Profile, _ plan: inout LaunchPlan) {
        let pseudoTerminal = profile.process.terminal == .pty
        let newPID = plan.namespaces.unshare.contains(.pid)
        let joinsPID = plan.namespaces.join.contains { $0.kind == .pid }
        if newPID || joinsPID || pseudoTerminal {
            let initProcess = pseudoTerminal || (newPID && profile.process.initProcess)
            plan.supervision = .waiter(initProcess: initProcess, pseudoTerminal: pseudoTerminal)
        }
        if plan.isAtCompositor, plan.supervision == .none {
            plan.supervision = .waiter(initProcess: false, pseudoTerminal: false)
        }
        plan.leavesTerminal = profile.process.terminal == .none
        let shares = host.hasTerminal && !pseudoTerminal
        plan.guardsTerminal = shares && profile.security.terminalInjection != .allow
    }
}
