import Netlink

/// A network namespace that was unlocked: the kernel has still to forget the lock, which is waited for at its end.
public final class UnlockedNetwork {
    private var socket: NetfilterSocket?

    public init() {}

    /// Unlocks the namespace behind a descriptor.
    public func unlock(_ namespace: Int32) throws(SwitchError) { socket = try NetworkLock.unlock(namespace) }

    /// Waits.
    public func end() { socket = nil }
}
