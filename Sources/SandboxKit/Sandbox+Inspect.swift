import Glibc
public import Kernel
public import Launch
public import Netlink
public import Profile

/// All that there is to know of a sandbox.
public struct Inspection: Sendable {
    /// Record and state.
    public var summary: SandboxSummary
    /// What it was asked for.
    public var request: LaunchRequest
    /// The merged profile of the request.
    public var profile: Profile
    /// What launching it anew would do; `nil` where that cannot be planned (any more), with the reason.
    public var plan: LaunchPlan?
    /// Why there is no plan.
    public var planProblem: LaunchError?
    /// `nil` when it does not run.
    public var live: LiveFacts?
}

/// What the kernel says of a running sandbox.
public struct LiveFacts: Sendable, Equatable {
    /// A namespace that its command is in.
    public struct Namespace: Sendable, Equatable {
        /// Which of the eight.
        public var kind: NamespaceKind
        /// The inode number that lsns(8) shows too.
        public var id: UInt64
        /// Whether it is another one than the caller's.
        public var isOwn: Bool
    }

    /// The processes, as the caller numbers them.
    public var processes: [Int32] = []
    /// Where ``usage`` comes from.
    public var source = MeasurementSource.controlGroup
    /// Identity and confinement of the application; `nil` when it has ended and something else goes on.
    public var application: ProcessStatus?
    /// All that its command is in.
    public var namespaces: [Namespace] = []
    /// `nil` when it uses the caller's network.
    public var interfaces: [Interface]?
    /// The mounts that its command sees.
    public var mounts: [MountEntry] = []
    /// What its control group enforces.
    public var limits: CgroupLimits?
    /// What it uses at this moment.
    public var usage: CgroupUsage?
    /// What could not be found out, and why.
    public var problems: [String] = []
}

extension Sandbox {
    /// Gathers what is recorded, what was asked for and, while it runs, what the kernel says.
    public func inspect() throws(LaunchError) -> Inspection {
        let record = try record()
        let request = try registry.request(name)
        let profile = try registry.profile(request, name)
        let live = try liveFacts(record)
        let current = live == nil && record.phase == .running ? try self.record() : record
        let summary = SandboxSummary(record: current, state: try registry.displayState(of: current))
        var inspection = Inspection(summary: summary, request: request, profile: profile, live: live)
        do throws(LaunchError) {
            var host = try host(of: request)
            host.hasTerminal = false
            inspection.plan = try Planner(host: host).plan(
                profile, command: request.command, name: name, isDetached: request.isDetached)
        } catch {
            inspection.planProblem = error
        }
        return inspection
    }

    /// `nil` when it does not run, or has ended meanwhile.
    private func liveFacts(_ record: SandboxRecord) throws(LaunchError) -> LiveFacts? {
        guard record.phase == .running, let process = record.process else { return nil }
        return try translated { () throws(SystemError) in
            guard let held = try ProcessHandle(process) else { return nil }
            var reader = FactCollector(record, process)
            try reader.collect(held)
            return try held.waitForEnd(milliseconds: 0) ? nil : reader.facts
        }
    }
}

/// Reads the facts one after the other; what the kernel refuses is noted.
private struct FactCollector {
    private let record: SandboxRecord
    private let process: ProcessIdentity
    private(set) var facts = LiveFacts()

    init(_ record: SandboxRecord, _ process: ProcessIdentity) {
        self.record = record
        self.process = process
    }

    mutating func collect(_ held: borrowing ProcessHandle) throws(SystemError) {
        // Held too, so that its number stays its own. Without root nothing else can be looked into.
        var application: Holder?
        if let identity = record.application, let handle = try ProcessHandle(identity) { application = Holder(handle) }
        let viewed = application == nil ? process.pid : (record.application ?? process).pid
        if application != nil {
            facts.application = note { () throws(SystemError) in try ProcessStatus(pid: viewed) }
        }
        collectProcesses()
        collectNamespaces()
        facts.mounts = note { () throws(SystemError) in try MountEntry.all(of: viewed) } ?? []
        guard record.namespaces.contains(.net) else { return }
        do throws(SystemError) {
            if let application {
                facts.interfaces = try Interface.all(of: application.handle)
            } else {
                facts.interfaces = try Interface.all(of: held)
            }
        } catch {
            add(error)
        }
    }

    private mutating func collectProcesses() {
        let group = Cgroup(groups: record.groups)
        let root = process.pid
        if record.groups.isEmpty {
            facts.source = .processTree
            facts.processes = note { () throws(SystemError) in try processTree(of: root) } ?? []
            let processes = facts.processes
            facts.usage = note { () throws(SystemError) in try CgroupUsage.sum(of: processes) }
        } else {
            facts.processes = note { () throws(SystemError) in try group.processes() } ?? []
            facts.usage = note { () throws(SystemError) in try group.usage() }
            facts.limits = note { () throws(SystemError) in try group.limits() }
        }
    }

    private mutating func collectNamespaces() {
        guard let directory = record.namespaceDirectory else { return }
        for kind in NamespaceKind.allCases {
            // A kernel may lack a kind.
            guard let own = FileStatus(path: "/proc/self/ns/\(kind.entry)") else { continue }
            let path = "\(directory)/\(kind.entry)"
            guard let theirs = FileStatus(path: path) else {
                add(SystemError("look at \(path)", code: errno))
                continue
            }
            let isOwn = (own.device, own.inode) != (theirs.device, theirs.inode)
            facts.namespaces.append(LiveFacts.Namespace(kind: kind, id: theirs.inode, isOwn: isOwn))
        }
    }

    private mutating func note<Fact>(_ body: () throws(SystemError) -> Fact) -> Fact? {
        do throws(SystemError) {
            return try body()
        } catch {
            add(error)
            return nil
        }
    }

    private mutating func add(_ error: SystemError) { facts.problems.append(error.message) }
}

/// A process that may be absent.
private final class Holder {
    let handle: ProcessHandle

    init(_ handle: consuming ProcessHandle) { self.handle = handle }
}
