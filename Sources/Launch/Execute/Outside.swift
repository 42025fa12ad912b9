import CLinux
import Glibc
public import Kernel
public import Profile

/// What is opened and compiled in the caller's world, before anything changes: failures here are plain errors.
struct Outside {
    let cgroup: Cgroup?
    /// Open files that take the writer in: the permission to join was checked when they were opened.
    let cgroupMembers: [Int32]
    /// A descriptor for CLONE_INTO_CGROUP, or -1.
    let cgroupForClone: Int32
    let filter: SeccompProgram?
    /// The caller's directory, to begin in where the box has it.
    let workingDirectory: String
    /// Namespaces to join, open.
    let joins: [(join: NamespacePlan.Join, descriptor: Int32)]
    let launcher: Int32
    let parent: Int32
    let arguments: CommandWords?
    /// Lets the box's X clients in.
    let authority: Authority?
    /// Lets the box's Wayland clients in, as what they are.
    let securityContext: SecurityContext?
    /// Stands between the box and the host's message buses.
    let bus: BusProxy?

    init(_ plan: LaunchPlan, _ context: LaunchContext) throws(LaunchError) {
        if !plan.namespaces.join.isEmpty {
            try attributed(to: "namespaces.join") { () throws(SystemError) in try OwnExecutable.protect() }
        }
        arguments = context.arguments
        launcher = getpid()
        parent = getppid()
        try Outside.closeStrangers(
            keeping: plan.process.keepDescriptors, ours: context.kept.all + context.held + CrashPoint.descriptors)
        filter = try Confinement(plan).compileFilter()
        workingDirectory = Outside.currentDirectory()
        switch plan.hostDisplay {
        case .x11(let number)?: (authority, securityContext) = (try HostCookie(display: number).make(), nil)
        case .wayland(let path)?: (authority, securityContext) = (nil, try Outside.askCompositor(path, plan, context))
        case nil: (authority, securityContext) = (nil, nil)
        }
        var joins: [(NamespacePlan.Join, Int32)] = []
        for join in plan.namespaces.join {
            let file = try attributed(to: "namespaces.join.\(join.kind.rawValue)") { () throws(SystemError) in
                try Descriptor(open: join.path, O_RDONLY)
            }
            joins.append((join, file.take()))
        }
        self.joins = joins
        bus = try plan.bus.map { bus throws(LaunchError) in try BusProxy(bus) }
        let group = try Outside.makeGroup(plan)
        cgroup = group
        guard let group else {
            (cgroupMembers, cgroupForClone) = ([], -1)
            return
        }
        do throws(SystemError) {
            // Who becomes the command in place is never cloned: it joins.
            cgroupForClone = plan.supervision != .none ? try group.openForClone() ?? -1 : -1
            cgroupMembers = try group.openEntrances(cloned: cgroupForClone >= 0)
        } catch {
            throw LaunchError(SystemError(error, undoing: group), key: "resources")
        }
    }

    private static func askCompositor(
        _ path: String, _ plan: LaunchPlan, _ context: LaunchContext
    ) throws(LaunchError) -> SecurityContext? {
        let made = try attributed(to: SecurityContext.key) { () throws(SystemError) in try SecurityContext(path) }
        if made != nil { return made }
        let lacking = "the Wayland compositor does not tell confined clients from others (security-context-v1)"
        if plan.requiresSecurityContext {
            throw LaunchError(
                key: "display.wayland-security-context", lacking,
                mend: "set it to \"preferred\", or use another compositor")
        }
        context.notice(lacking + ", so the box has the rights of any other program there")
        return nil
    }

    /// A named sandbox has one where that can be, others where they are limited.
    private static func makeGroup(_ plan: LaunchPlan) throws(LaunchError) -> Cgroup? {
        if plan.resources.isEmpty, plan.name == nil { return nil }
        let policy = plan.process.scheduling?.policy
        return try attributed(to: nil) { () throws(SystemError) in
            try Cgroup.create(
                name: plan.name, limits: CgroupLimits(plan.resources), tracks: plan.name != nil,
                isRealtime: policy == .fifo || policy == .rr)
        }
    }

    /// Closes every descriptor but 0, 1, 2 and those named, and opens /dev/null for those of the first three that are
    /// closed, so that no file of ours takes their place.
    static func closeStrangers(keeping kept: [Int32], ours: [Int32]) throws(LaunchError) {
        for number: Int32 in 0...2 where fcntl(number, F_GETFD) < 0 {
            try attributed(to: nil) { () throws(SystemError) in
                let null = try check("open /dev/null") { linux_open("/dev/null", O_RDWR, 0) }
                if null != number { throw SystemError("open /dev/null as descriptor \(number)", code: EBADF) }
            }
        }
        var next: UInt32 = 3
        for number in (kept + ours).sorted() {
            if number < 3 { continue }
            // What is open for ourselves only is not the caller's to keep.
            if fcntl(number, F_GETFD) < 0 || (ours.contains(number) && kept.contains(number)) {
                throw LaunchError(
                    key: "process.keep-descriptors", "descriptor \(number) is not open",
                    mend: "open it in the caller, such as with \(number)<FILE in a shell")
            }
            if UInt32(number) > next { try close(from: next, to: UInt32(number) - 1) }
            next = UInt32(number) + 1
        }
        try close(from: next, to: UInt32.max)
    }

    private static func close(from first: UInt32, to last: UInt32) throws(LaunchError) {
        try attributed(to: nil) { () throws(SystemError) in
            try check("close the caller's descriptors") { linux_close_range(first, last, 0) }
        }
    }

    private static func currentDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }
}

extension SystemError {
    /// `error`, after the group that was made before it is removed again.
    init(_ error: SystemError, undoing group: Cgroup) {
        self = error
        do throws(SystemError) {
            try group.remove()
        } catch {
            mend = (mend.map { $0 + "; " } ?? "") + "left behind: \(group.path)"
        }
    }
}

extension CgroupLimits {
    /// The limits of a profile.
    public init(_ resources: Profile.Resources) {
        self.init()
        memory = resources.memory
        memoryHigh = resources.memoryHigh
        memorySwap = resources.memorySwap
        cpu = resources.cpu
        cpuWeight = resources.cpuWeight
        pids = resources.pids
        cpuset = resources.cpuset
        ioWeight = resources.ioWeight
    }
}
