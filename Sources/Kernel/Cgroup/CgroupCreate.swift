import CLinux
import Glibc

extension Cgroup {
    /// Makes the calling launcher's group for one application, with every limit applied or an error and nothing left.
    ///
    /// With `tracks` it has a leaf in every hierarchy that serves ``usage()``, ``freeze()`` or a later ``update(_:)``,
    /// as far as the caller may make one; `nil` when it may not and no limit asks for any. `isRealtime` tells that the
    /// application will run under a real-time policy, which version 1's cpu controller refuses to its groups.
    ///
    /// The leaf is `sandbox/NAME-PID-START`, after the launcher, so that `sweep` knows whose it is, and `@-PID-START`
    /// without a name; what dead launchers left of the latter kind is swept. It lies below
    /// - where systemd runs: a transient scope that systemd is asked for, with the calling process in it
    ///   (systemd's CGROUP_DELEGATION document);
    /// - as root elsewhere: the topmost group;
    /// - as a user elsewhere: the process's own group, which must have been delegated to the user.
    ///
    /// The calling process may come to stand in another group, below its own or in the scope: call it in the launcher
    /// only. The scope goes when its last process ends.
    public static func create(
        name: String?, limits: CgroupLimits, tracks: Bool, isRealtime: Bool = false
    ) throws(SystemError) -> Cgroup? {
        do throws(SystemError) {
            // Before systemd is asked: a wrong value must not leave a scope.
            try limits.check()
            if let name { try checkName(name) }
            let trackers = tracks ? CgroupPlan.trackers.filter { !isRealtime || $0 != "cpu" } : []
            var place: Place
            do throws(SystemError) {
                place = try Place(name, limits, trackers)
            } catch {
                if tracks, limits.isEmpty { return nil }
                throw error
            }
            let group = try place.execution.run(place.plan)
            return group.groups.isEmpty ? nil : group
        } catch {
            var error = error
            let keys = limits.demands.flatMap(\.keys)
            if !keys.isEmpty, !error.action.hasPrefix("resources.") {
                error.action = keys.joined(separator: ", ") + ": " + error.action
            }
            throw error
        }
    }
}

/// Where the group of one application is to be made, and how.
private struct Place {
    var plan: CgroupPlan
    var execution: CgroupExecution

    init(_ name: String?, _ limits: CgroupLimits, _ trackers: [String]) throws(SystemError) {
        guard let owner = try ProcessIdentity(pid: getpid()) else {
            throw SystemError("read /proc/self/stat", code: ENOENT, mend: "mount proc on /proc")
        }
        var layout = try CgroupLayout.current()
        let site = try CgroupSite.choose(layout, limits, trackers)
        if site == .scope {
            try SystemdScope(name: name ?? "run", owner: owner, isUser: !isRealRoot()).start()
            layout = try CgroupLayout.current()
        } else if name == nil {
            // systemd clears its scopes away by itself, and this one is new.
            try Cgroup.sweepUnnamed(layout, fromTop: site == .top)
        }
        let delegated = site == .top ? nil : layout.unified?.own
        try layout.narrow(to: delegated)
        plan = try CgroupPlan(
            leaf: (name ?? "@") + owner.suffix, limits: limits, trackers: trackers, layout: layout, delegated: delegated
        ) {
            site == .top || (site == .scope && $0.version == .v1) ? $0.mountPoint : $0.own
        }
        execution = CgroupExecution(own: layout.unified?.own)
    }
}

/// Below which group ours are made.
enum CgroupSite: Equatable {
    case top, own, scope

    static func choose(
        _ layout: CgroupLayout, _ limits: CgroupLimits, _ trackers: [String]
    ) throws(SystemError) -> CgroupSite {
        let elsewhere: CgroupSite = try isRealRoot() ? .top : .own
        guard layout.isUnifiedUsed(by: limits, trackers), try SystemdScope.isSystemdRunning() else { return elsewhere }
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
    func isUnifiedUsed(by limits: CgroupLimits, _ trackers: [String]) -> Bool {
        guard let index = hierarchies.firstIndex(where: \.isV2) else { return false }
        let demands = limits.demands
        if demands.contains(where: { hierarchies[index].controllers.contains($0.controller) }) { return true }
        return trackers.isEmpty ? demands.isEmpty : tracking(trackers).contains { $0.index == index }
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
