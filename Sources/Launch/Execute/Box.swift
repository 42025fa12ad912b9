import Addresses
import CLinux
import Glibc
import Kernel
import Profile

/// What happens inside the new namespaces, from their making to the command's first instruction. The order is the
/// content: what needs the outside comes before the root changes, what needs privilege before it is dropped.
struct Box {
    let plan: LaunchPlan
    /// Those that its networks told.
    var nameServers: [IPAddress] = []

    /// A box that waits for its command.
    struct Ready {
        let command: PreparedCommand
        /// The controlling side of its pseudo-terminal where nobody outside takes it, else -1.
        let controller: Int32
        /// The X server to start first.
        let display: PrivateDisplay?
    }

    /// Sets the box up and gives privileges away.
    func setUp(
        _ outside: Outside, mapped: [Int: Int32], _ channel: ReportChannel? = nil
    ) throws(LaunchError) -> Ready {
        try joinControlGroup(outside)
        try setNames()
        try bringNetworkUp()
        try setAttributes()
        try becomeMapped()
        let owned = try buildFilesystem(mapped, outside)
        let identity = try identify()
        try give(owned, to: identity)
        let controller = try takeTerminal(identity, channel)
        try enterWorkingDirectory(outside)
        let environment = Environment(plan, identity).entries
        let rules = try AccessRules(plan).open()
        try setLimits()
        try Confinement(plan).drop(to: identity)
        if let rules { try restrict(rules) }
        try dieWithParent(outside, channel)
        if let authority = outside.authority {
            try attributed(to: "display.server") { () throws(SystemError) in try authority.write() }
        }
        if let context = outside.securityContext { try show(context, outside) }
        try outside.bus?.serve()
        return Ready(
            command: try PreparedCommand(plan.command, outside.arguments, environment: environment),
            controller: controller,
            display: try plan.display.map { display throws(LaunchError) in
                try PrivateDisplay(display, environment: environment)
            })
    }

    private func show(_ context: SecurityContext, _ outside: Outside) throws(LaunchError) {
        let name = plan.command[0].split(separator: "/").last.map { String($0) } ?? "sandbox"
        try attributed(to: SecurityContext.key) { () throws(SystemError) in
            try context.listen(
                at: HostDisplayPlan.compositor, application: plan.name ?? name,
                instance: "\(plan.name ?? name)-\(outside.launcher)")
        }
    }

    private func joinControlGroup(_ outside: Outside) throws(LaunchError) {
        for member in outside.cgroupMembers {
            try attributed(to: "resources") { () throws(SystemError) in
                try writeText("0", to: member, name: "a control group's list of processes")
            }
        }
        // Process 1 of a box stays, and needs no way to the host's groups.
        for descriptor in outside.cgroupMembers where descriptor >= 0 { close(descriptor) }
        if outside.cgroupForClone >= 0 { close(outside.cgroupForClone) }
        // The namespace's root is the group that its maker is in.
        if plan.namespaces.unshare.contains(.cgroup) {
            try attributed(to: "namespaces.unshare") { () throws(SystemError) in try unshareNamespaces(.cgroup) }
        }
    }

    private func setNames() throws(LaunchError) {
        if let name = plan.process.hostname {
            try attributed(to: "process.hostname") { () throws(SystemError) in
                try check("set the host name") { sethostname(name, name.utf8.count) }
            }
        }
        if let name = plan.process.domainname {
            try attributed(to: "process.domainname") { () throws(SystemError) in
                try check("set the domain name") { setdomainname(name, name.utf8.count) }
            }
        }
    }

    private func bringNetworkUp() throws(LaunchError) {
        guard plan.namespaces.unshare.contains(.net) else { return }
        try attributed(to: "namespaces.unshare") { () throws(SystemError) in try bringLoopbackUp() }
    }

