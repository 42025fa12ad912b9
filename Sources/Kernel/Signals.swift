public import CLinux
import Glibc

/// The signals that a process does not get now (sigprocmask(2)).
public struct SignalMask: Sendable {
    fileprivate var set = sigset_t()

    fileprivate init(_ set: sigset_t) { self.set = set }

    /// This process's.
    public init() throws(SystemError) {
        var set = sigset_t()
        try check("read the signal mask") { sigprocmask(SIG_BLOCK, nil, &set) }
        self.set = set
    }

    /// Gives it to this process.
    public func apply() {
        var mask = set
        sigprocmask(SIG_SETMASK, &mask, nil)
    }

    /// Lets a command begin with it.
    public func put(in spawn: inout linux_spawn) { spawn.mask = set }
}

/// The signals that a launcher passes on: all but those that a program brings on itself, those that cannot be
/// caught, and the terminal's stops of background access.
public struct ForwardedSignals: ~Copyable {
    /// A signalfd(2); one read gives one signal.
    public let descriptor: Descriptor
    /// The signal mask that this process had before.
    public let previous: SignalMask

    /// Blocks them in this process and makes them readable.
    public init() throws(SystemError) {
        var set = sigset_t()
        sigfillset(&set)
        for signal in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU] {
            sigdelset(&set, signal)
        }
        var before = sigset_t()
        try check("block signals") { sigprocmask(SIG_BLOCK, &set, &before) }
        let flags = Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK)
        let opened = Descriptor(try check("make a signal descriptor") { signalfd(-1, &set, flags) })
        previous = SignalMask(before)
        descriptor = opened
    }

    /// Gives this process the signal mask it had before.
    public func restore() {
        var mask = previous.set
        sigprocmask(SIG_SETMASK, &mask, nil)
    }
}
