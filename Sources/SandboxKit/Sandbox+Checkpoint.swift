import Addresses
import CLinux
public import Checkpoint
import Glibc
import Kernel
public import Launch
import Profile
import Switching

/// How a sandbox is to be saved.
public struct CheckpointOptions: Sendable {
    /// The snapshot's name; the sandbox's and the time where `nil`.
    public var snapshot: String?
    /// Whether the application goes on afterwards.
    public var leavesRunning = false
    /// What becomes of TCP connections; as the profile says where `nil`.
    public var connections: Connections?
    /// Whether the snapshot is compressed once the application has been let go; as the profile says where `nil`.
    public var compresses: Bool?
    /// Whether its memory is copied before, while it runs; as the profile says where `nil`.
    public var copiesBefore: Bool?
    /// How often at the most.
    public var preCopy = PreCopyPlan()
    /// Whether the snapshot is on disk in the end. Where it is not, a power cut soon afterwards can take it.
    public var syncs = true
    /// Whether it is one of a row of which only the newest are kept.
    var isAutomatic = false

    /// Told what is worth knowing and no failure.
    public var notice: @Sendable (_ text: String) -> Void = { _ in }

    /// What is usual.
    public init() {}
}

extension Sandbox {
    /// Saves the sandbox's processes, memory and connections in a snapshot, and ends it, or lets it go on. Whatever fails
    /// lets it go on, and leaves no snapshot.
    /// - Returns: the snapshot's name.
    public func checkpoint(_ options: CheckpointOptions = CheckpointOptions()) throws(LaunchError) -> String {
        try checkpoint(options, handOver: nil)
    }

    /// - Parameter handOver: takes the snapshot, whole, to where the sandbox is to go on, while it stands still here; it is
    ///   told for how many microseconds it has so far. When it throws the sandbox goes on here, and no snapshot is left.
    /// - Parameter move: takes it where it is to go on before its memory is there.
    /// - Parameter frames: begin to be kept when it stands still.
    /// - Parameter carry: takes each copy of its memory there that is made while it runs.
    func checkpoint(
        _ options: CheckpointOptions, handOver: ((_ id: String, _ frozen: Int) throws(LaunchError) -> Void)?,
        move: LazyMove? = nil, frames: WaitingFrames? = nil,
        carry: ((_ files: [Manifest.File], _ draft: SnapshotDraft) throws(LaunchError) -> Void)? = nil
    ) throws(LaunchError) -> String {
        let engine = try CRIUEngine.find()
        let lock = try registry.lock(name)
        guard let record = try registry.settle(lock) else { throw Registry.unknown(name) }
        guard record.phase == .running, let process = record.process else { throw notRunning }
        let profile = try registry.profile(of: name)
        let connections = options.connections ?? profile.checkpoint.tcp
        let picture = try lastPicture(record, profile, options)
        let copiesBefore = options.copiesBefore ?? profile.checkpoint.preCopy
        if copiesBefore { try engine.requireMemoryTracking() }
        let store = try stored { () throws(SnapshotError) in try SnapshotStore.ofCaller() }
        let id = options.snapshot ?? store.newID(for: name, now: unixMilliseconds())
        let saving = Checkpointing(
            registry: registry, store: store, record: record, options: options, id: id,
            connections: connections, profile: profile, unlock: lock.releaser, handOver: handOver, move: move,
            frames: frames,
            preCopying: copiesBefore ? PreCopying(plan: options.preCopy, carry: carry) : nil, picture: picture)
        // What those that were killed have left.
        _ = try stored { () throws(SnapshotError) in try store.sweep() }
        try saving.run(engine, root: process.pid)
        if options.leavesRunning {
            try EventLog(registry.state).add("saved", name, [("snapshot", .string(id))])
        } else {
            try registry.putAside(record)
            lock.release()
            try registry.waitForWaiter(of: record)
        }
        if options.compresses ?? (profile.checkpoint.compression == .zstd) {
            do throws(SnapshotError) { try store.compress(id) } catch {
                throw LaunchError("the snapshot \"\(id)\" is complete, but could not be compressed: \(error.message)")
            }
        }
        return id
    }
}

