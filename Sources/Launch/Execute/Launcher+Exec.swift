import CLinux
import Glibc
import Kernel
import Profile

extension Launcher {
    /// Goes on from a read-only mount of this program's file, so that no box that is entered can overwrite it
    /// (CVE-2019-5736). The program begins anew for that, with the same words.
    public static func protectExecutable() throws(LaunchError) {
        try attributed(to: nil) { () throws(SystemError) in try OwnExecutable.protect() }
    }

    /// Closes every descriptor but 0, 1 and 2, for who is about to enter a box. Call it before one is looked up.
    public static func closeDescriptors() throws(LaunchError) { try Outside.closeStrangers(keeping: [], ours: []) }

    /// Runs a command in a box that runs already, in the foreground.
    ///
    /// Where the box has no pid namespace and the command needs no terminal, this process becomes the command and
    /// nothing returns. Else a waiter stays, which leaves nothing outside.
    /// - Parameter arguments: the command's words byte for byte, where the plan has them as text only.
    /// - Parameter shrinks: whether the waiter may give its memory back; then it does not return either.
    /// - Returns: the command's exit status, 128 + N when signal N ended it.
    public static func exec(
        _ plan: LaunchPlan, in box: borrowing RunningBox, arguments: CommandWords? = nil, shrinks: Bool = false
    ) throws(LaunchError) -> Int32 {
        guard let entry = plan.entry else { throw LaunchError("this plan enters no box") }
        let entrance = Entrance(plan: plan, entry: entry, filter: try Confinement(plan).compileFilter())
        guard case .waiter(let initProcess, _) = plan.supervision else { throw become(entrance, box, arguments) }
        let visitor = try Visitor(entrance, ownsTerminal: initProcess)
        return try visitor.run(box, arguments, shrinks: shrinks)
    }

    private static func become(
        _ entrance: Entrance, _ box: borrowing RunningBox, _ arguments: CommandWords?
    ) -> LaunchError {
        let parent = getppid()
        do throws(LaunchError) {
            if entrance.plan.leavesTerminal {
                try attributed(to: "process.terminal") { () throws(SystemError) in try Terminal.leave() }
            }
            let command = try entrance.enter(box, arguments)
            if entrance.plan.process.dieWithParent { try entrance.die(with: parent) }
            try Confinement(entrance.plan).seal(entrance.filter)
            return command.execute()
        } catch {
            return error
        }
    }
}

/// The waiter of a command in a box that runs already: it stays outside, with the caller's identity, and a child that
/// enters starts the command.
private struct Visitor: ~Copyable {
    private let entrance: Entrance
    /// Whether the child stays, as the leader of the session on a pseudo-terminal.
    private let ownsTerminal: Bool
    private let channel: ReportChannel
    private let signals: ForwardedSignals

    init(_ entrance: Entrance, ownsTerminal: Bool) throws(LaunchError) {
        let channel = try attributed(to: nil) { () throws(SystemError) in try ReportChannel() }
        let signals = try attributed(to: nil) { () throws(SystemError) in try ForwardedSignals() }
        self.entrance = entrance
        self.ownsTerminal = ownsTerminal
        self.channel = channel
        self.signals = signals
    }

    func run(
        _ box: borrowing RunningBox, _ arguments: CommandWords?, shrinks: Bool
    ) throws(LaunchError) -> Int32 {
        let (waiter, parent) = (getpid(), getppid())
        let child = try attributed(to: nil) { () throws(SystemError) in
            try startChild(in: []) { beChild(box, arguments, waiter) }
        }
        channel.keepWaiterSide()
        if entrance.plan.process.dieWithParent {
            try attributed(to: "process.die-with-parent") { () throws(SystemError) in
                try setParentDeathSignal(SIGKILL)
            }
            if getppid() != parent { _exit(128 + SIGKILL) }
        }
        var watch = Watch(child: child, channel: channel, signals: signals.descriptor.number)
        if let status = try watch.untilBegin() {
            throw LaunchError(
                "what was to enter the sandbox ended with status \(status)", mend: "its memory may be used up")
        }
        if shrinks { watch.shrink(Remains(), -1) }
        return watch.untilEnd()
    }

    // MARK: - Child

    private func beChild(_ box: borrowing RunningBox, _ arguments: CommandWords?, _ waiter: Int32) -> Never {
        channel.keepBoxSide()
        do throws(LaunchError) {
            if ownsTerminal || entrance.plan.leavesTerminal { setsid() }
            let command = try entrance.enter(box, arguments, channel)
            try entrance.die(with: waiter)
            // The command's process is a copy of this one until it executes.
            let kept = [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, signals.descriptor.number]
            Kernel.closeDescriptors(keeping: kept + [channel.box, channel.begin.write])
            try start(command)
        } catch {
            channel.send(.failed(error))
            _exit(error.status)
        }
    }

    /// In a pid namespace the command is the waiter's own child; its terminal needs a leader for its session. Like the
    /// command of any waiter it dies with it.
    private func start(_ command: PreparedCommand) throws(LaunchError) -> Never {
        let isInside = entrance.entry.box.namespaces.contains(.pid)
        channel.beginning()
        let filter = try installed() ? nil : entrance.filter
        let pid = try command.start(
            mask: signals.previous, filter: filter, foreground: ownsTerminal, sibling: !ownsTerminal,
            dyingWith: isInside ? 0 : getpid())
        if ownsTerminal {
            InitProcess(command: pid, ownsTerminal: true, channel: channel, kept: KeptDescriptors(), controller: -1)
                .run(signals)
        }
        channel.send(.sibling(pid: pid))
        _exit(0)
    }

    /// Puts this process under the filter already, where the filter lets it do what is left, so that the box never has
    /// a process without it, not even for who may trace all of them.
    private func installed() throws(LaunchError) -> Bool {
        guard let filter = entrance.filter, PreparedCommand.canStart(under: filter, staying: ownsTerminal) else {
            return false
        }
        try Confinement(entrance.plan).seal(filter)
        return true
    }
}

extension Entrance {
    /// A change of identity clears the setting, so it comes after.
    fileprivate func die(with parent: Int32) throws(LaunchError) {
        try attributed(to: "process.die-with-parent") { () throws(SystemError) in try setParentDeathSignal(SIGKILL) }
        if getppid() != parent { _exit(128 + SIGKILL) }
    }
}
