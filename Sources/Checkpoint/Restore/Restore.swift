import CLinux
import Glibc
import Kernel
public import Launch
public import Profile
public import Switching

/// One bringing back of a box's processes from a directory of images.
public struct Restore {
    /// A descriptor of the directory with the images.
    public var images: Int32
    /// A descriptor and the path of a directory for CRIU's log.
    public var work: Int32
    public var workPath: String
    /// Descriptors in place of the files that were outside the box.
    public var files: [(key: String, descriptor: Int32)] = []
    /// A descriptor of the network namespace that was made for it, locked; -1 where it had none of its own.
    public var network: Int32 = -1
    /// What unlocks it.
    public var unlocked = UnlockedNetwork()
    public var connections = Connections.established
    /// Lists of processes of the control groups, open for writing.
    public var groups: [Int32] = []
    /// The box's root where CRIU is, an absolute path of a mount.
    public var root = "/"
    /// Where CRIU finds what the box's foreign mounts are made of, by their keys.
    public var sources: [(key: String, path: String)] = []
    /// Done in CRIU's process before it begins: makes the root and the sources, in a mount namespace of its own.
    public var prepare: @Sendable () throws(LaunchError) -> Void = { () throws(LaunchError) in }
    /// Done before a packet reaches it and before its first step: finds out whether its memory is what was saved.
    public var prove: () throws(LaunchError) -> Void = { () throws(LaunchError) in }
    /// What CRIU need not find out; only where the box has a mount namespace of its own.
    public var notes: KernelNotes?
    /// Kinds that it does not share with the caller.
    public var namespaces: [NamespaceKind] = []
    /// What its mounts are compared with.
    public var mounts: [SavedMount] = []
    /// Whether it gets a new, empty session keyring. Else it has the caller's.
    public var hasOwnKeyring = true
    /// What each process is to have and to be confined by; the root process first.
    public var traits: [Traits] = []
    /// How it gets its memory once it has begun; `nil`: it has all of it before.
    public var memory: LateMemory?

    public init(images: Int32, work: Int32, workPath: String) {
        (self.images, self.work, self.workPath) = (images, work, workPath)
    }

    /// Restores. The root process becomes a child of the caller's.
    ///
    /// - Parameter made: told the root process while all still stand still.
    /// - Returns: the root process.
    public func run(
        _ engine: CRIUEngine, _ made: (Int32) throws(LaunchError) -> Void
    ) throws(LaunchError) -> Int32 {
        var (restore, copies) = (self, [Int32]())
        defer { for number in copies { close(number) } }
        try LaunchError.wrap { () throws(SystemError) in
            // CRIU closes each as it takes it: what stands for several files is to have several numbers.
            for index in files.indices.dropFirst()
            where files[..<index].contains(where: { $0.descriptor == files[index].descriptor }) {
                let number = try check("keep a file") {
                    linux_fcntl(restore.files[index].descriptor, F_DUPFD_CLOEXEC, 3)
                }
                copies.append(number)
                restore.files[index].descriptor = number
            }
        }
        return try restore.runDivided(engine, made)
    }

    private func runDivided(
        _ engine: CRIUEngine, _ made: (Int32) throws(LaunchError) -> Void
    ) throws(LaunchError) -> Int32 {
        let inherited = [images, work, network].filter { $0 >= 0 } + files.map { $0.descriptor }
        var feed: MemoryFeed?
        if let memory { feed = try MemoryFeed(engine, self, memory) }
        do throws(LaunchError) {
            let root = try run(engine, inherited, feed, made)
            feed?.release()
            return root
        } catch {
            feed?.abandon()
            throw error
        }
    }