/// One checkpoint of a sandbox.
private struct Checkpointing {
    let registry: Registry
    let store: SnapshotStore
    let record: SandboxRecord
    let options: CheckpointOptions
    let id: String
    let connections: Connections
    let profile: Profile
    /// Lets other commands at the sandbox.
    let unlock: () -> Void
    let handOver: ((_ id: String, _ frozen: Int) throws(LaunchError) -> Void)?
    let move: LazyMove?
    let frames: WaitingFrames?
    let preCopying: PreCopying?
    /// What its display showed.
    let picture: [UInt8]?

    func run(_ engine: CRIUEngine, root: Int32) throws(LaunchError) {
        let draft = try stored { () throws(SnapshotError) in try store.begin(id) }
        draft.isSynced = options.syncs
        do throws(LaunchError) {
            try save(engine, root, draft)
        } catch {
            var error = error
            if move?.isHanded == true { discardHanded(&error) }
            do throws(SnapshotError) { try draft.discard() } catch let second { error.message += "; \(second.message)" }
            throw error
        }
    }

    private func save(
        _ engine: CRIUEngine, _ root: Int32, _ draft: SnapshotDraft
    ) throws(LaunchError) {
        let begun = unixMilliseconds()
        let images = try translated { () throws(SystemError) in try StateFolder(existing: draft.images) }
        var dump = Dump(
            root: root, waiter: record.launcher.pid, images: images.descriptor.number, path: draft.images)
        var digests: MemoryDigests?
        if move == nil {
            // First, since it must not hold what is opened for CRIU. One that goes on would stand still for longer by it.
            if !options.leavesRunning {
                digests = try translated { () throws(SystemError) in try MemoryDigests(of: images, syncs: options.syncs)
                }
            }
            dump.started = try StartedEngine(
                engine, registry.kernelNotes(engine, record.namespaces), images: dump.images)
        }
        // CRIU takes longer to start than this.
        try registry.refuseBlockers(record, connections)
        dump.connections = connections
        let network =
            record.namespaces.contains(.net) ? linux_open("/proc/\(root)/ns/net", O_RDONLY | O_CLOEXEC, 0) : -1
        defer { if network >= 0 { close(network) } }
        dump.network = network
        let group = Cgroup(groups: record.groups)
        let copies: MemoryCopies?
        if try registry.isPaused(record) {
            // It writes to nothing.
            copies = nil
            dump.freezer = record.groups.first { $0.path.contains("/freezer/") }?.path ?? group.path
        } else {
            copies = try copyMemory(engine, root, draft)
        }
        dump.parent = copies?.last
        let logPath = registry.path(record.name) + "/" + File.log
        let keeper = profile.lifecycle.logSize == nil ? nil : record.launcher.pid
        var files = try ExternalFiles(
            log: FileStatus(path: logPath), hasMountNamespace: record.namespaces.contains(.mount), keeper: keeper)
        for process in try translated({ () throws(SystemError) in try processTree(of: root) }) {
            do throws(LaunchError) { try files.look(at: process) } catch {
                // One that has ended meanwhile has nothing open.
                if try !translated({ () throws(SystemError) in try hasEnded(process) }) { throw error }
            }
        }
        dump.files = files.found
        let surroundings = try SavedSurroundings(registry, record, profile, root: root)
        dump.mounts = surroundings.mounts
        try abandonWhenKilled(&dump)
        if let move { move.prepare(&dump) }
        if let frames {
            dump.locking = { () throws(LaunchError) in
                try switched("network") { () throws(SwitchError) in try frames.keep() }
            }
        }
        CrashPoint.pass("ask CRIU")
        var manifest = try manifest()
        dump.versioned = { manifest.versions.criu = $0.text }
        let folder = try translated { () throws(SystemError) in try StateFolder(existing: draft.path) }
        try copyFiles(to: folder)
        if let picture {
            try translated { () throws(SystemError) in try folder.write(Snapshot.picture, picture) }
        }
        let sockets = SocketTables(of: root)
        dump.meanwhile = { () throws(LaunchError) in
            try translated { () throws(SystemError) in try sockets.read() }
        }
        manifest.rounds = copies?.rounds ?? []
        try dump.run(engine) { () throws(LaunchError) in
            digests?.end()
            try copyOutput(to: folder, keeper, files.found)
            let foreign = try surroundings.gather(into: folder, root: root)
            // Only now they stand still, and none comes or goes.
            let processes = try translated { () throws(SystemError) in try processTree(of: root) }
            var traits: [Traits] = []
            for process in processes {
                // What has ended and was not waited for comes back as that, confined by nothing.
                let isOver = try translated { () throws(SystemError) in try hasEnded(process) }
                if !isOver { traits.append(try Traits(of: process)) }
            }
            try translated { () throws(SystemError) in
                let mounts = surroundings.mounts?.saved ?? []
                try folder.write(Restorable.file, Restorable(files.found, traits, mounts, foreign).text)
                try manifest.gather(processes, surroundings.mounts, sockets)
                manifest.upper = surroundings.archive
            }
        } hand: { frozen throws(LaunchError) in
            manifest.frozen = frozen
            manifest.created = unixMilliseconds()
            do throws(LaunchError) {
                try stored { () throws(SnapshotError) in try draft.commit(manifest) }
            } catch {
                move?.abandon()
                throw error
            }
            try move?.hand(id, frozen: frozen)
        } settle: { frozen throws(LaunchError) in
            // One that goes on can be stopped while the disk is written.
            if options.leavesRunning { unlock() }
            if let move {
                try move.finish()
            } else {
                manifest.frozen = frozen
                manifest.created = unixMilliseconds()
                manifest.duration = (manifest.created - begun) * 1000
                try copies?.unlink()
                try stored { () throws(SnapshotError) in try draft.commit(manifest, digests) }
                CrashPoint.pass("commit")
                try giveAway(frozen)
            }
            if options.leavesRunning { return }
            // First, so that its waiter takes the end for what it is.
            var record = record
            record.phase = .checkpointed
            record.ended = unixMilliseconds()
            try registry.write(record)
            CrashPoint.pass("record")
        }
    }

