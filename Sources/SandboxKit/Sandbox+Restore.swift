import CLinux
import Checkpoint
import Glibc
import Kernel
public import Launch
import Profile
import Switching

extension Sandbox {
    /// Brings a sandbox back from a snapshot. The process must have one thread.
    ///
    /// - Parameter snapshot: the snapshot's name.
    /// - Parameter name: the sandbox's name from now on; as before where `nil`.
    /// - Parameter isDetached: whether this returns once it runs; otherwise its exit status is returned.
    /// - Returns: the exit status; 0 where it is detached.
    public static func restore(
        _ snapshot: String, as name: String? = nil, isDetached: Bool = false
    ) throws(LaunchError) -> Int32 {
        let registry = try Registry.ofCaller()
        let found = try stored { () throws(SnapshotError) in
            let store = try SnapshotStore.ofCaller()
            return try store.verified(store.resolve(snapshot))
        }
        return try Restoration(registry, found, name).run(found, isDetached: isDetached)
    }
}

/// One restore of a sandbox.
private struct Restoration {
    let registry: Registry
    let request: LaunchRequest
    let old: SandboxRecord
    let plan: LaunchPlan
    let saved: Restorable

    init(_ registry: Registry, _ snapshot: Snapshot, _ name: String?) throws(LaunchError) {
        self.registry = registry
        let original = snapshot.manifest.sandbox
        guard let record = try Restoration.read(File.state, snapshot).flatMap({ SandboxRecord($0, name: original) }),
            var request = try Restoration.read(File.request, snapshot).flatMap({ LaunchRequest($0) }),
            let saved = try Restoration.read(Restorable.file, snapshot).flatMap({ Restorable($0) })
        else { throw LaunchError("the snapshot \"\(snapshot.manifest.id)\" is damaged", mend: "take another") }
        (self.saved, old) = (saved, record)
        request.name = name ?? original
        self.request = request
        try Registry.check(request.name ?? "")
        var plan = try Sandbox.plan(try registry.profile(request, original), request)
        // The addresses that its connections have.
        for index in plan.interfaces.indices {
            guard let port = record.ports.first(where: { $0.name == plan.interfaces[index].name }) else { continue }
            plan.interfaces[index].interface.address = port.addresses.isEmpty ? .none : .fixed(port.addresses)
            if let mac = port.mac { plan.interfaces[index].interface.hardwareAddress = .fixed(mac) }
        }
        self.plan = plan
    }

    private static func read(_ file: String, _ snapshot: Snapshot) throws(LaunchError) -> Value? {
        let text = try translated { () throws(SystemError) in try StateFolder(existing: snapshot.path).read(file) }
        guard let text else { return nil }
        do throws(ProfileError) { return try TOMLDocument(file: file, text: text).value } catch { return nil }
    }

    func run(_ snapshot: Snapshot, isDetached: Bool) throws(LaunchError) -> Int32 {
        let engine = try CRIUEngine.find()
        let name = request.name ?? ""
        let lock = try registry.lock(name)
        let before = try registry.settle(lock)
        if let before, before.phase == .running || before.phase == .created {
            throw LaunchError("a sandbox named \"\(name)\" is running already", mend: "name another with -n")
        }
        var record = try translated { () throws(SystemError) in
            SandboxRecord(name: name, launcher: try .own(), boot: try bootIdentity(), created: unixMilliseconds())
        }
        (record.profiles, record.command, record.namespaces) = (old.profiles, old.command, old.namespaces)
        (record.isDetached, record.hasWaiter) = (true, true)
        record.removesRecord = old.removesRecord
        let requested = before == nil ? nil : try registry.request(name)
        try registry.create(record, request, lock)
        let progress = LaunchProgress(record, registry)
        do throws(LaunchError) {
            try putLogBack(name, snapshot)
            let kept = try registry.openKept(name, plan)
            if isDetached {
                try Launcher.inBackground(kept) { foreground throws(LaunchError) in
                    try restore(engine, snapshot, progress, kept, lock, foreground)
                }
                return 0
            }
            return try restore(engine, snapshot, progress, kept, lock, nil)
        } catch {
            var error = error
            // Another process may be the one that had begun it.
            do throws(LaunchError) {
                try registry.discard(lock)
                // One that has been saved can still come back.
                if let before, let requested, before.phase == .checkpointed {
                    try registry.create(before, requested, lock)
                }
            } catch let second {
                error.message += "; \(second.message)"
            }
            throw error
        }
    }

    /// CRIU wants every file at least as long as it was.
    private func putLogBack(_ name: String, _ snapshot: Snapshot) throws(LaunchError) {
        try translated { () throws(SystemError) in
            guard let folder = try registry.openFolder(name) else { return }
            let saved = try StateFolder(existing: snapshot.path).open(File.log, O_RDONLY)
            let log = try folder.append(File.log)
            try copyAll(from: saved.number, to: log.number, name: "the log")
        }
    }

    private func restore(
        _ engine: CRIUEngine, _ snapshot: Snapshot, _ progress: LaunchProgress, _ kept: KeptDescriptors,
        _ lock: borrowing NameLock, _ foreground: Foreground?
    ) throws(LaunchError) -> Int32 {
        let group = try translated { () throws(SystemError) in
            try Cgroup.create(name: plan.name, limits: CgroupLimits(plan.resources), tracks: true)
        }
        let groups = group?.groups ?? []
        // From now on this process answers for it, and what it leaves is known.
        try progress.note(groups)
        let images = try translated { () throws(SystemError) in try StateFolder(existing: snapshot.images) }
        // CRIU's log is the sandbox's: the snapshot stays as it is.
        let work = try translated { () throws(SystemError) in
            try StateFolder(existing: registry.path(request.name ?? ""))
        }
        var restore = Restore(
            images: images.descriptor.number, work: work.descriptor.number, workPath: work.path)
        restore.connections = snapshot.manifest.tcp
        restore.traits = saved.traits
        restore.groups = try translated { () throws(SystemError) in try group?.openEntrances(cloned: false) ?? [] }
        restore.files = saved.files.map { ($0.key, $0.role == .log ? kept.output : kept.input) }
        let network = try makeNetwork(progress)
        restore.network = network
        let root: Int32
        do throws(LaunchError) {
            root = try restore.run(engine) { pid throws(LaunchError) in try progress.start(pid, groups, inPlace: nil) }
            try progress.begin()
        } catch {
            // Its record names no process but this one, which is to report.
            try progress.withoutProcess()
            if network >= 0 { close(network) }
            throw error
        }
        if network >= 0 { close(network) }
        foreground?.begun()
        lock.release()
        var remains = Remains()
        remains.record = (registry.state.path, progress.record.name)
        remains.groups = groups
        return try Launcher.wait(for: root, remains)
    }

    /// A network namespace with the ports that it had, locked before it has any.
    private func makeNetwork(_ progress: LaunchProgress) throws(LaunchError) -> Int32 {
        guard old.namespaces.contains(.net) else { return -1 }
        let interfaces = try Interfaces(plan, registry.state)
        let network = try translated { () throws(SystemError) in
            let own = try Descriptor(open: "/proc/self/ns/net", O_RDONLY)
            try unshareNamespaces(.net)
            let made = linux_open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC, 0)
            let code = errno
            try bringLoopbackUp()
            try joinNamespace(own.number, .net, name: "the network namespace of before")
            if made < 0 { throw SystemError("open a new network namespace", code: code) }
            return made
        }
        try switched("network") { () throws(SwitchError) in try NetworkLock.lock(network) }
        if let interfaces { try progress.note(try interfaces.attach(network, getpid())) }
        return network
    }
}
