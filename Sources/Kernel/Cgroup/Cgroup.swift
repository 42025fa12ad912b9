import CLinux
import Glibc

/// The control group of one application: a leaf of our own in every hierarchy that a limit needs (cgroups(7)).
///
/// No file or directory of the host's tree is ever made writable, owned or visible for the application: groups stay
/// owned by whoever made them, and `release_agent` and `notify_on_release` of version 1 are never touched. A process
/// put into its leaf cannot leave it, unless it may write to the tree by other rights.
public struct Cgroup: Sendable, Equatable {
    /// The leaf in one hierarchy.
    public struct Group: Sendable, Equatable {
        public var path: String
        public var version: CgroupLayout.Hierarchy.Version

        public init(path: String, version: CgroupLayout.Hierarchy.Version) {
            self.path = path
            self.version = version
        }
    }

    /// Version 2 first, if it takes part.
    public let groups: [Group]

    /// An existing group, as a state file remembers it.
    public init(groups: [Group]) { self.groups = groups }

    /// The directory of the version 2 leaf, or of the first one of version 1.
    public var path: String { groups.first?.path ?? "" }

    /// The version 2 leaf opened for clone3(2)'s CLONE_INTO_CGROUP; `nil` when only version 1 takes part.
    public func openForClone() throws(SystemError) -> Int32? {
        guard let group = groups.first, group.version == .v2 else { return nil }
        return try Descriptor(open: group.path, O_PATH | O_DIRECTORY).take()
    }

    /// The files that take a process of one thread into the group when it writes "0" to each: all of the leaves, but
    /// for version 2's when the process was cloned into that.
    ///
    /// On version 1 that is `tasks`: moving one thread spares the kernel the wait for a grace period of all CPUs,
    /// milliseconds, that `cgroup.procs` costs.
    public func openEntrances(cloned: Bool) throws(SystemError) -> [Int32] {
        var entrances: [Int32] = []
        for group in groups {
            switch group.version {
            case .v1: entrances.append(try Descriptor(open: group.path + "/tasks", O_WRONLY).take())
            case .v2 where cloned: continue
            case .v2: entrances.append(try Descriptor(open: group.path + "/cgroup.procs", O_WRONLY).take())
            }
        }
        return entrances
    }

    /// Moves a process into the group, in every hierarchy.
    public func join(_ pid: Int32) throws(SystemError) {
        for group in groups { try writeText("\(pid)", to: group.path + "/cgroup.procs") }
    }

    /// Moves the calling process (0 stands for it, in whatever pid namespace) and drops what it waited in.
    ///
    /// A cgroup namespace that shall show the group as its root is to be made after this.
    public func joinSelf() throws(SystemError) {
        try join(0)
        // A launcher that had to leave a delegated group to satisfy the "no internal processes" rule stood here.
        if let group = groups.first, group.version == .v2, let own = try ProcessIdentity(pid: getpid()) {
            _ = rmdir(groupAbove(group.path) + "/" + own.launcherName)
        }
    }

    /// Whether `launcher` is the process that the leaves are named after.
    public func isMade(by launcher: ProcessIdentity) -> Bool {
        groups.allSatisfy { group in
            let name = group.path.split(separator: "/").last.map(String.init) ?? ""
            return ProcessIdentity(leaf: name) == launcher && groupAbove(group.path).hasSuffix("/sandbox")
        }
    }

    /// The processes in the group and below it, as the caller's pid namespace numbers them (0: not in it).
    public func processes() throws(SystemError) -> [Int32] { try groups.first?.processes() ?? [] }

    /// Throws where there is no group to work on: never made, or gone with its last process.
    func requireExistence(_ what: String) throws(SystemError) {
        guard let group = groups.first else {
            throw SystemError(
                "\(what) the processes of a control group", code: ENOENT,
                mend: "none could be made when they were started: run as root, or in a group delegated to you")
        }
        if access(group.path, F_OK) != 0 { throw SystemError("\(what) \(group.path)", code: errno) }
    }

    /// Whether no process lives in the group or below it.
    public func isEmpty() throws(SystemError) -> Bool {
        for group in groups where try !group.isEmpty() { return false }
        return true
    }

    /// Ends every process in the group with SIGKILL, frozen or not: cgroup.kill, or one by one on version 1 and
    /// kernels before 5.14. A group that is gone has none.
    public func kill() throws(SystemError) {
        do throws(SystemError) {
            try killAll()
        } catch {
            if error.code != ENOENT && error.code != ENODEV { throw error }
        }
    }

