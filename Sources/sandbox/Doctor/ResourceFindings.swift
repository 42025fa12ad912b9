import Glibc

/// How control groups are mounted (cgroups(7)).
struct ControlGroups: Equatable {
    enum Layout: String { case unified = "v2", hybrid, legacy = "v1", none }

    var layout: Layout
    /// Where the version 2 tree is mounted.
    var unified: String?
    /// Controllers of version 1 and where each is mounted.
    var legacy: [String: String]

    /// From /proc/self/mountinfo.
    init(mountinfo: String) {
        var unified: String?
        var legacy: [String: String] = [:]
        for line in mountinfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, fields.count > 4 else { continue }
            let place = String(fields[4])
            if fields[dash + 1] == "cgroup2" { unified = unified ?? place }
            if fields[dash + 1] == "cgroup" {
                for option in fields[dash + 3].split(separator: ",") where ControlGroups.known.contains(String(option))
                {
                    legacy[String(option)] = place
                }
            }
        }
        self.unified = unified
        self.legacy = legacy
        layout =
            switch (unified != nil, !legacy.isEmpty) {
            case (true, false): .unified
            case (true, true): .hybrid
            case (false, true): .legacy
            case (false, false): .none
            }
    }

    private static let known = ["memory", "cpu", "pids", "cpuset", "blkio", "freezer"]
}

/// Control groups: the layout, the controllers, and whether the caller may make groups.
func resourceFindings() -> [HostFinding] {
    let groups = ControlGroups(mountinfo: fileText("/proc/self/mountinfo") ?? "")
    guard groups.layout != .none else {
        return [
            HostFinding(
                .resources, "cgroups", .lacking, "control groups are not mounted", cost: "[resources] fails.",
                fix: "mount -t cgroup2 none /sys/fs/cgroup")
        ]
    }
    let controllers = groups.unified.flatMap { fileText($0 + "/cgroup.controllers") } ?? ""
    return [layoutFinding(groups)] + controllerFindings(groups, unified: controllers) + [delegationFinding(groups)]
}

func layoutFinding(_ groups: ControlGroups) -> HostFinding {
    switch groups.layout {
    case .unified:
        HostFinding(.resources, "cgroups", .ok, "control groups: version 2 at \(groups.unified ?? "")")
    default:
        HostFinding(
            .resources, "cgroups", .note,
            groups.layout == .hybrid
                ? "control groups: hybrid, controllers in version 1" : "control groups: version 1",
            cost: "Limits are set through version 1: as root only, without memory-high.",
            fix: "boot with systemd.unified_cgroup_hierarchy=1")
    }
}

func controllerFindings(_ groups: ControlGroups, unified: String) -> [HostFinding] {
    let available = Set(unified.split(whereSeparator: \.isWhitespace).map { String($0) })
    return [("memory", "memory"), ("cpu", "cpu"), ("pids", "pids"), ("cpuset", "cpuset"), ("io", "blkio")].map {
        name, old in
        let key = name == "io" ? "io-weight" : name
        if available.contains(name) || groups.legacy[old] != nil {
            return HostFinding(.resources, "controller-\(name)", .ok, "controller \(name)")
        }
        let fix =
            name == "memory"
            ? "boot with cgroup_enable=memory" : "boot a kernel with the \(name) controller (see /proc/cgroups)"
        return HostFinding(
            .resources, "controller-\(name)", .lacking, "controller \(name) is not there",
            cost: "resources.\(key) fails.", fix: fix)
    }
}

private func delegationFinding(_ groups: ControlGroups) -> HostFinding {
    let hasSystemd = access("/run/systemd/system", F_OK) == 0
    if geteuid() == 0 {
        let place = groups.unified ?? groups.legacy.values.min() ?? "/sys/fs/cgroup"
        if access(place, W_OK) != 0 {
            return HostFinding(
                .resources, "delegation", .lacking, "control groups are read-only here",
                cost: "[resources] fails.", fix: "mount -o remount,rw \(place)")
        }
        return HostFinding(
            .resources, "delegation", .ok,
            hasSystemd ? "groups of our own, through systemd" : "groups of our own; no systemd to ask")
    }
    let own = (fileText("/proc/self/cgroup") ?? "").split(separator: "\n").first { $0.hasPrefix("0::") }
    let path = (groups.unified ?? "") + (own.map { String($0.dropFirst(3)) } ?? "")
    if groups.layout == .unified, access(path, W_OK) == 0 || hasSystemd {
        return HostFinding(.resources, "delegation", .ok, "control groups without root, through systemd or \(path)")
    }
    return HostFinding(
        .resources, "delegation", .lacking, "no control group is delegated to this user",
        cost: "[resources] fails without root.", fix: "log in through systemd, or run as root")
}
