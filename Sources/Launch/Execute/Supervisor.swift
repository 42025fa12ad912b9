import Addresses
import CLinux
import Glibc
import Kernel
import Profile

/// The waiter: stands in the caller's place while the command runs in a child, so that signals, stops and the exit
/// status pass as if it were the command itself.
struct Supervisor: ~Copyable {
    private let plan: LaunchPlan
    private let flags: NamespaceFlags
    private let initProcess: Bool
    private let pseudoTerminal: Bool
    private let channel: ReportChannel
    private let signals: ForwardedSignals

    init(
        _ plan: LaunchPlan, _ flags: NamespaceFlags, initProcess: Bool, pseudoTerminal: Bool
    ) throws(LaunchError) {
        let channel = try attributed(to: nil) { () throws(SystemError) in try ReportChannel() }
        let signals = try attributed(to: nil) { () throws(SystemError) in try ForwardedSignals() }
        self.plan = plan
        self.flags = flags
        self.initProcess = initProcess
        self.pseudoTerminal = pseudoTerminal
        self.channel = channel
        self.signals = signals
    }

    /// Starts the box and stays until its command has ended.
    ///
    /// With the context's remains the process shrinks once the command has begun, and nothing returns but what failed
    /// before.
    /// - Returns: the exit status, 128 + N for signal N; 0 where nobody stays beside the box.
    func run(_ outside: Outside, _ context: LaunchContext) throws(LaunchError) -> Int32 {
        let remains = context.remains
        // Where /proc is missing, there is no way back from shrinking.
        let executable = remains?.isEmpty == false ? linux_open("/proc/self/exe", O_PATH | O_CLOEXEC, 0) : -1
        let child = try staysOutside(outside) ? startFromBetween(outside, context) : startBox(outside, context)
        channel.keepWaiterSide()
        outside.bus?.leaveToBox()
        do throws(LaunchError) {
            try context.started(child, outside.cgroup?.groups ?? [])
            let nameServers = try attach(child, context)
            if hasRemains(outside) { try attributed(to: nil) { () throws(SystemError) in try channel.go(nameServers) } }
        } catch {
            throw end(child, error)
        }
        if plan.process.dieWithParent {
            try attributed(to: "process.die-with-parent") { () throws(SystemError) in
                try setParentDeathSignal(SIGKILL)
            }
            if getppid() != outside.parent { kill(child, SIGKILL) }
        }
        var watch = Watch(child: child, channel: channel, signals: signals.descriptor.number)
        if let bus = outside.bus { watch.accompany(bus) }
        if try watch.untilBegin() != nil {
            throw LaunchError("the box was killed before its command had begun", mend: mend)
        }
        do throws(LaunchError) {
            try context.begun()
        } catch {
            throw end(child, error)
        }
        if plan.detachment == .alone { return 0 }
        // Our init does it where there is one.
        if !initProcess, let relay = context.kept.relay { watch.keep(relay) }
        if let context = outside.securityContext { watch.hold(context.line) }
        if let remains, remains.isEmpty || executable >= 0 { watch.shrink(remains, executable) }
        return watch.untilEnd()
    }

    /// Whether the box leaves something outside: an entry in the registry, a control group. It waits until that is
    /// written down.
    private func hasRemains(_ outside: Outside) -> Bool {
        plan.name != nil || outside.cgroup != nil || plan.isConnected
    }

    /// - Returns: the name servers that the networks told.
    private func attach(_ child: Int32, _ context: LaunchContext) throws(LaunchError) -> [IPAddress] {
        if !plan.isConnected { return [] }
        let namespace = try attributed(to: "network") { () throws(SystemError) in
            try Descriptor(open: "/proc/\(child)/ns/net", O_RDONLY)
        }
        return try context.attach(namespace.number, child)
    }

    private var mend: String? {
        plan.resources.memory == nil ? nil : "resources.memory may be too little for it"
    }

    /// Ends a box that may not go on, so that its control group can be removed.
    private func end(_ child: Int32, _ error: LaunchError) -> LaunchError {
        kill(child, SIGKILL)
        do throws(SystemError) {
            _ = try waitForEnd(of: child)
            return error
        } catch let second {
            return LaunchError(key: error.key, error.message + "; " + second.message, status: error.status)
        }
    }

    // MARK: - Start

