import CLinux
import Checkpoint
import Glibc
import Kernel
public import Launch
import Profile

extension Sandbox {
    /// Starts several sandboxes from one snapshot: NAME-1, NAME-2 and so on, each with addresses of its own, detached.
    /// All of them, or none and an error. The process must have one thread.
    ///
    /// Connections are closed in them, and listening sockets have the new addresses.
    /// - Parameter snapshot: the snapshot's name, or a sandbox's for its newest one.
    /// - Parameter count: how many, 1 to 1000.
    /// - Returns: the sandboxes.
    public static func clone(
        _ snapshot: String, count: Int, _ options: RestoreOptions = RestoreOptions()
    ) throws(LaunchError) -> [Sandbox] {
        guard (1...1000).contains(count) else {
            throw LaunchError("\(count) is no number of clones", mend: "use 1 to 1000")
        }
        if options.replaces {
            throw LaunchError("clones take no place of another", mend: "leave out --replace, or --count")
        }
        if options.isLazy { try LateMemory.check() }
        if !options.addresses.isEmpty {
            throw LaunchError("clones have addresses of their own", mend: "leave out --address, or --count")
        }
        let registry = try Registry.ofCaller()
        let found = try stored { () throws(SnapshotError) in
            let store = try SnapshotStore.ofCaller()
            return try store.inspected(options.takesNewest ? store.latest(of: snapshot) : store.resolve(snapshot))
        }
        try registry.guardExecutable(found)
        var restorations: [Restoration] = []
        for number in 1...count {
            let restoration = try Restoration(registry, found, options, clone: number)
            // Before any of them is begun.
            if let record = try registry.settle(restoration.name), record.isUnderWay {
                throw LaunchError(
                    "a sandbox named \"\(restoration.name)\" is running already", mend: "name the others with -n")
            }
            restorations.append(restoration)
        }
        let store = try stored { () throws(SnapshotError) in try SnapshotStore.ofCaller() }
        // Once for all of them.
        try store.expanded(found) { ready throws(LaunchError) in
            let proven = try restorations[0].prove(ready, in: store, for: count)
            try Cloning(snapshot: ready, restorations: restorations, proven: proven).run()
        }
        return restorations.map { Sandbox($0.name, registry) }
    }
}

/// Several restores of one snapshot at a time. Each is a process's work, which waits in the end for a word: without it,
/// because another has failed or this process has been killed, it takes its sandbox away again.
private struct Cloning {
    let snapshot: Snapshot
    let restorations: [Restoration]
    /// Of its memory, for all of them.
    let proven: Restoration.Proven

    /// How many are at work at a time: each waits for the disk, and for the kernel's locks, now and then.
    private var limit: Int { max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)) * 2) }

    func run() throws(LaunchError) {
        let verdict = try translated { () throws(SystemError) in try makePipe("start the clones") }
        defer { close(verdict.read) }
        // Nobody is to be ended in the middle: all of them are taken away first.
        let signals = SignalPause()
        var workers: [CloneWorker] = []
        var failure: LaunchError?
        do throws(LaunchError) {
            for restoration in restorations {
                while workers.filter({ !$0.hasReported }).count >= limit { try hear(&workers) }
                workers.append(try CloneWorker(restoration, snapshot, verdict, proven))
            }
            while workers.contains(where: { !$0.hasReported }) { try hear(&workers) }
            if signals.isPending { throw LaunchError("interrupted: no clone is left", status: 128 + SIGINT) }
            let word = [UInt8](repeating: 1, count: workers.count)
            _ = try translated { () throws(SystemError) in
                try check("let the clones go on") { Int32(write(verdict.write, word, word.count)) }
            }
        } catch {
            failure = error
        }
        close(verdict.write)
        for worker in workers {
            do throws(LaunchError) { try worker.end(failed: failure != nil) } catch {
                failure?.message += "; \(error.message)"
            }
        }
        signals.end()
        if let failure { throw failure }
    }

    /// Waits for a report.
    private func hear(_ workers: inout [CloneWorker]) throws(LaunchError) {
        let open = workers.indices.filter { !workers[$0].hasReported }
        var waits = open.map { pollfd(fd: workers[$0].report, events: Int16(POLLIN), revents: 0) }
        let count = nfds_t(waits.count)
        _ = try translated { () throws(SystemError) in try check("wait for the clones") { poll(&waits, count, -1) } }
        for (wait, index) in zip(waits, open) where wait.revents != 0 { try workers[index].hear() }
    }
}

/// The process that makes one clone.
private struct CloneWorker {
    /// Readable when it has something to say.
    let report: Int32
    private(set) var hasReported = false
    private let restoration: Restoration
    private let pid: Int32

    init(
        _ restoration: Restoration, _ snapshot: Snapshot, _ verdict: (read: Int32, write: Int32),
        _ proven: Restoration.Proven
    ) throws(LaunchError) {
        self.restoration = restoration
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        _ = try translated { () throws(SystemError) in
            try check("start a clone") { socketpair(AF_UNIX, type, 0, &ends) }
        }
        let (ours, theirs) = (ends[0], ends[1])
        report = ours
        do throws(SystemError) {
            pid = try startChild(in: []) {
                close(verdict.write)
                close(ours)
                CloneWorker.work(restoration, snapshot, proven, report: theirs, verdict: verdict.read)
            }
        } catch {
            close(ours)
            close(theirs)
            throw LaunchError(error)
        }
        close(theirs)
    }

