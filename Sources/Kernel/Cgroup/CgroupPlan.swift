import Glibc

/// One thing to do to make a group; executed in order, undone in reverse.
enum CgroupStep: Equatable {
    /// Makes a directory, unless `shared` and there.
    case make(String, shared: Bool)
    /// Lets the children of a version 2 group use the controllers (cgroup.subtree_control).
    case enable([String], group: String, keys: [String])
    /// The same as far as it goes.
    case offer([String], group: String)
    /// Gives a version 1 group its parent's CPUs and memory nodes when it has none yet.
    case inherit(file: String, from: String, to: String)
    case set(CgroupSetting, group: String)
}

/// The directories to make and the files to write for one group with limits.
struct CgroupPlan: Equatable {
    /// What makes the leaf in one hierarchy.
    struct Leaf: Equatable {
        var group: Cgroup.Group
        var steps: [CgroupStep] = []
        /// No limit needs it: where it cannot be made, the application goes without.
        var isOptional = false
    }

    /// For every hierarchy that takes part, version 2 first.
    var leaves: [Leaf] = []

    /// The controllers, in both versions' names, by which a sandbox is watched, frozen and limited later.
    static let trackers = ["cpuset", "cpu", "cpuacct", "io", "blkio", "memory", "pids", "freezer"]

    /// Below `base`, which is a directory for each hierarchy of the layout, in `sandbox/LEAF`.
    ///
    /// Each limit is put on the hierarchy that has its controller, so that mixed mounts work too; `trackers` take part
    /// as far as they are there. Without either the group is a mere handle: version 2 when mounted, else the first of
    /// version 1. `delegated` names the version 2 group that somebody hands controllers to, for the error when one is
    /// missing.
    init(
        leaf name: String, limits: CgroupLimits, trackers: [String] = [], layout: CgroupLayout,
        delegated: String? = nil, base: (CgroupLayout.Hierarchy) -> String?
    ) throws(SystemError) {
        var parts: [Part] = []
        for demand in limits.demands {
            let index = layout.index(of: demand.controller)
            guard let index else { throw missing(demand, layout, delegated) }
            if let known = parts.firstIndex(where: { $0.index == index }) {
                parts[known].demands.append(demand)
            } else {
                parts.append(Part(index: index, demands: [demand]))
            }
        }
        for (index, served) in layout.tracking(trackers) {
            if let known = parts.firstIndex(where: { $0.index == index }) {
                let demanded = parts[known].demands.map(\.controller)
                parts[known].tracked = served.filter { !demanded.contains($0) }
            } else {
                parts.append(Part(index: index, tracked: served, isOptional: true))
            }
        }
        if parts.isEmpty {
            guard !layout.hierarchies.isEmpty else {
                throw SystemError("control group", code: ENOENT, mend: "mount cgroup2 on /sys/fs/cgroup")
            }
            parts = [Part(index: layout.hierarchies.firstIndex { $0.version == .v2 } ?? 0)]
        }
        parts.sort { layout.hierarchies[$0.index].isV2 && !layout.hierarchies[$1.index].isV2 }
        for part in parts {
            let hierarchy = layout.hierarchies[part.index]
            guard let base = base(hierarchy) else {
                if part.isOptional { continue }
                throw SystemError(
                    "control group under \(hierarchy.mountPoint)", code: ENOENT,
                    mend:
                        "this process's own group lies outside the mounted tree: mount it anew in this cgroup namespace"
                )
            }
            leaves.append(try Leaf(part, hierarchy, base: base, name: name, limits: limits))
        }
    }
}

extension CgroupPlan.Leaf {
    fileprivate init(
        _ part: Part, _ hierarchy: CgroupLayout.Hierarchy, base: String, name: String, limits: CgroupLimits
    ) throws(SystemError) {
        let parent = base + "/sandbox"
        let leaf = parent + "/" + name
        self.init(group: Cgroup.Group(path: leaf, version: hierarchy.version), isOptional: part.isOptional)
        steps.append(.make(parent, shared: true))
        switch hierarchy.version {
        case .v2:
            let controllers = part.demands.map(\.controller)
            let keys = part.demands.flatMap(\.keys)
            for group in [base, parent] where !controllers.isEmpty {
                steps.append(.enable(controllers, group: group, keys: keys))
            }
            for group in [base, parent] where !part.tracked.isEmpty {
                steps.append(.offer(part.tracked, group: group))
            }
            steps.append(.make(leaf, shared: false))
            for demand in part.demands {
                steps += limits.v2Settings(of: demand.controller).map { .set($0, group: leaf) }
            }
        case .v1:
            let filled = hierarchy.controllers.contains("cpuset") ? ["cpuset.cpus", "cpuset.mems"] : []
            steps += filled.map { .inherit(file: $0, from: base, to: parent) }
            steps.append(.make(leaf, shared: false))
            steps += filled.map { .inherit(file: $0, from: parent, to: leaf) }
            for demand in part.demands {
                steps += try limits.v1Settings(of: demand.controller).map { .set($0, group: leaf) }
            }
        }
    }
}

/// What one hierarchy is asked to enforce and to watch.
private struct Part {
    var index: Int
    var demands: [CgroupDemand] = []
    /// Controllers that no limit needs.
    var tracked: [String] = []
    var isOptional = false
}

extension CgroupLayout {
    /// The hierarchies that serve to watch and steer a sandbox, with their controllers for it. Version 2 can freeze,
    /// kill and count CPU time without any, but where version 1 freezes it is not needed for that.
    func tracking(_ trackers: [String]) -> [(index: Int, controllers: [String])] {
        if trackers.isEmpty { return [] }
        let hasFreezer = index(of: "freezer") != nil
        var found: [(index: Int, controllers: [String])] = []
        for (index, hierarchy) in hierarchies.enumerated() {
            let served = hierarchy.controllers.filter { trackers.contains($0) }
            if !served.isEmpty || (hierarchy.isV2 && !hasFreezer) { found.append((index, served)) }
        }
        return found
    }

    /// The hierarchy with a controller, named as in version 2.
    func index(of controller: String) -> Int? {
        hierarchies.firstIndex { $0.controllers.contains($0.isV2 || controller != "io" ? controller : "blkio") }
    }
}

extension CgroupLayout.Hierarchy {
    var isV2: Bool { version == .v2 }
}

private func missing(_ demand: CgroupDemand, _ layout: CgroupLayout, _ delegated: String?) -> SystemError {
    let name = demand.controller
    let mend: String
    if layout.hierarchies.isEmpty {
        mend = "no control groups are mounted: mount cgroup2 on /sys/fs/cgroup"
    } else if let delegated {
        mend =
            "the \(name) controller is not delegated to \(delegated): "
            + "let systemd delegate it (Delegate=\(name) in a drop-in of user@.service), or run as root"
    } else {
        mend = "the kernel has no \(name) controller here: see /proc/cgroups and the boot option cgroup_disable="
    }
    return SystemError(demand.keys.joined(separator: ", "), code: ENOTSUP, mend: mend)
}

/// A leaf's name is one path component and no control file's.
func checkName(_ name: String) throws(SystemError) {
    let allowed = name.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-_.".utf8.contains(byte)
    }
    let dotted = name.hasPrefix(".") || name.hasPrefix("cgroup.")
    if name.isEmpty || name.utf8.count > 200 || !allowed || dotted {
        throw SystemError("control group name '\(name)'", code: EINVAL, mend: "use letters, digits, '-', '_' and '.'")
    }
}
