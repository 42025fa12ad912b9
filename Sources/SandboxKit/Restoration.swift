import Addresses
import CLinux
import Checkpoint
import Glibc
import Kernel
import Launch
import Profile
import Switching

/// One restore of a sandbox.
struct Restoration {
    let registry: Registry
    let request: LaunchRequest
    /// Of the sandbox that it will be.
    let profile: Profile
    /// Which one of several of the same snapshot; `nil` for the sandbox itself.
    let clone: Int?
    let old: SandboxRecord
    let plan: LaunchPlan
    let saved: Restorable

    /// Its name from now on.
    var name: String { request.name ?? "" }

    /// Whether connections are those of another: the sandbox's own have gone on since, or its first one has them.
    private let closesConnections: Bool
    /// Whether it begins before its memory is there, and where that comes from then.
    let late: (isLate: Bool, source: PageSource?)

    /// - Parameter isBehind: whether the sandbox went on after it had been saved, so that its peers did too.
    /// - Parameter clone: which one of several of the same snapshot, from 1 on; `nil` for the sandbox itself.
    init(
        _ registry: Registry, _ snapshot: Snapshot, _ options: RestoreOptions, clone: Int? = nil,
        isBehind: Bool = false
    ) throws(LaunchError) {
        closesConnections = isBehind || clone != nil
        late = (options.isLazy, options.pages)
        self.registry = registry
        self.clone = clone
        try stored { () throws(SnapshotError) in try snapshot.manifest.versions.check(on: .ofHost()) }
        let original = snapshot.manifest.sandbox
        guard let record = try Restoration.read(File.state, snapshot).flatMap({ SandboxRecord($0, name: original) }),
            var request = try Restoration.read(File.request, snapshot).flatMap({ LaunchRequest($0) }),
            let saved = try Restoration.read(Restorable.file, snapshot).flatMap({ Restorable($0) })
        else { throw LaunchError("the snapshot \"\(snapshot.manifest.id)\" is damaged", mend: "take another") }
        (self.saved, old) = (saved, record)
        let base = options.name ?? original
        request.name = clone.map { "\(base)-\($0)" } ?? base
        try Registry.check(request.name ?? "")
        let changes = options.changes
        if !changes.isEmpty { request.profile = try registry.merged(request, changes).merged }
        var profile = try registry.profile(request, original)
        if !changes.isEmpty, profile.network.interface.kind?.makesInterface != true {
            throw LaunchError(
                "\"\(original)\" has no interface of its own", mend: "leave out --address and --switch")
        }
        if clone != nil {
            if let overlay = profile.filesystem.overlay, overlay.upper != .tmpfs {
                throw LaunchError(
                    key: "filesystem.overlay", "clones would write into one directory of changes",
                    mend: "restore \"\(original)\" alone, or use an overlay whose upper is tmpfs")
            }
            try profile.network.free(original)
            request.profile = profile.document
        }
        self.profile = profile
        self.request = request
        var plan = try Sandbox.plan(profile, request)
        // The addresses that its connections have.
        for index in plan.interfaces.indices where clone == nil {
            let interface = plan.interfaces[index]
            guard let port = record.ports.first(where: { $0.name == interface.name }) else { continue }
            if options.addresses.isEmpty || interface.key != "network" {
                plan.interfaces[index].interface.address = port.addresses.isEmpty ? .none : .fixed(port.addresses)
            }
            if let mac = port.mac { plan.interfaces[index].interface.hardwareAddress = .fixed(mac) }
        }
        // It comes back with the filter that it had.
        if plan.hidesNoFrames, !record.ports.contains(where: { $0.attach.sharesDevice }) {
            throw LaunchError(
                key: "network.switch",
                "\"\(original)\" was saved with sockets that send past what holds a port of kind macvlan",
                mend: "take a switch of kind bridge, or start it anew there")
        }
        self.plan = plan
    }

    /// The profile that a snapshot's sandbox had.
    static func profile(of snapshot: Snapshot, _ registry: Registry) throws(LaunchError) -> Profile {
        guard let request = try read(File.request, snapshot).flatMap({ LaunchRequest($0) }) else {
            throw LaunchError("the snapshot \"\(snapshot.manifest.id)\" is damaged", mend: "take another")
        }
        return try registry.profile(request, snapshot.manifest.sandbox)
    }

