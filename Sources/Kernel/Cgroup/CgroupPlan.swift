import Glibc

/// One thing to do to make a group; executed in order, undone in reverse.
enum CgroupStep: Equatable {
    /// Makes a directory, unless `shared` and there.
    case make(String, shared: Bool)
    /// Lets the children of a version 2 group use the controllers (cgroup.subtree_control).
    case enable([String], group: String, keys: [String])
    /// Gives a version 1 group its parent's CPUs and memory nodes when it has none yet.
    case inherit(file: String, from: String, to: String)
    case set(CgroupSetting, group: String)
}

/// The directories to make and the files to write for one group with limits.
struct CgroupPlan: Equatable {
    var steps: [CgroupStep]
    /// The leaf in every hierarchy that takes part, version 2 first.
    var groups: [Cgroup.Group]

    /// Below `base`, which is a directory for each hierarchy of the layout, in `sandbox/NAME`.
    ///
    /// Each limit is put on the hierarchy that has its controller, so that mixed mounts work too. Without limits the
    /// group is a mere handle: version 2 when mounted, else the first of version 1. `delegated` names the version 2
    /// group that somebody hands controllers to, for the error when one is missing.
    init(
        name: String, limits: CgroupLimits, layout: CgroupLayout, delegated: String? = nil,
        base: (CgroupLayout.Hierarchy) -> String?
    ) throws(SystemError) {
        try limits.check()
        try checkName(name)
        steps = []
        groups = []
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
        if parts.isEmpty {
            guard !layout.hierarchies.isEmpty else {
                throw SystemError("control group", code: ENOENT, mend: "mount cgroup2 on /sys/fs/cgroup")
            }
            parts = [Part(index: layout.hierarchies.firstIndex { $0.version == .v2 } ?? 0, demands: [])]
        }
        parts.sort { layout.hierarchies[$0.index].isV2 && !layout.hierarchies[$1.index].isV2 }
        for part in parts {
            let hierarchy = layout.hierarchies[part.index]
            guard let base = base(hierarchy) else {
                throw SystemError(
                    "control group under \(hierarchy.mountPoint)", code: ENOENT,
                    mend:
                        "this process's own group lies outside the mounted tree: mount it anew in this cgroup namespace"
                )
            }
            try append(part.demands, hierarchy, base: base, name: name, limits: limits)
        }
    }

    private mutating func append(
        _ demands: [CgroupDemand], _ hierarchy: CgroupLayout.Hierarchy, base: String, name: String, limits: CgroupLimits
    ) throws(SystemError) {
        let parent = base + "/sandbox"
        let leaf = parent + "/" + name
        let controllers = demands.map(\.controller)
        let keys = demands.flatMap(\.keys)
        steps.append(.make(parent, shared: true))
        groups.append(Cgroup.Group(path: leaf, version: hierarchy.version))
        switch hierarchy.version {
        case .v2:
            if !controllers.isEmpty {
                steps.append(.enable(controllers, group: base, keys: keys))
                steps.append(.enable(controllers, group: parent, keys: keys))
            }
            steps.append(.make(leaf, shared: false))
            for demand in demands {
                steps += limits.v2Settings(of: demand.controller).map { .set($0, group: leaf) }
            }
        case .v1:
            let filled = hierarchy.controllers.contains("cpuset") ? ["cpuset.cpus", "cpuset.mems"] : []
            steps += filled.map { .inherit(file: $0, from: base, to: parent) }
            steps.append(.make(leaf, shared: false))
            steps += filled.map { .inherit(file: $0, from: parent, to: leaf) }
            for demand in demands {
                steps += try limits.v1Settings(of: demand.controller).map { .set($0, group: leaf) }
            }
        }
    }
}

/// What one hierarchy is asked to enforce.
private struct Part {
    var index: Int
    var demands: [CgroupDemand]
}

extension CgroupLayout {
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