    /// Written through the caller's /proc, not the box's (CVE-2025-52881).
    func setAttributes() throws(LaunchError) {
        let process = plan.process
        if let value = process.oomScoreAdjust {
            try attributed(to: "process.oom-score-adjust") { () throws(SystemError) in try setOOMScoreAdjust(value) }
        }
        if let list = process.cpuAffinity {
            guard let processors = CPUSet(list) else {
                throw LaunchError(
                    key: "process.cpu-affinity", "\"\(list)\" is no list of CPUs", mend: "write it as \"0-1,3\"")
            }
            try attributed(to: "process.cpu-affinity") { () throws(SystemError) in try setAffinity(processors) }
        }
        if let scheduling = process.scheduling {
            try attributed(to: "process.scheduling") { () throws(SystemError) in
                try setScheduling(SchedulingPolicy(scheduling.policy), priority: Int32(scheduling.priority))
            }
        }
        if let priority = process.ioPriority {
            try attributed(to: "process.io-priority") { () throws(SystemError) in
                try setIOPriority(IOPriorityClass(priority.class), level: Int32(priority.level))
            }
        }
        if let value = process.nice {
            try attributed(to: "process.nice") { () throws(SystemError) in try setNice(Int32(value)) }
        }
    }

    private func becomeMapped() throws(LaunchError) {
        guard plan.namespaces.unshare.contains(.user) else { return }
        try attributed(to: "security.uid-map") { () throws(SystemError) in
            try IDMapper.becomeMapped(plan.namespaces)
        }
    }

    /// Late, because a tight limit would hinder the set-up itself.
    private func setLimits() throws(LaunchError) {
        for (name, limit) in plan.limits.entries {
            guard let resource = ResourceLimit(rawValue: name) else {
                throw LaunchError(key: "limits.\(name)", "no such resource limit", mend: "see setrlimit(2)")
            }
            try attributed(to: "limits.\(name)") { () throws(SystemError) in
                try setLimit(resource, soft: limit.soft, hard: limit.hard)
            }
        }
    }

    func restrict(_ rules: consuming LandlockDomain) throws(LaunchError) {
        do throws(SystemError) {
            try rules.restrict()
        } catch {
            let mend = "set process.no-new-privileges = true, or keep CAP_SYS_ADMIN"
            throw LaunchError(key: "security.landlock", error.message, mend: error.code == EPERM ? mend : nil)
        }
    }

    private func buildFilesystem(_ mapped: [Int: Int32], _ outside: Outside) throws(LaunchError) -> [Int32] {
        guard plan.namespaces.unshare.contains(.mount) else { return [] }
        var builder = try MountBuilder(userNamespace: plan.namespaces.unshare.contains(.user), mapped: mapped)
        var filesystem = ResolverPlanner.complete(plan.filesystem, nameServers)
        if outside.securityContext != nil { filesystem = filesystem.withoutCompositor }
        try builder.build(filesystem)
        return builder.owned
    }

    private func identify() throws(LaunchError) -> BoxIdentity? {
        let process = plan.process
        if process.user == nil, process.group == nil, process.groups == nil {
            return isStranger ? BoxIdentity(uid: 0, gid: 0) : nil
        }
        let (uid, gid) = isStranger ? (0, 0) : (getuid(), getgid())
        return try AccountDatabase(passwd: readDatabase("/etc/passwd"), group: readDatabase("/etc/group"))
            .resolve(process, uid: uid, gid: gid)
    }

    /// Whether this process has an id that the user namespace it joined does not map: it would still own files as the
    /// outer user, root perhaps. It becomes the namespace's root, as with nsenter(1).
    private var isStranger: Bool {
        let overflow: UInt32 = 65534
        return plan.namespaces.join.contains { $0.kind == .user } && (getuid() == overflow || getgid() == overflow)
    }

    /// A box may lack the files, or hold something else in their place.
    private func readDatabase(_ path: String) throws(LaunchError) -> String {
        guard let status = FileStatus(path: path), status.kind == .file else { return "" }
        return try attributed(to: "process.user") { () throws(SystemError) in
            let file = try Descriptor(open: path, O_RDONLY | O_NONBLOCK)
            return try readText(file.number, name: path)
        }
    }