    private static func read(_ file: String, _ snapshot: Snapshot) throws(LaunchError) -> Value? {
        let text = try translated { () throws(SystemError) in try StateFolder(existing: snapshot.path).read(file) }
        guard let text else { return nil }
        do throws(ProfileError) { return try TOMLDocument(file: file, text: text).value } catch { return nil }
    }

    /// - Parameter proven: the snapshot's memory, where another process has begun with it already.
    func run(_ snapshot: Snapshot, isDetached: Bool, _ proven: Proven? = nil) throws(LaunchError) -> Int32 {
        let engine = try CRIUEngine.find()
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
                    try restore(engine, snapshot, progress, kept, lock, foreground, proven)
                }
                return 0
            }
            return try restore(engine, snapshot, progress, kept, lock, nil, proven)
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

    /// Lets a sandbox that has ended go on from a snapshot, in the process that waited for it.
    func again(
        _ record: SandboxRecord, _ snapshot: Snapshot, _ lock: borrowing NameLock
    ) throws(LaunchError) -> Int32 {
        let kept = try registry.openKept(name, plan)
        return try restore(try CRIUEngine.find(), snapshot, LaunchProgress(record, registry), kept, lock, nil)
    }

    /// CRIU wants every file at least as long as it was.
    private func putLogBack(_ name: String, _ snapshot: Snapshot) throws(LaunchError) {
        try translated { () throws(SystemError) in
            guard let folder = try registry.openFolder(name) else { return }
            let saved = try StateFolder(existing: snapshot.path)
            for file in File.output where FileStatus(path: "\(saved.path)/\(file)", follow: false) != nil {
                let source = try saved.open(file, O_RDONLY)
                let log = try folder.append(file)
                try copyAll(from: source.number, to: log.number, name: file)
            }
        }
    }

    private func restore(
        _ engine: CRIUEngine, _ snapshot: Snapshot, _ progress: LaunchProgress, _ kept: KeptDescriptors,
        _ lock: borrowing NameLock, _ foreground: Foreground?, _ proven: Proven? = nil
    ) throws(LaunchError) -> Int32 {
        let store = try stored { () throws(SnapshotError) in try SnapshotStore.ofCaller() }
        // First, since it takes longest and must not hold what is opened for CRIU.
        let proven = if let proven { proven } else { try prove(snapshot, in: store) }
        let group = try translated { () throws(SystemError) in
            try Cgroup.create(name: plan.name, limits: CgroupLimits(plan.resources), tracks: true)
        }
        let groups = group?.groups ?? []
        // From now on this process answers for it, and what it leaves is known.
        try progress.note(groups)
        let network = try makeNetwork(progress)
        CrashPoint.pass("network")
        let root: Int32
        let unlocked = UnlockedNetwork()
        do throws(LaunchError) {
            let entrances = try translated { () throws(SystemError) in
                try group?.openEntrances(cloned: false) ?? []
            }
            root = try bringBack(engine, snapshot, progress, kept, network, entrances, (proven, unlocked))
            try progress.begin()
            CrashPoint.pass("restored")
        } catch {
            // Its record names no process but this one, which is to report.
            try progress.withoutProcess()
            if network >= 0 { close(network) }
            throw error
        }
        if network >= 0 { close(network) }
        foreground?.begun()
        lock.release()
        unlocked.end()
        var remains = Remains()
        remains.record = (registry.state.path, progress.record.name)
        remains.groups = groups
        remains.errand = PeriodicErrand(plan, registry)
        return try Launcher.wait(for: root, remains, kept.relay)
    }

    /// Has CRIU bring the processes back, from the snapshot's images or from a view of them.
    /// - Parameter entrances: lists of processes of its control groups.
    private func bringBack(
        _ engine: CRIUEngine, _ snapshot: Snapshot, _ progress: LaunchProgress, _ kept: KeptDescriptors,
        _ network: Int32, _ entrances: [Int32],
        _ helpers: (proven: Proven, unlocked: UnlockedNetwork)
    ) throws(LaunchError) -> Int32 {
        // CRIU's log is the sandbox's: the snapshot stays as it is.
        let work = try translated { () throws(SystemError) in try StateFolder(existing: registry.path(name)) }
        let changes = addressChanges(progress.record.ports)
        let surroundings = try Surroundings(
            registry, name, plan, saved.foreign, snapshot, isCopy: name != snapshot.manifest.sandbox)
        func run(_ source: borrowing StateFolder) throws(LaunchError) -> Int32 {
            var restore = Restore(
                images: source.descriptor.number, work: work.descriptor.number, workPath: work.path)
            restore.connections = closesConnections || !changes.isEmpty ? .close : snapshot.manifest.tcp
            restore.network = network
            restore.groups = entrances
            restore.hasOwnKeyring = profile.process.sessionKeyring
            restore.traits = saved.traits
            (restore.root, restore.sources) = (surroundings.root, surroundings.sources)
            restore.unlocked = helpers.unlocked
            restore.prove = { () throws(LaunchError) in try helpers.proven.before.confirm() }
            restore.prepare = { () throws(LaunchError) in try surroundings.build() }
            (restore.namespaces, restore.mounts) = (old.namespaces, saved.mounts)
            restore.notes = registry.kernelNotes(engine, old.namespaces)
            if late.isLate { restore.memory = lateMemory(late.source, helpers.proven.later, of: snapshot.manifest.id) }
            // Who watches over the memory has them by then.
            defer { late.source?.close() }
            restore.files = saved.files.map { ($0.key, $0.role == .log ? kept.output : kept.input) }
            return try restore.run(engine) { pid throws(LaunchError) in
                try progress.start(pid, progress.record.groups, inPlace: nil)
                try confirmGroups(progress.record.groups, have: pid)
            }
        }
        let store = try stored { () throws(SnapshotError) in try SnapshotStore.ofCaller() }
        return try store.expanded(snapshot) { ready throws(LaunchError) in
            let images = try translated { () throws(SystemError) in try StateFolder(existing: ready.images) }
            let others = helpers.proven.later?.images ?? [:]
            if changes.isEmpty, others.isEmpty { return try run(images) }
            return try ImageView.show(images, in: work.path, changes, others, run)
        }
    }

    /// It is limited as it was.
    private func confirmGroups(_ groups: [Cgroup.Group], have pid: Int32) throws(LaunchError) {
        for group in groups {
            let members = try translated { () throws(SystemError) in try Cgroup(groups: [group]).processes() }
            if !members.contains(pid) {
                throw LaunchError("the restored application would not be in its control group \(group.path)")
            }
        }
    }

    /// How the addresses differ from those that it had.
    private func addressChanges(_ ports: [Port]) -> AddressChanges {
        var changes = AddressChanges()
        for before in old.ports {
            let now = ports.first { $0.name == before.name }
            changes.add(before: before.addresses.map(\.address), now: now?.addresses.map(\.address) ?? [])
        }
        return changes
    }

    /// A network namespace with the ports that it had, locked before it has any.
    private func makeNetwork(_ progress: LaunchProgress) throws(LaunchError) -> Int32 {
        guard old.namespaces.contains(.net) else { return -1 }
        let functions = try registry.startFunctions(plan) { boxes throws(LaunchError) in try progress.note(boxes) }
        let interfaces = try Interfaces(plan, registry.state, functions)
        let network = try translated { () throws(SystemError) in
            let own = try ownNetworkNamespace()
            try unshareNamespaces(.net)
            let made = linux_own_network()
            let code = errno
            try bringLoopbackUp()
            try joinNamespace(own.number, .net, name: "the network namespace of before")
            if made < 0 { throw SystemError("open a new network namespace", code: code) }
            return made
        }
        try switched("network") { () throws(SwitchError) in try NetworkLock.lock(network) }
        if let interfaces {
            try interfaces.attach(network, getpid())
            try progress.note(interfaces.ports)
        }
        return network
    }
}

extension Profile.Network {
    /// Lets each of several clones have addresses of its own.
    fileprivate mutating func free(_ sandbox: String) throws(LaunchError) {
        try interface.free(sandbox, key: "network")
        for index in more.indices { try more[index].free(sandbox, key: "network.more[\(index)]") }
    }
}

extension Profile.Interface {
    fileprivate mutating func free(_ sandbox: String, key: String) throws(LaunchError) {
        if let port = publish.first {
            throw LaunchError(
                key: "\(key).publish", "only one sandbox can have the host's port \(port)",
                mend: "restore \"\(sandbox)\" alone, or put the function load-balancer before clones that publish none")
        }
        if kind == .physical {
            throw LaunchError(key: "\(key).attach", "only one sandbox can have the device", mend: "restore it alone")
        }
        if case .fixed = address { address = .auto }
        if case .fixed = hardwareAddress { hardwareAddress = .auto }
    }
}