    /// Whether this process has something to look after in the caller's namespaces, and would leave them.
    private func staysOutside(_ outside: Outside) -> Bool {
        guard hasRemains(outside) else { return false }
        let namespaces = plan.namespaces
        return !namespaces.join.isEmpty || namespaces.unshare.contains(.user) || namespaces.unshare.contains(.time)
    }

    private func startBox(
        _ outside: Outside, _ context: LaunchContext, asSibling: Bool = false
    ) throws(LaunchError) -> Int32 {
        let mapped = try Launcher.enterNamespaces(plan, outside)
        return try attributed(to: "namespaces.unshare") { () throws(SystemError) in
            try startChild(in: flags, cgroup: outside.cgroupForClone, asSibling: asSibling) {
                if !asSibling { channel.keepBoxSide() }
                beChild(outside, mapped, context)
            }
        }
    }

    /// Starts the box from a process that enters the namespaces in place of this one. It is this one's child all the
    /// same.
    private func startFromBetween(_ outside: Outside, _ context: LaunchContext) throws(LaunchError) -> Int32 {
        let between = try attributed(to: nil) { () throws(SystemError) in
            try startChild(in: []) { beBetween(outside, context) }
        }
        let report = try attributed(to: nil) { () throws(SystemError) in
            _ = try waitForEnd(of: between)
            return channel.hasReport ? try channel.receive() : nil
        }
        switch report {
        case .sibling(let pid): return pid
        case .failed(let error): throw error
        default:
            // A box that it had started waits for a word from here.
            close(channel.waiter)
            while waitpid(-1, nil, 0) > 0 {}
            throw LaunchError("the process that was to start the box was killed")
        }
    }

    private func beBetween(_ outside: Outside, _ context: LaunchContext) -> Never {
        CrashPoint.enter("between")
        channel.keepBoxSide()
        do throws(LaunchError) {
            channel.send(.sibling(pid: try startBox(outside, context, asSibling: true)))
            _exit(0)
        } catch {
            fail(error)
        }
    }

    // MARK: - Child

    private func beChild(_ outside: Outside, _ mapped: [Int: Int32], _ context: LaunchContext) -> Never {
        CrashPoint.enter("box")
        // Who waits for the launcher's end, or for its lock, waits for the launcher alone.
        for descriptor in context.held { close(descriptor) }
        let nameServers = hasRemains(outside) ? channel.waitForGo() : []
        CrashPoint.pass("go heard")
        do throws(LaunchError) {
            if pseudoTerminal || plan.leavesTerminal || plan.detachment != nil { setsid() }
            if plan.detachment != nil { try takeStreams(context.kept) }
            let box = try Box(plan: plan, nameServers: nameServers).setUp(outside, mapped: mapped, channel)
            guard initProcess else {
                try box.display?.start(mask: signals.previous, filter: outside.filter, dyingWith: dyingWith)
                become(box.command, outside)
            }
            // Before there is a command that could look into this process; exec gives the command its own setting.
            try attributed(to: nil) { () throws(SystemError) in
                try setDumpable(false)
            }
            try box.display?.start(mask: signals.previous, filter: outside.filter, dyingWith: dyingWith)
            channel.beginning()
            let pid = try box.command.start(
                mask: signals.previous, filter: outside.filter, foreground: pseudoTerminal, dyingWith: dyingWith)
            InitProcess(
                command: pid, ownsTerminal: pseudoTerminal, channel: channel, kept: context.kept,
                controller: box.controller
            ).run(signals)
        } catch {
            fail(error)
        }
    }

    /// The kernel ends a whole pid namespace with its process 1; elsewhere what this process starts ends with it.
    private var dyingWith: Int32? { plan.namespaces.unshare.contains(.pid) ? nil : getpid() }

    private func takeStreams(_ kept: KeptDescriptors) throws(LaunchError) {
        try attributed(to: nil) { () throws(SystemError) in
            for (number, source): (Int32, Int32) in [(0, kept.input), (1, kept.output), (2, kept.output)] {
                try check("give the command its output") { dup2(source, number) }
            }
        }
    }

    private func become(_ command: PreparedCommand, _ outside: Outside) -> Never {
        channel.beginning()
        signals.restore()
        do throws(LaunchError) {
            try Confinement(plan).seal(outside.filter)
            throw command.execute()
        } catch {
            fail(error)
        }
    }