    private static func work(
        _ restoration: Restoration, _ snapshot: Snapshot, _ proven: Restoration.Proven, report: Int32, verdict: Int32
    ) -> Never {
        do throws(LaunchError) {
            _ = try restoration.run(snapshot, isDetached: true, proven)
        } catch {
            say(error.message, report)
            _exit(error.status)
        }
        do throws(LaunchError) {
            try restoration.greet(foreign: [report, verdict])
            say("", report)
            if isToStay(verdict) { _exit(0) }
        } catch {
            say(error.message, report)
        }
        do throws(LaunchError) {
            try Sandbox(restoration.name, restoration.registry).remove(force: true)
        } catch {
            say("left behind: \(error.message)", report)
        }
        _exit(0)
    }

    /// Whether a word comes.
    private static func isToStay(_ verdict: Int32) -> Bool {
        var word: UInt8 = 0
        while true {
            let count = read(verdict, &word, 1)
            if count >= 0 || errno != EINTR { return count == 1 }
        }
    }

    /// One message: what is wrong where something is, and a zero byte.
    private static func say(_ text: String, _ report: Int32) {
        let bytes = text.utf8.prefix(4000) + [0]
        // One who is gone need not be told.
        _ = send(report, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// - Throws: what went wrong with the clone.
    mutating func hear() throws(LaunchError) {
        hasReported = true
        guard let message = try message(Int32(0)) else {
            throw LaunchError("\(restoration.name): the process that made it was killed")
        }
        if !message.isEmpty { throw LaunchError("\(restoration.name): \(message)") }
    }

    /// The next message; `nil` when there is none.
    /// - Parameter flags: of recv(2).
    private func message(_ flags: Int32) throws(LaunchError) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        do throws(SystemError) {
            let count = try check("hear from \(restoration.name)") { Int32(recv(report, &bytes, bytes.count, flags)) }
            return count < 1 ? nil : String(decoding: bytes[..<Int(count - 1)], as: UTF8.self)
        } catch {
            // What it had been sent it had not read.
            if error.code == EAGAIN || error.code == ECONNRESET { return nil }
            throw LaunchError(error)
        }
    }

    /// Waits for its end.
    /// - Parameter failed: whether no clone is to stay.
    /// - Throws: what it has left.
    func end(failed: Bool) throws(LaunchError) {
        defer { close(report) }
        let status = try translated { () throws(SystemError) in try waitForEnd(of: pid) }
        guard failed else { return }
        while let left = try message(Int32(MSG_DONTWAIT)) {
            if left.hasPrefix("left behind") { throw LaunchError("\(restoration.name): \(left)") }
        }
        if case .signaled = status {
            // It cannot have taken away what it had begun.
            let sandbox = Sandbox(restoration.name, restoration.registry)
            if try restoration.registry.settle(restoration.name) != nil { try sandbox.remove(force: true) }
        }
    }
}

/// Keeps the signals by which a terminal or a user ends a command waiting.
private struct SignalPause {
    private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
    private var before = sigset_t()

    init() {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in SignalPause.signals { sigaddset(&set, signal) }
        sigprocmask(SIG_BLOCK, &set, &before)
    }

    var isPending: Bool {
        var set = sigset_t()
        sigpending(&set)
        return SignalPause.signals.contains { sigismember(&set, $0) == 1 }
    }

    func end() {
        var before = before
        sigprocmask(SIG_SETMASK, &before, nil)
    }
}

extension Restoration {
    /// Runs the command of `checkpoint.on-clone` in the clone, where there is one.
    /// - Parameter foreign: descriptors that it must not hold.
    fileprivate func greet(foreign: [Int32]) throws(LaunchError) {
        let command = profile.checkpoint.onClone
        if command.isEmpty { return }
        let pid = try translated { () throws(SystemError) in
            try startChild(in: []) {
                for number in foreign { close(number) }
                enterAndRun(command)
            }
        }
        let status = try translated { () throws(SystemError) in try waitForEnd(of: pid) }
        if status == .exited(0) { return }
        throw LaunchError(
            key: "checkpoint.on-clone", "\(command[0]) has failed with status \(status.exitStatus)",
            mend: "what it wrote stands above, if anything")
    }

    private func enterAndRun(_ command: [String]) -> Never {
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
        let null = linux_open("/dev/null", O_RDONLY, 0)
        if null > 0 { dup2(null, 0) }
        var options = ExecOptions()
        options.environment["SANDBOX_NAME"] = name
        options.environment["SANDBOX_CLONE"] = clone.map { "\($0)" }
        do throws(LaunchError) {
            _exit(try Sandbox(name, registry).exec(command, options))
        } catch {
            let line = "sandbox: \(name): \(error.message)\n"
            _ = write(STDERR_FILENO, line, line.utf8.count)
            _exit(error.status)
        }
    }
}

extension Registry {
    /// A command that is run in a clone must not reach this program's file.
    fileprivate func guardExecutable(_ snapshot: Snapshot) throws(LaunchError) {
        let profile = try Restoration.profile(of: snapshot, self)
        if !profile.checkpoint.onClone.isEmpty { try Launcher.protectExecutable() }
    }
}
