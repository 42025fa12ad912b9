import Glibc

extension Cgroup {
    /// Removes the leaves that dead launchers left: empty ones whose owner (pid and start time) is gone, unless
    /// `isKept` says that a record still counts on the leaf of that name.
    ///
    /// An application that outlives its launcher keeps its leaf, for rmdir(2) refuses a group with processes. Returns
    /// the paths removed.
    @discardableResult
    public static func sweep(keeping isKept: (_ leaf: String) -> Bool) throws(SystemError) -> [String] {
        try sweep(CgroupLayout.current(), fromTop: isRealRoot(), mark: nil, isKept)
    }

    /// Sweeps the leaves of sandboxes without a name, and those in which launchers stood.
    static func sweepUnnamed(_ layout: CgroupLayout, fromTop isTop: Bool) throws(SystemError) {
        try sweep(layout, fromTop: isTop, mark: "@") { _ in false }
    }

    @discardableResult
    private static func sweep(
        _ layout: CgroupLayout, fromTop isTop: Bool, mark: Unicode.Scalar?, _ isKept: (String) -> Bool
    ) throws(SystemError) -> [String] {
        var removed: [String] = []
        for hierarchy in layout.hierarchies {
            guard let parent = (isTop ? hierarchy.mountPoint : hierarchy.own).map({ $0 + "/sandbox" }),
                access(parent, F_OK) == 0
            else { continue }
            for path in try groupsBelow(parent, beginningWith: mark) {
                let name = String(path.dropFirst(parent.count + 1))
                guard let owner = ProcessIdentity(leaf: name), !isKept(name), try !owner.isAlive() else { continue }
                if try Group(path: path, version: hierarchy.version).removeOnce() == 0 { removed.append(path) }
            }
            _ = rmdir(parent)
        }
        return removed
    }
}
