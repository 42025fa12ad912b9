/// The control group hierarchies that a process sees and where it stands in each: cgroups(7), proc(5).
public struct CgroupLayout: Sendable, Equatable {
    /// One mounted hierarchy.
    public struct Hierarchy: Sendable, Equatable {
        public enum Version: Sendable, Equatable { case v1, v2 }

        public var version: Version
        /// The kernel's names of the controllers bound to it; version 1 spells io `blkio`.
        public var controllers: [String]
        /// The directory of the hierarchy's topmost group that can be reached.
        public var mountPoint: String
        /// The directory of the process's own group; `nil` when it lies outside what is mounted.
        public var own: String?

        public init(_ version: Version, controllers: [String], mountPoint: String, own: String?) {
            self.version = version
            self.controllers = controllers
            self.mountPoint = mountPoint
            self.own = own
        }
    }

    public var hierarchies: [Hierarchy]

    public init(hierarchies: [Hierarchy]) { self.hierarchies = hierarchies }

    /// The version 2 hierarchy, if it is mounted.
    public var unified: Hierarchy? { hierarchies.first { $0.version == .v2 } }

    /// Reads the layout from the texts of /proc/PID/mountinfo, /proc/PID/cgroup and cgroup.controllers of version 2.
    ///
    /// A hierarchy mounted twice counts once, where it was mounted first.
    public init(mountinfo: String, membership: String, unifiedControllers: (_ mountPoint: String) -> String) {
        let memberships = membership.lines.compactMap(Membership.init)
        hierarchies = []
        for mount in mountinfo.lines.compactMap(Mount.init) {
            let entry = memberships.first { mount.isV2 ? $0.isV2 : !$0.isV2 && mount.options.contains($0.name) }
            guard let entry else { continue }
            let controllers =
                mount.isV2
                ? controlWords(unifiedControllers(mount.point)) : entry.names.filter { !$0.hasPrefix("name=") }
            let known = hierarchies.contains {
                mount.isV2 ? $0.version == .v2 : $0.version == .v1 && $0.controllers == controllers
            }
            if known || (!mount.isV2 && controllers.isEmpty) { continue }
            hierarchies.append(
                Hierarchy(
                    mount.isV2 ? .v2 : .v1, controllers: controllers, mountPoint: mount.point,
                    own: directory(of: entry.path, root: mount.root, point: mount.point)))
        }
    }

    /// The calling process's layout.
    public static func current() throws(SystemError) -> CgroupLayout {
        let mountinfo = try readText("/proc/self/mountinfo")
        let membership = try readText("/proc/self/cgroup")
        var failure: SystemError?
        let layout = CgroupLayout(mountinfo: mountinfo, membership: membership) { point in
            do throws(SystemError) {
                return try readText(point + "/cgroup.controllers")
            } catch {
                failure = error
                return ""
            }
        }
        if let failure { throw failure }
        return layout
    }
}

/// A line of /proc/PID/cgroup: "4:memory:/a/b", and "0::/a/b" for version 2.
private struct Membership {
    var names: [String]
    var path: String

    var isV2: Bool { names.isEmpty }
    /// Any one of its names identifies the hierarchy among a mount's options.
    var name: String { names.first ?? "" }

    init?(_ line: String) {
        let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3 else { return nil }
        names = fields[1].split(separator: ",").map { String($0) }
        path = String(fields[2])
    }
}

/// What matters of a line of /proc/PID/mountinfo that mounts a cgroup file system.
private struct Mount {
    var isV2: Bool
    var root: String
    var point: String
    var options: [String]

    init?(_ line: String) {
        let fields = line.split(separator: " ").map { String($0) }
        guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count >= dash + 4 else { return nil }
        guard fields[dash + 1] == "cgroup" || fields[dash + 1] == "cgroup2" else { return nil }
        isV2 = fields[dash + 1] == "cgroup2"
        root = unescapeMountPath(fields[3])
        point = unescapeMountPath(fields[4])
        options = fields[dash + 3].split(separator: ",").map { String($0) }
    }
}

/// Where the group `path` is found in a mount of the group `root` at `point`.
private func directory(of path: String, root: String, point: String) -> String? {
    if root == "/" { return path == "/" ? point : path.hasPrefix("/..") ? nil : point + path }
    if path == root { return point }
    return path.hasPrefix(root + "/") ? point + path.dropFirst(root.count) : nil
}

extension String {
    fileprivate var lines: [String] { split(separator: "\n").map { String($0) } }
}
