import Glibc
import Kernel
public import Launch
import Profile

extension Sandbox {
    /// Asks the sandbox to end with the stop signal of its profile, ends it with SIGKILL when its time is over, and
    /// returns when its end is recorded. It does not begin again. One that has ended already is no error.
    ///
    /// - Parameter timeout: seconds between the two, instead of the profile's; with 0 SIGKILL comes at once.
    public func stop(timeout: Double? = nil) throws(LaunchError) {
        if let failure = Sandbox.stop([self], timeout: timeout).first { throw failure.error }
    }

    /// Stops several at once.
    /// - Returns: those that could not be stopped, with the reason.
    public static func stop(
        _ sandboxes: [Sandbox], timeout: Double? = nil
    ) -> [(sandbox: Sandbox, error: LaunchError)] {
        let stops = sandboxes.map { Stop($0, timeout) }
        for stop in stops { stop.advance() }
        while true {
            let open = stops.filter { !$0.isOver }
            if open.isEmpty { break }
            do throws(LaunchError) {
                let deadline = open.compactMap { $0.deadline }.min()
                let ready = try waitForAny(of: open.map { $0.descriptor }, until: deadline)
                let now = monotonicMilliseconds()
                for (index, stop) in open.enumerated() where ready[index] || stop.deadline.map({ $0 <= now }) ?? false {
                    stop.advance()
                }
            } catch {
                for stop in open { stop.fail(error) }
            }
        }
        return stops.compactMap { stop in stop.error.map { (stop.sandbox, $0) } }
    }
}

/// How far the stop of one sandbox is.
package final class Stop {
    private enum Step {
        case ask
        /// The stop signal was sent.
        case asked
        /// The application alone was killed, so that its init records that.
        case killed
        /// All were killed.
        case killedAll
        /// All have ended; the waiter outside writes that down.
        case recording
        case over
    }

    let sandbox: Sandbox
    private let timeout: Double?
    private var step = Step.ask
    private var record: SandboxRecord?
    /// The process whose end is awaited.
    private var process: WatchedProcess?
    /// When to go on without that, as ``monotonicMilliseconds()`` tells it.
    package private(set) var deadline: Int?
    package private(set) var error: LaunchError?
    private var rounds = 0

    /// - Parameter timeout: seconds, instead of the profile's.
    package init(_ sandbox: Sandbox, _ timeout: Double?) {
        self.sandbox = sandbox
        self.timeout = timeout
    }

    package var isOver: Bool { step == .over }
    /// Readable when it is time to advance.
    package var descriptor: Int32 { process?.descriptor ?? -1 }

    func fail(_ error: LaunchError) {
        self.error = error
        step = .over
    }

    /// Does what is due: the process has ended, or its time is over.
    package func advance() {
        do throws(LaunchError) { try go() } catch { fail(error) }
    }

    private func go() throws(LaunchError) {
        guard let record, step != .ask else { return try ask() }
        if step == .recording {
            if try sandbox.registry.hold(record.launcher, of: record) == nil { return try settle() }
            let waiter = record.launcher.pid
            throw LaunchError("\"\(sandbox.name)\" has ended, but process \(waiter) does not write that down")
        }
        if try sandbox.registry.hold(record.process, of: record) == nil { return try awaitRecord(record) }
        switch step {
        case .asked: try kill(record)
        case .killed: try killAll(record)
        default:
            throw LaunchError(
                "\"\(sandbox.name)\" does not end", mend: "process \(record.process?.pid ?? 0) is stuck in the kernel")
        }
    }

    /// Under the lock, so that a waiter outside either finds the mark that the sandbox shall not begin again, or has
    /// begun it again before.
    private func ask() throws(LaunchError) {
        let registry = sandbox.registry
        guard try registry.find(sandbox.name) != nil else { throw Registry.unknown(sandbox.name) }
        let lock = try registry.lock(sandbox.name)
        guard let record = try registry.settle(lock), record.isUnderWay else { return step = .over }
        self.record = record
        if record.phase == .created { return try endPause(record, lock) }
        var lifecycle = Profile.Lifecycle()
        if timeout != 0 { lifecycle = try registry.profile(of: sandbox.name).lifecycle }
        try translated { () throws(SystemError) in
            guard let folder = try registry.openFolder(sandbox.name) else { return }
            try folder.write(File.stopping, "")
        }
        process = try registry.hold(record.process, of: record)
        if process == nil {
            // It has ended just now. Who writes that down, this process perhaps, needs the lock.
            lock.release()
            return try awaitRecord(record)
        }
        if timeout == 0 { return try kill(record) }
        try send(lifecycle.stopSignal, record)
        wait(.asked, milliseconds(timeout ?? lifecycle.stopTimeout))
    }

    private func send(_ name: String, _ record: SandboxRecord) throws(LaunchError) {
        guard let signal = signalNumber(name) else { throw LaunchError("no signal is called \(name)") }
        try sandbox.target(signal, record)?.send(signal)
        // What is stopped, or frozen, cannot act on it.
        try sandbox.target(SIGCONT, record)?.send(SIGCONT)
        if record.hasWaiter { try sandbox.registry.hold(record.launcher, of: record)?.send(SIGCONT) }
        if try sandbox.registry.isPaused(record) {
            try translated { () throws(SystemError) in try Cgroup(groups: record.groups).thaw() }
        }
    }

    private func kill(_ record: SandboxRecord) throws(LaunchError) {
        guard record.hasInit, let application = try sandbox.registry.hold(record.application, of: record),
            try !sandbox.registry.isPaused(record)
        else { return try killAll(record) }
        try application.send(SIGKILL)
        wait(.killed, 500)
    }

    private func killAll(_ record: SandboxRecord) throws(LaunchError) {
        try sandbox.registry.hold(record.application, of: record)?.send(SIGKILL)
        try sandbox.registry.hold(record.process, of: record)?.send(SIGKILL)
        if record.hasWaiter { try sandbox.registry.hold(record.launcher, of: record)?.send(SIGCONT) }
        try translated { () throws(SystemError) in try Cgroup(groups: record.groups).kill() }
        wait(.killedAll, 10_000)
    }

    /// A waiter that pauses before it begins the sandbox again holds no lock.
    private func endPause(_ record: SandboxRecord, _ lock: borrowing NameLock) throws(LaunchError) {
        try translated { () throws(SystemError) in
            guard let waiter = try ProcessHandle(record.launcher) else { return }
            try waiter.send(SIGKILL)
            guard try waiter.waitForEnd(milliseconds: 10_000) else {
                throw SystemError("end process \(record.launcher.pid)", code: ETIMEDOUT)
            }
        }
        try sandbox.registry.end(
            record, status: record.exitStatus, at: record.ended ?? unixMilliseconds(),
            reason: "stopped while it waited to begin again", lock)
        step = .over
    }

    private func awaitRecord(_ record: SandboxRecord) throws(LaunchError) {
        guard record.hasWaiter, let waiter = try sandbox.registry.hold(record.launcher, of: record) else {
            return try settle()
        }
        process = waiter
        wait(.recording, 90_000)
    }

    private func settle() throws(LaunchError) {
        guard let now = try sandbox.registry.settle(sandbox.name, patience: 60_000), now.isUnderWay,
            now.created == record?.created
        else { return step = .over }
        rounds += 1
        guard rounds < 10 else { throw LaunchError("\"\(sandbox.name)\" begins again and again") }
        try ask()
    }

    private func wait(_ step: Step, _ milliseconds: Int) {
        self.step = step
        deadline = monotonicMilliseconds() + milliseconds
    }
}