    private func run(
        _ engine: CRIUEngine, _ inherited: [Int32], _ feed: MemoryFeed?, _ made: (Int32) throws(LaunchError) -> Void
    ) throws(LaunchError) -> Int32 {
        let service = try CRIUService(engine, inherited: inherited) { () throws(LaunchError) in
            try LaunchError.wrap { () throws(SystemError) in
                for group in groups { try writeText("0", to: group, name: "a control group's list of processes") }
                // CRIU leaves control groups to us: their namespace is inherited, as the group is.
                if namespaces.contains(.cgroup) { try unshareNamespaces(.cgroup) }
                // CRIU gives a process the groups that it had, and one that had none those of the caller.
                try check("give up the caller's groups") { setgroups(0, nil) }
                if hasOwnKeyring { try joinNewSessionKeyring() }
                try traits.first?.adopt()
            }
            try prepare()
            try MountComparison(saved: mounts).findPlaces(in: self.root)
            notes?.show()
        }
        var root: Int32 = 0
        var isConfirmed = false
        do throws(LaunchError) {
            let answer = try service.ask(request()) { stage throws(LaunchError) in
                if stage.descriptor >= 0 { close(stage.descriptor) }
                switch stage.name {
                case "post-restore":
                    root = stage.pid
                    try made(root)
                    try prove()
                    // All of them have asked for their memory, and none has got any.
                    try feed?.hold(root, traits.count)
                case "pre-resume":
                    // Only now have they their credentials and filters, and none has made a step.
                    do throws(LaunchError) { try confirm(root) } catch {
                        kill(root, SIGKILL)
                        throw error
                    }
                    isConfirmed = true
                case "network-unlock" where network >= 0:
                    do throws(SwitchError) { try unlocked.unlock(network) } catch { throw LaunchError(error.text) }
                default: break
                }
                CrashPoint.pass("CRIU: \(stage.name)")
            }
            guard answer.success else {
                throw LaunchError("it cannot be restored: \(complaint(inLog: workPath + "/" + CRIULog.restore))")
            }
            if root == 0 { root = answer.restore.pid }
            if !isConfirmed { throw LaunchError("CRIU let it go on before it had been checked") }
            return root
        } catch {
            if root > 0 {
                kill(root, SIGKILL)
                // It is this process's child, or gone with CRIU's own cleaning up.
                while waitpid(root, nil, 0) < 0, errno == EINTR {}
            }
            throw error
        }
    }

    /// What the snapshot promises is in force, before the application's first step.
    private func confirm(_ root: Int32) throws(LaunchError) {
        try confirmNamespaces(root)
        try MountComparison(saved: mounts).confirm(root)
        var left = traits
        let processes = try LaunchError.wrap { () throws(SystemError) in try processTree(of: root) }
        for process in processes {
            let restored = try Traits(of: process)
            guard let index = left.firstIndex(where: { $0.pid == restored.pid }) else { continue }
            let promised = left.remove(at: index)
            if promised.confinement.isEmpty { continue }
            try promised.verify(restored)
            try LaunchError.wrap { () throws(SystemError) in try promised.putBack(on: process) }
        }
        if let missing = left.first { throw LaunchError("process \(missing.pid) has not come back") }
    }

    /// It shares with the caller only what it shared before.
    private func confirmNamespaces(_ root: Int32) throws(LaunchError) {
        for kind in namespaces {
            let name = kind.entry
            guard let now = linkTarget("/proc/\(root)/ns/\(name)") else {
                throw LaunchError("process \(root) has ended")
            }
            if now == linkTarget("/proc/self/ns/\(name)") {
                throw LaunchError("the restored application would have no \(kind.rawValue) namespace of its own")
            }
            guard kind == .net, network >= 0 else { continue }
            let inode = try LaunchError.wrap { () throws(SystemError) in
                try FileStatus(network, name: "the network namespace").inode
            }
            if now != "net:[\(inode)]" { throw LaunchError("the restored application would be in another network") }
        }
    }

    private func request() -> criu_req {
        var request = criu_req()
        request.type = .restore
        request.opts = .common(images: images, log: CRIULog.restore, connections)
        request.opts.workDirFd = work
        request.opts.rstSibling = true
        request.opts.root = self.root
        request.opts.lazyPages = memory != nil
        request.opts.external = sources.map { "mnt[\($0.key)]:\($0.path)" }
        var inherited = files
        if network >= 0 { inherited.append((Dump.networkKey, network)) }
        request.opts.inheritFd = inherited.map { file in
            var entry = inherit_fd()
            entry.key = file.key
            entry.fd = file.descriptor
            return entry
        }
        return request
    }
}
