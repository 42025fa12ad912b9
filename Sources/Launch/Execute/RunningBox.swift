import CLinux
import Glibc
public import Kernel
import Profile

/// A running box, held so that no other process is ever taken for it.
public struct RunningBox: ~Copyable {
    public let facts: BoxFacts
    /// The control groups in which it stands and the caller does not.
    public let groups: [Cgroup.Group]
    private let process: ProcessHandle
    private let command: ProcessHandle
    /// Whether `process` can be looked into. Without root process 1 cannot, because it is still an image of ours.
    private let isOpen: Bool

    /// Looks a box up.
    /// - Parameter process: process 1 of its pid namespace, or its command.
    /// - Parameter command: its command.
    public static func find(process: ProcessIdentity, command: ProcessIdentity) throws(LaunchError) -> RunningBox {
        let held = try hold(process)
        let heldCommand = try hold(command)
        let isOpen = FileStatus(path: "/proc/\(process.pid)/ns/mnt") != nil
        let reader = FactReader(process: process.pid, command: command.pid, holder: (isOpen ? process : command).pid)
        let facts = try translated { () throws(SystemError) in try reader.facts() }
        let groups = try translated { () throws(SystemError) in try Cgroup.groups(of: process.pid) }
        guard try isRunning(held), try isRunning(heldCommand) else { throw ended }
        return RunningBox(facts: facts, groups: groups, process: held, command: heldCommand, isOpen: isOpen)
    }

    private static func hold(_ process: ProcessIdentity) throws(LaunchError) -> ProcessHandle {
        do throws(SystemError) {
            guard let held = try ProcessHandle(process) else { throw SystemError("open its process", code: ESRCH) }
            return held
        } catch {
            throw translated(error)
        }
    }

    /// Moves the caller into the box's namespaces of these kinds.
    func join(_ kinds: NamespaceFlags) throws(SystemError) {
        if isOpen { try process.join(kinds) } else { try command.join(kinds) }
    }

    private static func isRunning(_ held: borrowing ProcessHandle) throws(LaunchError) -> Bool {
        try attributed(to: nil) { () throws(SystemError) in try !held.waitForEnd(milliseconds: 0) }
    }

    static var ended: LaunchError { LaunchError("the sandbox has ended") }

    /// A box that ends meanwhile is no failure of ours.
    static func translated(_ error: SystemError) -> LaunchError {
        error.code == ESRCH || error.code == ENOENT ? ended : LaunchError(error)
    }

    private static func translated<Result>(_ body: () throws(SystemError) -> Result) throws(LaunchError) -> Result {
        do throws(SystemError) { return try body() } catch { throw translated(error) }
    }
}

/// Reads what /proc says of a box's processes.
private struct FactReader {
    let process: Int32
    let command: Int32
    let holder: Int32

    func facts() throws(SystemError) -> BoxFacts {
        var facts = BoxFacts()
        let first = try ProcessStatus(pid: process)
        let second = try ProcessStatus(pid: command)
        let own = try ProcessStatus.current()
        facts.namespaces = try namespaces()
        try identify(first, &facts)
        (facts.groups, facts.callerGroups) = (first.groups, own.groups)
        facts.bounding = first.capabilities.bounding.intersection(second.capabilities.bounding)
        facts.permitted = first.capabilities.bounding
        facts.noNewPrivileges = second.noNewPrivileges
        (facts.filters, facts.callerFilters) = (second.filters, own.filters)
        if process != command {
            // It never changes its own, and has a filter of its own.
            facts.permitted = first.capabilities.permitted
            facts.inheritedFilters = max(0, first.filters - 1)
        }
        facts.umask = first.umask
        for (resource, limit) in try limits(of: process) {
            facts.limits[resource.rawValue] = Profile.Limit(soft: limit.soft, hard: limit.hard)
        }
        return facts
    }

    private func namespaces() throws(SystemError) -> NamespaceSet {
        var different: NamespaceSet = []
        for kind in NamespaceKind.allCases {
            // A kernel may lack a kind.
            guard let own = FileStatus(path: "/proc/self/ns/\(kind.entry)") else { continue }
            let path = "/proc/\(holder)/ns/\(kind.entry)"
            guard let theirs = FileStatus(path: path) else {
                let code = errno
                let mend = code == EACCES ? "only who launched it may look into it" : nil
                throw SystemError("look at \(path)", code: code, mend: mend)
            }
            if (own.device, own.inode) != (theirs.device, theirs.inode) { different.insert(kind) }
        }
        return different
    }

    private func identify(_ status: ProcessStatus, _ facts: inout BoxFacts) throws(SystemError) {
        facts.owner = status.realUID
        (facts.uid, facts.gid) = (status.realUID, status.realGID)
        guard facts.namespaces.contains(.user) else { return }
        let name = "/proc/\(holder)/ns/user"
        let file = try Descriptor(open: name, O_RDONLY)
        facts.owner = try ownerOfUserNamespace(file.number, name: name)
        facts.uidMap = try map("uid_map")
        facts.gidMap = try map("gid_map")
        guard let uid = facts.uidMap.inside(status.realUID), let gid = facts.gidMap.inside(status.realGID) else {
            throw SystemError("find the user of process \(process) in its user namespace", code: EOVERFLOW)
        }
        (facts.uid, facts.gid) = (uid, gid)
    }

    private func map(_ file: String) throws(SystemError) -> [Profile.IDRange] {
        let text = try readText("/proc/\(holder)/\(file)")
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").compactMap { UInt32($0) }
            return words.count == 3 ? Profile.IDRange(inside: words[0], outside: words[1], count: words[2]) : nil
        }
    }
}

extension [Profile.IDRange] {
    /// The id in the namespace that an outer one has.
    fileprivate func inside(_ id: UInt32) -> UInt32? {
        for range in self where id >= range.outside && id - range.outside < range.count {
            return range.inside + (id - range.outside)
        }
        return nil
    }
}
