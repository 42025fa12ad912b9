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
    /// - Returns: the exit status, 128 + N for signal N.
    func run(
        _ outside: Outside, _ mapped: [Int: Int32], _ started: (Int32) throws(LaunchError) -> Void
    ) throws(LaunchError) -> Int32 {
        let child = try attributed(to: "namespaces.unshare") { () throws(SystemError) in
            try startChild(in: flags, cgroup: outside.cgroupForClone) { beChild(outside, mapped) }
        }
        close(channel.box)
        do throws(LaunchError) {
            try started(child)
        } catch {
            kill(child, SIGKILL)
            throw error
        }
        if plan.process.dieWithParent {
            try attributed(to: "process.die-with-parent") { () throws(SystemError) in
                try check("die with the parent") { linux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0) }
            }
            if getppid() != outside.parent { kill(child, SIGKILL) }
        }
        var watch = Watch(child: child, channel: channel)
        defer { watch.proxy?.finish() }
        let status: Int32
        do throws(SystemError) {
            status = try watch.untilEnd(signals)
        } catch {
            throw LaunchError(error)
        }
        if let failure = watch.failure { throw failure }
        return status
    }

    // MARK: - Child

    private func beChild(_ outside: Outside, _ mapped: [Int: Int32]) -> Never {
        close(channel.waiter)
        do throws(LaunchError) {
            if pseudoTerminal || plan.leavesTerminal { setsid() }
            let command = try Box(plan: plan).setUp(outside, mapped: mapped, channel)
            guard initProcess else { become(command, outside) }
            let pid: Int32
            do throws(SystemError) {
                pid = try startChild(in: []) { become(command, outside) }
            } catch {
                throw LaunchError(error)
            }
            InitProcess(command: pid, ownsTerminal: pseudoTerminal, channel: channel).run(signals)
        } catch {
            fail(error)
        }
    }

    private func become(_ command: PreparedCommand, _ outside: Outside) -> Never {
        if pseudoTerminal {
            // The foreground job of a session whose leader is its parent: it can be stopped and continued.
            setpgid(0, 0)
            // In the background still, it would be stopped for this; the caller's mask is restored just below.
            var blocked = sigset_t()
            sigaddset(&blocked, SIGTTOU)
            sigprocmask(SIG_BLOCK, &blocked, nil)
            tcsetpgrp(0, getpid())
        }
        signals.restore()
        do throws(LaunchError) {
            try Confinement(plan).seal(outside)
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

/// The waiter's loop.
private struct Watch {
    let child: Int32
    let channel: ReportChannel
    var proxy: TerminalProxy?
    private(set) var failure: LaunchError?
    private var listening = true

    init(child: Int32, channel: ReportChannel) {
        self.child = child
        self.channel = channel
    }

    mutating func untilEnd(_ signals: borrowing ForwardedSignals) throws(SystemError) -> Int32 {
        while true {
            var waits = [
                pollfd(fd: signals.descriptor.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listening ? channel.waiter : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: proxy?.input ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: proxy?.output ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            try check("wait for the box") { poll(&waits, nfds_t(waits.count), -1) }
            if waits[3].revents != 0 { proxy?.passOutput() }
            if waits[2].revents != 0 { proxy?.passInput() }
            if waits[1].revents != 0 { try hear(signals) }
            guard waits[0].revents != 0 else { continue }
            while let signal = try signals.next() {
                if let status = try handle(signal, signals) { return status }
            }
        }
    }

    private mutating func hear(_ signals: borrowing ForwardedSignals) throws(SystemError) {
        switch try channel.receive() {
        case .failed(let error): failure = error
        case .stopped(let signal): stop(signal)
        case .terminal(let descriptor): proxy = TerminalProxy(controller: descriptor)
        case nil: listening = false
        }
    }

    private mutating func handle(
        _ signal: ReceivedSignal, _ signals: borrowing ForwardedSignals
    ) throws(SystemError) -> Int32? {
        switch signal.number {
        case SIGCHLD: return try reap(signals)
        case SIGWINCH where proxy != nil: proxy?.resize()
        case SIGCONT:
            proxy?.resume()
            kill(child, SIGCONT)
        default:
            // What the terminal sent, it sent to the command too, unless a pseudo-terminal lies between.
            if !signal.isFromKernel || proxy != nil { kill(child, signal.number) }
        }
        return nil
    }

    private mutating func reap(_ signals: borrowing ForwardedSignals) throws(SystemError) -> Int32? {
        var status: Int32 = 0
        while true {
            let pid = waitpid(child, &status, WNOHANG | WUNTRACED)
            if pid <= 0 { return nil }
            switch WaitStatus(status) {
            case .stopped(let signal): stop(signal)
            case .continued: continue
            case .exited, .signaled:
                try drain(signals)
                return WaitStatus(status).exitStatus
            }
        }
    }

    /// Reports that are still under way, and what the box last wrote to its terminal.
    private mutating func drain(_ signals: borrowing ForwardedSignals) throws(SystemError) {
        var wait = pollfd(fd: channel.waiter, events: Int16(POLLIN), revents: 0)
        while listening, poll(&wait, 1, 0) > 0 {
            // A stop that was reported before the end needs no answer any more.
            switch try channel.receive() {
            case .failed(let error): failure = error
            case .terminal(let descriptor): proxy = TerminalProxy(controller: descriptor)
            case .stopped: continue
            case nil: listening = false
            }
        }
        proxy?.drain()
    }

    /// Stops as the command has, for the caller's shell to see; goes on when it is continued.
    private mutating func stop(_ signal: Int32) {
        proxy?.suspend()
        kill(getpid(), SIGSTOP)
    }
}