    private func give(_ owned: [Int32], to identity: BoxIdentity?) throws(LaunchError) {
        for directory in owned {
            if let identity {
                try attributed(to: "filesystem.private") { () throws(SystemError) in
                    try check("give the private home to user \(identity.uid)") {
                        fchownat(directory, "", identity.uid, identity.gid, AT_EMPTY_PATH)
                    }
                }
            }
            close(directory)
        }
    }

    /// A pseudo-terminal of the box's own devpts, its controlling side handed to the waiter, or returned where the box
    /// is detached.
    func takeTerminal(_ identity: BoxIdentity?, _ channel: ReportChannel?) throws(LaunchError) -> Int32 {
        guard case .waiter(_, pseudoTerminal: true) = plan.supervision, let channel else { return -1 }
        return try attributed(to: "process.terminal") { () throws(SystemError) in
            let (controller, peer) = try Terminal.makePair()
            if let identity {
                try check("give the terminal to user \(identity.uid)") { fchown(peer, identity.uid, identity.gid) }
            }
            // The caller's terminal is on descriptor 0 still, unless the box is detached.
            Terminal.setSize(of: controller, rows: 24, columns: 80)
            Terminal.copySize(from: STDIN_FILENO, to: controller)
            try Terminal.adopt(peer)
            close(peer)
            if plan.detachment != nil { return controller }
            channel.send(.terminal(descriptor: controller))
            close(controller)
            return -1
        }
    }

    /// The directory is resolved inside the box, never through a magic link of /proc (CVE-2024-21626).
    private func enterWorkingDirectory(_ outside: Outside) throws(LaunchError) {
        if let wanted = plan.workingDirectory {
            return try attributed(to: "process.working-directory") { () throws(SystemError) in
                try enterDirectory(wanted)
            }
        }
        guard plan.namespaces.unshare.contains(.mount) || !plan.namespaces.join.isEmpty else { return }
        for candidate in [outside.workingDirectory, plan.home, "/"] {
            do throws(SystemError) { return try enterDirectory(candidate) } catch { continue }
        }
        // To stay where the caller is may be to stay below something that is hidden.
        throw LaunchError(
            key: "process.working-directory", "neither the caller's directory nor HOME nor / can be entered in the box",
            mend: "name one that can")
    }

    /// A change of identity clears the setting, so it comes after.
    private func dieWithParent(_ outside: Outside, _ channel: ReportChannel?) throws(LaunchError) {
        // Nobody would learn that the command has begun.
        defer { if channel?.isWaiterGone == true { _exit(137) } }
        // A waiter stands for the command: who kills it means the command.
        let hasWaiter = channel != nil && plan.detachment == nil
        guard plan.process.dieWithParent || hasWaiter else { return }
        try attributed(to: "process.die-with-parent") { () throws(SystemError) in
            try setParentDeathSignal(SIGKILL)
        }
        // In a new pid namespace the parent reads as 0.
        let parent = getppid()
        if parent != 0, parent != outside.parent, parent != outside.launcher { _exit(137) }
    }
}

/// Makes a path of the box the working directory, never through a magic link (RESOLVE_NO_MAGICLINKS of openat2(2)).
func enterDirectory(_ path: String) throws(SystemError) {
    let root = RootDirectory(try Descriptor(open: "/", O_PATH | O_DIRECTORY))
    let directory = try root.open(path, O_PATH | O_DIRECTORY)
    try check("enter \(path)") { fchdir(directory.number) }
}

extension LaunchPlan {
    /// HOME of the command's environment, "/" without one.
    var home: String {
        guard let entry = environment.first(where: { $0.hasPrefix("HOME=/") }) else { return "/" }
        return String(entry.dropFirst(5))
    }
}

extension SchedulingPolicy {
    fileprivate init(_ policy: Profile.Scheduling.Policy) {
        self =
            switch policy {
            case .other: .other
            case .batch: .batch
            case .idle: .idle
            case .fifo: .fifo
            case .rr: .rr
            }
    }
}

extension IOPriorityClass {
    fileprivate init(_ class: Profile.IOPriority.Class) {
        self =
            switch `class` {
            case .realtime: .realtime
            case .bestEffort: .bestEffort
            case .idle: .idle
            }
    }
}
