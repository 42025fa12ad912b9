import CLinux
import Glibc

/// A process held by a descriptor: what is done through it reaches that process, or fails with ESRCH, but never another
/// one that has got its number (pidfd_open(2)).
public struct ProcessDescriptor: ~Copyable, Sendable {
    public let descriptor: Descriptor
    public let identity: ProcessIdentity

    /// nil when the process has ended, whoever has its number now.
    public init?(_ identity: ProcessIdentity) throws(SystemError) {
        let number = linux_pidfd_open(identity.pid, 0)
        if number < 0, errno == ESRCH { return nil }
        let opened = Descriptor(try check("open process \(identity.pid)") { number })
        // The number may have been given out again before, but not from here on.
        guard try identity.isAlive() else { return nil }
        descriptor = opened
        self.identity = identity
    }

    /// Whether the process has not ended: a zombie has.
    public var isRunning: Bool {
        var wait = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, 0) <= 0
    }

    /// Moves the caller into the process's namespaces of these kinds, all or none (setns(2), Linux 5.8).
    ///
    /// A pid namespace holds the caller's next children. Joining a user namespace gives the caller all capabilities in
    /// it, and the other kinds are joined with them.
    public func join(_ kinds: NamespaceFlags) throws(SystemError) {
        try check("join the namespaces \(kinds.names) of process \(identity.pid)") {
            setns(descriptor.number, Int32(truncatingIfNeeded: kinds.rawValue))
        }
    }
}