    private func fail(_ error: LaunchError) -> Never {
        channel.send(.failed(error))
        _exit(error.status)
    }
}

/// The waiter, from the start of the box to its end.
struct Watch {
    private let channel: ReportChannel
    private var waiter: linux_waiter
    private var failure: LaunchError?
    private var relayed: [Int32] = []
    private var held: [Int32] = []

    init(child: Int32, channel: ReportChannel, signals: Int32) {
        self.channel = channel
        waiter = linux_waiter()
        waiter.child = child
        waiter.signals = signals
        waiter.reports = channel.waiter
        waiter.begin = channel.begin.read
        waiter.controller = -1
        waiter.line = -1
    }

    /// There is no beginning to wait for.
    mutating func begun() { waiter.begin = -1 }

    /// Waits until the command has begun, or the launch failed.
    /// - Returns: the exit status where the box ended before that.
    mutating func untilBegin() throws(LaunchError) -> Int32? {
        while true {
            let event = linux_waiter_wait(&waiter, false)
            switch Int(event) {
            case LINUX_WAITER_REPORT: try hear()
            case LINUX_WAITER_BEGUN:
                waiter.begin = -1
                try hearAll()
                if failure == nil, channel.hasBegun { return nil }
            default:
                try hearAll()
                linux_waiter_give_terminal(&waiter)
                if let failure { throw failure }
                return event
            }
        }
    }

    /// Keeps the command's output from now on.
    mutating func keep(_ relay: OutputRelay) {
        waiter.relays = true
        waiter.relay = relay.resident(-1)
        relayed = relay.descriptors
    }

    /// Keeps a descriptor open for as long as the box runs.
    mutating func hold(_ descriptor: Int32) { held.append(descriptor) }

    /// Has the proxy of its buses with it, and ends that with the box.
    mutating func accompany(_ bus: BusProxy) {
        waiter.companion = bus.pid
        waiter.line = bus.line
    }

    mutating func untilEnd() -> Int32 {
        let status = linux_waiter_wait(&waiter, true)
        linux_waiter_give_terminal(&waiter)
        return status
    }

    /// Goes on without this program's memory, and without the descriptors that only the command needs: whoever waits
    /// for the end of a pipe waits for the command alone.
    func shrink(_ remains: Remains, _ executable: Int32) -> Never {
        let terminal = waiter.controller >= 0 ? [waiter.controller, STDIN_FILENO, STDOUT_FILENO] : []
        let kept = [waiter.signals, waiter.reports, executable, waiter.line] + terminal + relayed + held
        closeDescriptors(keeping: kept + (executable >= 0 ? [STDERR_FILENO] : []))
        var waiter = waiter
        let complaint = "sandbox: what the box left cannot be cleared away\n"
        CrashPoint.pass("shrink")
        waiter.period = Int64(executable >= 0 ? remains.errand?.period ?? 0 : 0)
        withCStrings(["sandbox"] + (remains.errand?.words ?? [])) { errand -> Never in
            waiter.errand = errand
            withCStrings(["sandbox", Remains.option, ""] + CrashPoint.words + remains.words) { words -> Never in
                linux_waiter_stay(&waiter, executable, words, 2, complaint)
            }
        }
    }

    /// Waits for the command that the child started in its own place. A process that is no child of this one is none.
    private mutating func take(_ pid: Int32) {
        var information = siginfo_t()
        guard waitid(P_PID, UInt32(pid), &information, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
        var status: Int32 = 0
        while waitpid(waiter.child, &status, 0) < 0, errno == EINTR {}
        waiter.child = pid
    }

    /// Reports that are still under way.
    private mutating func hearAll() throws(LaunchError) {
        while waiter.reports >= 0, channel.hasReport { try hear() }
    }

    private mutating func hear() throws(LaunchError) {
        let report = try attributed(to: nil) { () throws(SystemError) in try channel.receive() }
        switch report {
        case .failed(let error): failure = error
        case .stopped: linux_waiter_stop(&waiter)
        case .terminal(let descriptor): linux_waiter_take_terminal(&waiter, descriptor)
        case .begun, .attached: break
        case .sibling(let pid): take(pid)
        case nil: waiter.reports = -1
        }
    }
}
