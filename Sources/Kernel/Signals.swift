import CLinux
import Glibc

/// The signals that a launcher passes on: all but those that a program brings on itself, those that cannot be
/// caught, and the terminal's stops of background access.
public struct ForwardedSignals: ~Copyable {
    /// A signalfd(2); one read gives one signal.
    public let descriptor: Descriptor
    private let previous: sigset_t

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

    /// The next signal, nil when none is pending.
    public func next() throws(SystemError) -> ReceivedSignal? {
        var info = signalfd_siginfo()
        let count = read(descriptor.number, &info, MemoryLayout<signalfd_siginfo>.size)
        if count == MemoryLayout<signalfd_siginfo>.size {
            return ReceivedSignal(number: Int32(info.ssi_signo), isFromKernel: info.ssi_code == sentByKernel)
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        throw SystemError("read signals", code: errno)
    }

    /// Gives this process the signal mask it had before, as a command to be executed needs it.
    public func restore() {
        var mask = previous
        sigprocmask(SIG_SETMASK, &mask, nil)
    }
}

/// `SI_KERNEL` of sigaction(2).
private let sentByKernel: Int32 = 0x80

public struct ReceivedSignal: Sendable, Equatable {
    public var number: Int32
    /// Sent by a terminal's line discipline, say, to the whole foreground process group, and not by a process.
    public var isFromKernel: Bool
}