    private func killAll() throws(SystemError) {
        guard let group = groups.first else { return }
        if group.version == .v2, access(group.path + "/cgroup.kill", W_OK) == 0 {
            try writeText("1", to: group.path + "/cgroup.kill")
            for group in groups { try group.thawToEnd() }
            return
        }
        // What forks while the list is read is caught in the next round; where we can, nothing more may fork.
        for group in groups where access(group.path + "/pids.max", W_OK) == 0 {
            try writeText("0", to: group.path + "/pids.max")
        }
        for _ in 0..<10_000 {
            let pids = try group.processes()
            if pids.isEmpty { return }
            for pid in pids { try group.kill(pid) }
            for group in groups { try group.thawToEnd() }
            pauseBriefly(microseconds: 500)
        }
        throw SystemError("kill the processes of \(group.path)", code: EBUSY)
    }

    /// Removes the group; processes that are still ending are waited for, nothing is killed. The calling process steps
    /// out of it first when it is in it: a launcher that failed after joining.
    public func remove() throws(SystemError) {
        var failure: SystemError?
        for group in groups.reversed() {
            do throws(SystemError) {
                try group.remove()
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}

extension Cgroup.Group {
    func isEmpty() throws(SystemError) -> Bool {
        switch version {
        case .v2: return controlWords(try readText(path + "/cgroup.events")).pair("populated") == "0"
        case .v1:
            if try !processes().isEmpty { return false }
            for child in try groupsBelow(path) where try !Self(path: child, version: .v1).isEmpty() { return false }
            return true
        }
    }

    /// The processes of this group and those below it.
    func processes() throws(SystemError) -> [Int32] {
        var pids = controlWords(try readText(path + "/cgroup.procs")).compactMap { Int32($0) }
        for child in try groupsBelow(path) { pids += try Self(path: child, version: version).processes() }
        return pids
    }

    /// Kills a process that is in the group: it is held by descriptor while that is looked up again.
    fileprivate func kill(_ pid: Int32) throws(SystemError) {
        let number = linux_pidfd_open(pid, 0)
        if number < 0, errno == ESRCH || errno == EINVAL { return }
        let process = Descriptor(try check("pidfd_open \(pid)") { number })
        guard try processes().contains(pid) else { return }
        if linux_pidfd_send_signal(process.number, SIGKILL) != 0, errno != ESRCH {
            throw SystemError("kill \(pid) of \(path)", code: errno)
        }
    }

    /// Removes the leaf with whatever empty groups the application made below it, and `sandbox` above when it was the
    /// last.
    fileprivate func remove() throws(SystemError) {
        // The kernel lets go of a group some milliseconds after its last process has ended.
        for attempt in 0..<200 {
            let code = try removeOnce()
            if attempt == 0, code == EBUSY, try processes().contains(getpid()) { try stepOut() }
            if code == 0 || code == ENOENT { break }
            if code != EBUSY { throw SystemError("remove \(path)", code: code) }
            if attempt == 199 {
                throw SystemError("remove \(path)", code: code, mend: "processes still live in it")
            }
            pauseBriefly(microseconds: 200 + UInt32(attempt) * 50)
        }
        removeParent()
    }

    /// Moves the calling process above `sandbox`, or, where that may hold none, into a leaf that `sweep` takes later.
    private func stepOut() throws(SystemError) {
        let parent = groupAbove(path)
        do throws(SystemError) {
            try writeText("0", to: groupAbove(parent) + "/cgroup.procs")
        } catch {
            guard error.code == EBUSY, let identity = try ProcessIdentity(pid: getpid()) else { throw error }
            let launcher = parent + "/" + identity.launcherName
            if mkdir(launcher, 0o755) != 0, errno != EEXIST { throw SystemError("make \(launcher)", code: errno) }
            try writeText("0", to: launcher + "/cgroup.procs")
        }
    }

    /// The directory `sandbox` is shared: it stays while another application's leaf is in it.
    private func removeParent() {
        let parent = groupAbove(path)
        if parent.hasSuffix("/sandbox") { _ = rmdir(parent) }
    }

    /// An errno value, 0 when the group is gone.
    func removeOnce() throws(SystemError) -> Int32 {
        if rmdir(path) == 0 { return 0 }
        let code = errno
        guard code == EBUSY || code == ENOTEMPTY else { return code }
        for child in try groupsBelow(path) { _ = try Self(path: child, version: version).removeOnce() }
        return rmdir(path) == 0 ? 0 : errno
    }
}