    private func copyMemory(
        _ engine: CRIUEngine, _ root: Int32, _ draft: SnapshotDraft
    ) throws(LaunchError) -> MemoryCopies? {
        let (store, id) = (store, id)
        let owner = try translated { () throws(SystemError) in try ProcessIdentity.own() }
        // Nobody is left to tell; the next command sweeps what is.
        return try preCopying?.run(engine, root: root, in: draft) { try? store.discard(id, of: owner) }
    }

    private func giveAway(_ frozen: Int) throws(LaunchError) {
        guard let handOver else { return }
        do throws(LaunchError) {
            try handOver(id, frozen)
        } catch {
            var error = error
            do throws(SnapshotError) { try store.delete(id) } catch let second {
                error.message += "; \(second.message)"
            }
            throw error
        }
        CrashPoint.pass("handed over")
    }

    /// What was handed on without its memory is no snapshot.
    private func discardHanded(_ error: inout LaunchError) {
        do throws(SnapshotError) { try store.delete(id) } catch let second { error.message += "; \(second.message)" }
    }

    /// What becomes of it when this process is killed.
    private func abandonWhenKilled(_ dump: inout Dump) throws(LaunchError) {
        let (store, id, registry, record) = (store, id, registry, record)
        let owner = try translated { () throws(SystemError) in try ProcessIdentity.own() }
        dump.goesOn = options.leavesRunning
        // Nobody is left to tell.
        let isPartial = move != nil
        dump.abandon = {
            try? store.discard(id, of: owner)
            if isPartial { try? store.delete(id) }
        }
        dump.finish = {
            try? registry.putAside(record)
            if isPartial { try? store.delete(id) }
        }
        dump.isRecorded = {
            // What cannot be read tells nothing, and then the application is to go on.
            guard let now = try? registry.find(record.name) else { return false }
            return now.phase == .checkpointed && now.process == record.process
        }
    }

