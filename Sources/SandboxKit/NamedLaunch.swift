import Addresses
import CLinux
import Checkpoint
import Glibc
import Kernel
import Launch
import Profile
import Switching

/// The launch of a sandbox that is entered in the registry.
struct NamedLaunch {
    private let registry: Registry
    private let plan: LaunchPlan
    private let arguments: CommandWords?
    private let shrinks: Bool
    private let held: [Int32]
    private let notice: (String) -> Void

    init(
        _ registry: Registry, _ plan: LaunchPlan, _ arguments: CommandWords?, shrinks: Bool, held: [Int32] = [],
        notice: @escaping (String) -> Void = { _ in }
    ) {
        self.registry = registry
        self.plan = plan
        self.arguments = arguments
        self.shrinks = shrinks
        self.held = held
        self.notice = notice
    }

    /// Enters the sandbox and launches it. What fails leaves no record.
    func begin(_ request: LaunchRequest, _ lock: borrowing NameLock) throws(LaunchError) -> Int32 {
        // Nobody but root can save it.
        if plan.isCopiedBefore, geteuid() == 0 { try CRIUEngine.find().requireMemoryTracking() }
        let record = try newRecord(request)
        try registry.create(record, request, lock)
        let progress = LaunchProgress(record, registry)
        let status: Int32
        do throws(LaunchError) {
            try EventLog(registry.state).add("created", record.name)
            status = try launch(progress, lock)
        } catch {
            var error = error
            do throws(LaunchError) {
                try progress.undo(lock)
            } catch let second {
                error.message += "; left behind: \(second.message)"
            }
            throw error
        }
        return plan.detachment == nil ? try registry.finish(record.name, status: status) : status
    }

    private func launch(_ progress: LaunchProgress, _ lock: borrowing NameLock) throws(LaunchError) -> Int32 {
        let name = progress.record.name
        guard let detachment = plan.detachment else {
            var kept = KeptDescriptors()
            if isInPlace { kept.exit = try registry.openExit(name) }
            return try launch(progress, kept, lock)
        }
        let kept = try registry.openKept(name, plan)
        guard detachment == .waiter else { return try launch(progress, kept, lock) }
        try Launcher.inBackground(kept) { foreground throws(LaunchError) in
            let status = try launch(progress, kept, lock, foreground)
            return try registry.finish(name, status: status)
        }
        return 0
    }

    private var isInPlace: Bool { plan.supervision == .none }

    /// Launches a sandbox that is entered already.
    func launch(
        _ progress: LaunchProgress, _ kept: KeptDescriptors, _ lock: borrowing NameLock,
        _ foreground: Foreground? = nil
    ) throws(LaunchError) -> Int32 {
        var context = LaunchContext(arguments: arguments, remains: shrinks ? Remains() : nil)
        context.notice = notice
        context.remains?.record = (registry.state.path, progress.record.name)
        context.remains?.errand = PeriodicErrand(plan, registry)
        context.kept = kept
        context.held = [lock.descriptor]
        // The one in the background answers nobody but the one in the foreground.
        if let foreground { context.held.append(foreground.descriptor) } else { context.held += held }
        let note = isInPlace ? kept.exit : nil
        context.started = { pid, groups throws(LaunchError) in try progress.start(pid, groups, inPlace: note) }
        let functions = try registry.startFunctions(plan) { boxes throws(LaunchError) in try progress.note(boxes) }
        let interfaces = try Interfaces(plan, registry.state, functions)
        if let interfaces {
            context.held += interfaces.descriptors
            context.network = interfaces.host
        }
        if plan.isFunction || interfaces != nil {
            context.attach = { namespace, pid throws(LaunchError) in
                if let interfaces {
                    try interfaces.attach(namespace, pid)
                    try progress.note(interfaces.ports)
                }
                for chain in functions { try registry.standForApplication(chain, namespace) }
                try progress.joinChain(namespace, pid)
                return interfaces?.nameServers ?? []
            }
        }
        var plan = plan
        plan.mustNotBeRoot = interfaces?.needUnprivilegedUser ?? false
        try registry.placeOverlay(&plan, progress.record.name)
        let unlock = lock.releaser
        context.begun = { () throws(LaunchError) in
            try progress.begin()
            // With the lock still: until it knows, the one in the foreground takes our end for a launch that failed.
            foreground?.begun()
            unlock()
            try progress.renewFunction()
        }
        return try Launcher.run(plan, context)
    }

    private func newRecord(_ request: LaunchRequest) throws(LaunchError) -> SandboxRecord {
        try translated { () throws(SystemError) in
            var record = SandboxRecord(
                name: plan.name ?? "", launcher: try .own(), boot: try bootIdentity(), created: unixMilliseconds())
            record.profiles = request.profiles
            record.command = plan.command
            record.isDetached = request.isDetached
            record.removesRecord = request.removesRecord
            record.function = request.function
            if case .waiter(initProcess: true, _) = plan.supervision { record.hasInit = true }
            record.hasWaiter = plan.supervision != .none && plan.detachment != .alone
            for kind in NamespaceKind.allCases
            where plan.namespaces.unshare.contains(kind) || plan.namespaces.join.contains(where: { $0.kind == kind }) {
                record.namespaces.append(kind)
            }
            return record
        }
    }
}

