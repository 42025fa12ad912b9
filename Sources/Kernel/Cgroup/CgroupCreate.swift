import CLinux
import Glibc

extension Cgroup {
    /// Makes the calling launcher's group for one application, with every limit applied or an error and nothing left.
    /// What dead launchers left is swept.
    ///
    /// Its leaf is `sandbox/NAME-PID-START`, after the launcher, so that `sweep` knows whose it is. It lies below
    /// - where systemd runs: a transient scope that systemd is asked for, with the calling process in it
    ///   (systemd's CGROUP_DELEGATION document);
    /// - as root elsewhere: the topmost group;
    /// - as a user elsewhere: the process's own group, which must have been delegated to the user.
    ///
    /// The calling process may come to stand in another group, below its own or in the scope: call it in the launcher
    /// only. The scope goes when its last process ends.
    public static func create(name: String = "run", limits: CgroupLimits) throws(SystemError) -> Cgroup {
        do throws(SystemError) {
            return try make(name, limits)
        } catch {
            var error = error
            let keys = limits.demands.flatMap(\.keys)
            if !keys.isEmpty, !error.action.hasPrefix("resources.") {
                error.action = keys.joined(separator: ", ") + ": " + error.action
            }
            throw error
        }
    }

    private static func make(_ name: String, _ limits: CgroupLimits) throws(SystemError) -> Cgroup {
        guard let owner = try ProcessIdentity(pid: getpid()) else {
            throw SystemError("read /proc/self/stat", code: ENOENT, mend: "mount proc on /proc")
        }
        var layout = try CgroupLayout.current()
        let site = try CgroupSite.choose(layout, limits)
        // Before systemd is asked: a wrong value must not leave a scope.
        try limits.check()
        try checkName(name)
        if site == .scope {
            try SystemdScope(name: name, owner: owner, isUser: !isRealRoot()).start()
            layout = try CgroupLayout.current()
        }
        // systemd clears its scopes away by itself, and this one is new.
        if site != .scope { try sweep(layout, fromTop: site == .top) }
        let delegated = site == .top ? nil : layout.unified?.own
        try layout.narrow(to: delegated)
        let plan = try CgroupPlan(name: name + owner.suffix, limits: limits, layout: layout, delegated: delegated) {
            site == .top || (site == .scope && $0.version == .v1) ? $0.mountPoint : $0.own
        }
        for _ in 0..<16 {
            var execution = CgroupExecution(own: layout.unified?.own)
            if let group = try execution.run(plan) { return group }
        }
        throw SystemError("make control group \(plan.groups.first?.path ?? name)", code: EAGAIN)
    }
}

/// Below which group ours are made.
enum CgroupSite: Equatable {
    case top, own, scope

    static func choose(_ layout: CgroupLayout, _ limits: CgroupLimits) throws(SystemError) -> CgroupSite {
        let elsewhere: CgroupSite = try isRealRoot() ? .top : .own
        guard layout.isUnifiedUsed(by: limits), try SystemdScope.isSystemdRunning() else { return elsewhere }
        if elsewhere == .top || SystemdScope.userBus() != nil { return .scope }
        // No manager of the user's own, but its group may be delegated all the same.
        guard let own = layout.unified?.own, access(own + "/cgroup.procs", W_OK) == 0 else {
            throw SystemError(
                "reach the user's systemd", code: ENOENT,
                mend: "log in (XDG_RUNTIME_DIR unset, or no bus in it), or: loginctl enable-linger")
        }
        return .own
    }
}

extension CgroupLayout {
    /// Whether a version 2 group takes part.
    func isUnifiedUsed(by limits: CgroupLimits) -> Bool {
        guard let unified else { return false }
        let demands = limits.demands
        return demands.isEmpty || demands.contains { unified.controllers.contains($0.controller) }
    }

    /// Leaves of version 2's controllers those that the delegated group has.
    mutating func narrow(to group: String?) throws(SystemError) {
        guard let group, let index = hierarchies.firstIndex(where: \.isV2) else { return }
        hierarchies[index].controllers = controlWords(try readText(group + "/cgroup.controllers"))
    }
}

/// Root of the machine, not of a user namespace.
func isRealRoot() throws(SystemError) -> Bool {
    guard geteuid() == 0 else { return false }
    return controlWords(try readText("/proc/self/uid_map")) == ["0", "0", "4294967295"]
}
