import Glibc

extension Cgroup {
    /// The leaves of sandboxes called `name` where this process would make its own, each with the launcher that it is
    /// named after. Those of other state directories are among them.
    public static func leaves(of name: String) throws(SystemError) -> [(launcher: ProcessIdentity, group: Group)] {
        let layout = try CgroupLayout.current()
        let isTop = try isRealRoot()
        var found: [(launcher: ProcessIdentity, group: Group)] = []
        for hierarchy in layout.hierarchies {
            guard let parent = (isTop ? hierarchy.mountPoint : hierarchy.own).map({ $0 + "/sandbox" }) else { continue }
            for path in try groupsBelow(parent) {
                let leaf = String(path.dropFirst(parent.utf8.count + 1))
                guard let launcher = ProcessIdentity(leaf: leaf), leaf == name + launcher.suffix else { continue }
                found.append((launcher, Group(path: path, version: hierarchy.version)))
            }
        }
        return found
    }
}
