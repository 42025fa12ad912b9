import CLinux
import Glibc

/// A process that a test started, through posix_spawn(3): the threaded test process itself never forks.
final class Child: @unchecked Sendable {
    let pid: pid_t
    /// Once it has been waited for, its id may be another process's. One thread, the test's, uses the value.
    private var isOver = false

    private init(pid: pid_t) { self.pid = pid }

    enum Input {
        case none
        case text(String)
        /// A descriptor of the test process, used as standard input.
        case descriptor(Int32)
    }

    /// Starts `arguments` in a session of its own, without a controlling terminal unless `terminal` names one.
    static func start(
        _ arguments: [String], environment: [String: String], directory: String? = nil,
        descriptors: [Int32: Int32] = [:], terminal: String? = nil
    ) throws -> Child {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let directory { posix_spawn_file_actions_addchdir_np(&actions, directory) }
        if let terminal {
            // The first terminal that a session leader opens becomes its controlling terminal.
            posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
        }
        // Sources are moved out of the way first, lest one be overwritten before it is used.
        var moved: [Int32] = []
        defer { for descriptor in moved { close(descriptor) } }
        for (target, source) in descriptors.sorted(by: { $0.key < $1.key }) {
            let copy = linux_fcntl(source, F_DUPFD_CLOEXEC, 500)
            guard copy >= 0 else { throw Failure("duplicate descriptor \(source)") }
            moved.append(copy)
            posix_spawn_file_actions_adddup2(&actions, copy, target)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        return try withCStrings(arguments) { argv in
            try withCStrings(environment.map { "\($0)=\($1)" }.sorted()) { envp in
                var pid: pid_t = 0
                let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
                guard code == 0 else { throw Failure("start \(arguments[0])", code: code) }
                return Child(pid: pid)
            }
        }
    }

    func signal(_ number: Int32) { if !isOver { kill(pid, number) } }

    /// Waits, at most `timeout` seconds; nil when it has not ended by then.
    func wait(timeout: Double = 20) -> Ending? {
        if isOver { return nil }
        let descriptor = linux_pidfd_open(pid, 0)
        defer { if descriptor >= 0 { close(descriptor) } }
        if descriptor >= 0 {
            var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let deadline = Clock.now + timeout
            while poll(&event, 1, Int32(max(0, (deadline - Clock.now) * 1000))) < 0 && errno == EINTR {}
            if event.revents == 0 { return nil }
        }
        return reap()
    }

    private func reap() -> Ending? {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            if errno != EINTR { return nil }
        }
        isOver = true
        return Ending(status)
    }

    /// Ends it, with its session's foreground group, and waits.
    func end() {
        if isOver { return }
        kill(-pid, SIGKILL)
        kill(pid, SIGKILL)
        _ = reap()
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws -> Result
    ) throws -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return try pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { throw Failure("arguments", code: ENOMEM) }
            return try body(base)
        }
    }
}

/// How a process ended, wait(2).
enum Ending: Equatable {
    case exited(Int32)
    case signalled(Int32)

    init(_ status: Int32) {
        self = linux_exited(status) != 0 ? .exited(linux_exit_status(status)) : .signalled(linux_term_signal(status))
    }

    /// What a shell's `$?` would say.
    var shellStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let signal): 128 + signal
        }
    }
}

enum Clock {
    /// Seconds of the monotonic clock.
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func pause(_ seconds: Double) { usleep(useconds_t(seconds * 1e6)) }

    /// Asks until `condition` holds; false when it did not within `timeout` seconds.
    static func waitUntil(timeout: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
        let deadline = now + timeout
        while true {
            if try condition() { return true }
            if now > deadline { return false }
            pause(0.02)
        }
    }
}
