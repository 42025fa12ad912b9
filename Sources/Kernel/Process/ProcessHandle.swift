import CLinux
import Glibc

/// A process held by a pidfd(2), so that a signal cannot reach another one that got its number.
public struct ProcessHandle: ~Copyable, Sendable {
    public let descriptor: Descriptor

    /// `nil` when the process has ended, whatever has its number now.
    public init?(_ process: ProcessIdentity) throws(SystemError) {
        let number = linux_pidfd_open(process.pid, 0)
        if number < 0, errno == ESRCH || errno == EINVAL { return nil }
        let opened = Descriptor(try check("hold process \(process.pid)") { number })
        // Only now: what has the number at this moment keeps it as long as the descriptor is open.
        guard try process.isAlive() else { return nil }
        descriptor = opened
    }

    /// The descriptor alone, which the caller closes by letting it go.
    public consuming func takeDescriptor() -> Descriptor { descriptor }

    /// Sends a signal; a process that has ended is no error.
    public func send(_ signal: Int32) throws(SystemError) {
        if linux_pidfd_send_signal(descriptor.number, signal) == 0 || errno == ESRCH {
            return CrashPoint.pass("signal \(signal)")
        }
        throw SystemError("send signal \(signal)", code: errno)
    }

    /// Moves the caller into the process's namespaces of these kinds, all or none (setns(2), Linux 5.8).
    ///
    /// A pid namespace holds the caller's next children. Joining a user namespace gives the caller all capabilities in
    /// it, and the other kinds are joined with them.
    public func join(_ kinds: NamespaceFlags) throws(SystemError) {
        try check("join the \(kinds.names) namespaces") {
            setns(descriptor.number, Int32(truncatingIfNeeded: kinds.rawValue))
        }
    }

    /// Waits until it has ended, at most `milliseconds` (-1: without end).
    /// - Returns: whether it has.
    public func waitForEnd(milliseconds: Int) throws(SystemError) -> Bool {
        var wait = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        let limit = Int32(clamping: milliseconds)
        return try check("wait for a process") { poll(&wait, 1, limit) } > 0
    }
}