    /// What the sandbox was asked for and is, and what it has written.
    private func copyFiles(to folder: borrowing StateFolder) throws(LaunchError) {
        let request = try registry.request(record.name)
        try translated { () throws(SystemError) in
            try folder.write(File.request, request.text)
            try folder.write(File.state, record.text)
        }
    }

    /// Its output so far, with what the process that keeps it has not read yet.
    private func copyOutput(
        to folder: borrowing StateFolder, _ keeper: Int32?, _ files: [ExternalFile]
    ) throws(LaunchError) {
        var unread: [UInt8] = []
        if let keeper {
            // It is woken with the box, or for its end.
            kill(keeper, SIGSTOP)
            let keys = files.map(\.key).filter { $0.hasPrefix("pipe:") }
            unread = try unreadOutput(of: keeper, in: Set(keys))
        }
        try translated { () throws(SystemError) in
            guard let own = try registry.openFolder(record.name) else { return }
            for name in File.output where FileStatus(path: "\(own.path)/\(name)", follow: false) != nil {
                let file = try own.open(name, O_RDONLY)
                let copy = try folder.open(name, O_WRONLY | O_CREAT | O_TRUNC)
                try copyAll(from: file.number, to: copy.number, name: name)
            }
            if unread.isEmpty { return }
            let marks = try own.open(File.marks, O_RDONLY)
            let turn = Int((try OutputLog.lastTurn(marks.number) ?? 0) % 2)
            let log = try folder.append(File.ring[turn])
            try writeText(String(decoding: unread, as: UTF8.self), to: log.number, name: "the log")
        }
    }

    private func manifest() throws(LaunchError) -> Manifest {
        let request = try registry.request(record.name)
        var manifest = Manifest(
            id: id, sandbox: record.name, created: unixMilliseconds(), profile: request.profile,
            request: .string(request.text), plan: .null)
        manifest.tcp = connections
        manifest.isAutomatic = options.isAutomatic
        manifest.command = record.command
        manifest.namespaces = record.namespaces
        manifest.versions = try stored { () throws(SnapshotError) in try .ofHost() }
        manifest.interfaces = record.ports.map { port in
            .init(
                name: port.name, attach: port.attach.rawValue, switchName: port.switchName,
                mac: port.mac.map { $0.description }, addresses: port.addresses.map { $0.description })
        }
        return manifest
    }
}

/// Runs `body` and turns a snapshot's error into a launch's.
@discardableResult
func stored<Result>(_ body: () throws(SnapshotError) -> Result) throws(LaunchError) -> Result {
    do throws(SnapshotError) { return try body() } catch { throw LaunchError(error.message) }
}

/// Copies one file's bytes behind another's.
func copyAll(from source: Int32, to target: Int32, name: String) throws(SystemError) {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = try check("read \(name)") { Int32(read(source, &bytes, bytes.count)) }
        if count == 0 { return }
        var done = 0
        while done < Int(count) {
            let written = try check("write \(name)") {
                bytes.withUnsafeBytes { Int32(write(target, $0.baseAddress?.advanced(by: done), Int(count) - done)) }
            }
            done += Int(written)
        }
    }
}

extension Registry {
    /// Ends a sandbox that is saved, and keeps it as one that can come back; for one who has the lock.
    func putAside(_ record: SandboxRecord) throws(LaunchError) {
        var record = record
        record.phase = .checkpointed
        record.ended = record.ended ?? unixMilliseconds()
        try endProcesses(of: record)
        CrashPoint.pass("processes ended")
        let group = try empty(&record)
        record.process = nil
        record.application = nil
        try write(record)
        CrashPoint.pass("put aside")
        try EventLog(state).add("checkpointed", record.name)
        try removeGroup(group)
    }

    /// So that what comes next under the name is not in its way.
    fileprivate func waitForWaiter(of record: SandboxRecord) throws(LaunchError) {
        try translated { () throws(SystemError) in
            guard let waiter = try ProcessHandle(record.launcher) else { return }
            _ = try waiter.waitForEnd(milliseconds: 10_000)
        }
    }
}
