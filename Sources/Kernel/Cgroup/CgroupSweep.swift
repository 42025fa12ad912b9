import Glibc

extension Cgroup {
    /// Removes the leaves that dead launchers left: empty ones whose owner (pid and start time) is gone.
    ///
    /// `create` does it too. An application that outlives its launcher keeps its leaf, for rmdir(2) refuses a group
    /// with processes. Returns the paths removed.
    @discardableResult
    public static func sweep() throws(SystemError) -> [String] {
        try sweep(CgroupLayout.current(), fromTop: isRealRoot())
    }

    @discardableResult
    static func sweep(_ layout: CgroupLayout, fromTop isTop: Bool) throws(SystemError) -> [String] {
        var removed: [String] = []
        for hierarchy in layout.hierarchies {
            guard let base = isTop ? hierarchy.mountPoint : hierarchy.own else { continue }
            let parent = base + "/sandbox"
            if access(parent, F_OK) == 0 { removed += try sweep(parent, hierarchy.version) }
        }
        return removed
    }

    /// Sweeps one `sandbox` directory, and removes it when nothing is left in it.
    private static func sweep(
        _ parent: String, _ version: CgroupLayout.Hierarchy.Version
    ) throws(SystemError) -> [String] {
        var removed: [String] = []
        for path in try groupsBelow(parent) {
            let group = Group(path: path, version: version)
            let name = path.dropFirst(parent.count + 1)
            guard let owner = ProcessIdentity(leaf: String(name)), try !owner.isAlive() else { continue }
            if try group.removeOnce() == 0 { removed.append(path) }
        }
        _ = rmdir(parent)
        return removed
    }
}
