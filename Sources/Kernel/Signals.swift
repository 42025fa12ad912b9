public import CLinux
import Glibc

/// The signal mask of this process.
public func signalMask() throws(SystemError) -> sigset_t {
    var mask = sigset_t()
    try check("read the signal mask") { sigprocmask(SIG_BLOCK, nil, &mask) }
    return mask
}

/// The signals that a launcher passes on: all but those that a program brings on itself, those that cannot be
/// caught, and the terminal's stops of background access.
public struct ForwardedSignals: ~Copyable {
    /// A signalfd(2); one read gives one signal.
    public let descriptor: Descriptor
    /// The signal mask that this process had before.
    public let previous: sigset_t

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
        previous = before
        descriptor = opened
    }

    /// Gives this process the signal mask it had before.
    public func restore() {
        var mask = previous
        sigprocmask(SIG_SETMASK, &mask, nil)
    }
}
