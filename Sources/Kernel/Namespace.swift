import CLinux
import Glibc

/// A set of namespaces(7) kinds as clone(2) flags.
public struct NamespaceFlags: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let user = NamespaceFlags(rawValue: UInt64(CLONE_NEWUSER))
    public static let mount = NamespaceFlags(rawValue: UInt64(CLONE_NEWNS))
    public static let pid = NamespaceFlags(rawValue: UInt64(CLONE_NEWPID))
    public static let net = NamespaceFlags(rawValue: UInt64(CLONE_NEWNET))
    public static let ipc = NamespaceFlags(rawValue: UInt64(CLONE_NEWIPC))
    public static let uts = NamespaceFlags(rawValue: UInt64(CLONE_NEWUTS))
    public static let cgroup = NamespaceFlags(rawValue: UInt64(CLONE_NEWCGROUP))
    public static let time = NamespaceFlags(rawValue: 0x80)

    private static let names: [(NamespaceFlags, String)] = [
        (.user, "user"), (.mount, "mount"), (.pid, "pid"), (.net, "net"), (.ipc, "ipc"), (.uts, "uts"),
        (.cgroup, "cgroup"), (.time, "time"),
    ]

    /// "net, mount", for error lines.
    public var names: String {
        NamespaceFlags.names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}

/// Moves the caller into new namespaces (unshare(2)); a new pid or time namespace holds its next children.
public func unshareNamespaces(_ flags: NamespaceFlags) throws(SystemError) {
    if unshare(Int32(truncatingIfNeeded: flags.rawValue)) == 0 { return }
    let code = errno
    throw SystemError("unshare namespaces \(flags.names)", code: code, mend: namespaceMend(flags, code))
}

/// Moves the caller into the existing namespace behind `descriptor` (setns(2)).
public func joinNamespace(_ descriptor: Int32, _ kind: NamespaceFlags, name: String) throws(SystemError) {
    try check("join the \(kind.names) namespace \(name)") {
        setns(descriptor, Int32(truncatingIfNeeded: kind.rawValue))
    }
}

/// The network namespace that the calling thread is in (network_namespaces(7)).
public func ownNetworkNamespace() throws(SystemError) -> Descriptor {
    Descriptor(try check("open the network namespace of this process") { linux_own_network() })
}

/// The uid, as the caller sees it, of who made the user namespace behind `descriptor` (ioctl_nsfs(2)).
public func ownerOfUserNamespace(_ descriptor: Int32, name: String) throws(SystemError) -> UInt32 {
    var owner: UInt32 = 0
    try check("ask for the owner of \(name)") { linux_namespace_owner(descriptor, &owner) }
    return owner
}

/// What to do about a namespace that the kernel refuses.
public func namespaceMend(_ flags: NamespaceFlags, _ code: Int32) -> String? {
    switch code {
    case EPERM where flags.contains(.user):
        "the kernel keeps user namespaces from you: see 'sandbox doctor'"
    case EPERM: "run as root, or add \"user\" to namespaces.unshare"
    case ENOSPC, EUSERS:
        "a limit on the number of namespaces is reached: raise /proc/sys/user/max_*_namespaces"
    case EINVAL: "this kernel lacks one of them: see 'sandbox doctor'"
    default: nil
    }
}

/// Sets the offsets of the clocks for the time namespace that the next children enter (time_namespaces(7)), in seconds.
public func setTimeOffsets(monotonic: Int?, boottime: Int?) throws(SystemError) {
    let lines = [monotonic.map { "monotonic \($0) 0" }, boottime.map { "boottime \($0) 0" }].compactMap { $0 }
    if lines.isEmpty { return }
    try writeText(lines.joined(separator: "\n") + "\n", to: "/proc/self/timens_offsets")
}

/// Enters the time namespace made by unshare(2), which alone is for children only on older kernels.
public func enterTimeNamespaceForChildren() throws(SystemError) {
    let file = try Descriptor(open: "/proc/self/ns/time_for_children", O_RDONLY)
    try joinNamespace(file.number, .time, name: "just made")
}