/// Writes down how far a launch is.
final class LaunchProgress {
    private(set) var record: SandboxRecord
    private let registry: Registry
    /// Where a process that sets the box up around itself tells of its failure.
    private var note: Int32?

    init(_ record: SandboxRecord, _ registry: Registry) {
        self.record = record
        self.registry = registry
    }

    func start(_ pid: Int32, _ groups: [Cgroup.Group], inPlace note: Int32?) throws(LaunchError) {
        try translated { () throws(SystemError) in
            guard let process = try ProcessIdentity(pid: pid) else {
                throw SystemError("look at process \(pid)", code: ESRCH)
            }
            record.launcher = try .own()
            record.process = process
            record.groups = groups
        }
        guard let note else { return try registry.write(record) }
        try begin()
        self.note = note
    }

    /// What was started has ended.
    func withoutProcess() throws(LaunchError) {
        record.process = nil
        record.application = nil
        try registry.write(record)
    }

    /// This process answers for it, and for these control groups.
    func note(_ groups: [Cgroup.Group]) throws(LaunchError) {
        record.launcher = try translated { () throws(SystemError) in try .own() }
        record.groups = groups
        try registry.write(record)
    }

    /// The box has its interfaces.
    func note(_ ports: [Port]) throws(LaunchError) {
        record.ports = ports
        try registry.write(record)
        for port in ports {
            try EventLog(registry.state).add(
                "port-added", record.name,
                [
                    ("interface", .string(port.name)), ("switch", port.switchName.map { .string($0) } ?? .null),
                    ("addresses", .strings(port.addresses.map { $0.description })),
                ])
        }
    }

    /// Its chains have these sandboxes.
    func note(_ functions: [String]) throws(LaunchError) {
        record.functions = functions
        try registry.write(record)
    }

    /// The box has the interfaces of a function, where it is one.
    func joinChain(_ namespace: Int32, _ pid: Int32) throws(LaunchError) {
        guard let place = record.function else { return }
        let pair = try registry.makePair(place, namespace, pid, of: record.name)
        record.function?.pair = pair
        try registry.write(record)
    }

    /// One that has begun again is led to again.
    func renewFunction() throws(LaunchError) {
        if record.restarts > 0, record.function?.pair != nil { try registry.renewFunction(record) }
    }

    func begin() throws(LaunchError) {
        record.phase = .running
        record.started = unixMilliseconds()
        record.application = try translated { () throws(SystemError) in try application() }
        try registry.write(record)
        try EventLog(registry.state).add(
            record.restarts > 0 ? "restarted" : "started", record.name,
            [("pid", (record.application ?? record.process).map { .integer(Int($0.pid)) } ?? .null)])
    }

    /// Leaves no record of a launch that failed.
    func undo(_ lock: borrowing NameLock) throws(LaunchError) {
        guard let note else { return try registry.discard(lock) }
        // By now the registry may be out of reach: another root, another user. Who settles the sandbox forgets it.
        try translated { () throws(SystemError) in try writeText(Registry.failure, to: note, name: File.exit) }
    }

    /// The command below our init; `nil` when it has ended already. What serves its display came before it, each in a
    /// session of its own.
    private func application() throws(SystemError) -> ProcessIdentity? {
        guard let process = record.process, record.hasInit else { return record.process }
        let text: String
        do throws(SystemError) {
            text = try readText("/proc/\(process.pid)/task/\(process.pid)/children")
        } catch {
            if error.code == ENOENT || error.code == ESRCH { return nil }
            throw error
        }
        let session = getsid(process.pid)
        let children = text.split(separator: " ").compactMap { Int32($0) }
        guard let pid = children.first(where: { getsid($0) == session }) else { return nil }
        return try ProcessIdentity(pid: pid)
    }
}

extension Registry {
    /// The files of a detached sandbox.
    func openKept(_ name: String, _ plan: LaunchPlan) throws(LaunchError) -> KeptDescriptors {
        try translated { () throws(SystemError) in
            guard let folder = try openFolder(name) else {
                throw SystemError("open the state of \(name)", code: ENOENT)
            }
            var kept = KeptDescriptors()
            kept.input = try Descriptor(open: "/dev/null", O_RDONLY).take()
            let files = try folder.openOutput(limit: plan.logSize, terminal: plan.supervision.hasPseudoTerminal)
            // With a terminal, until that takes its place.
            kept.output = files.output >= 0 ? files.output : kept.input
            kept.relay = files.relay
            kept.complaints = files.relay?.log ?? files.output
            kept.exit = try openExit(in: folder)
            return kept
        }
    }

    /// Where a process of the sandbox that has no other way tells how it ended.
    func openExit(_ name: String) throws(LaunchError) -> Int32 {
        try translated { () throws(SystemError) in
            guard let folder = try openFolder(name) else {
                throw SystemError("open the state of \(name)", code: ENOENT)
            }
            return try openExit(in: folder)
        }
    }

    private func openExit(in folder: borrowing StateFolder) throws(SystemError) -> Int32 {
        try folder.remove(File.exit)
        return try folder.open(File.exit, O_WRONLY | O_CREAT | O_TRUNC).take()
    }
}
