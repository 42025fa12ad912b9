extension Cgroup {
    /// The groups in which `process` stands and the caller does not, one in each hierarchy where they differ, by the
    /// directories that the caller sees; throws ENOENT or ESRCH without such a process.
    public static func groups(of process: Int32) throws(SystemError) -> [Group] {
        let mountinfo = try readText("/proc/self/mountinfo")
        func hierarchies(_ entry: String) throws(SystemError) -> [CgroupLayout.Hierarchy] {
            let membership = try readText("/proc/\(entry)/cgroup")
            return CgroupLayout(mountinfo: mountinfo, membership: membership) { _ in "" }.hierarchies
        }
        var groups: [Group] = []
        let own = try hierarchies("self")
        for (index, theirs) in try hierarchies("\(process)").enumerated() where index < own.count {
            if let path = theirs.own, path != own[index].own {
                groups.append(Group(path: path, version: theirs.version))
            }
        }
        return groups
    }
}
