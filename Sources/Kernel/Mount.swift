import CLinux
import Glibc

/// Per-mount attributes of mount_setattr(2).
public struct MountAttributes: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let readOnly = MountAttributes(rawValue: 0x1)
    public static let nosuid = MountAttributes(rawValue: 0x2)
    public static let nodev = MountAttributes(rawValue: 0x4)
    public static let noexec = MountAttributes(rawValue: 0x8)
    public static let nosymfollow = MountAttributes(rawValue: 0x20_0000)
}

private let atRecursive: UInt32 = 0x8000
private let atEmptyPath: UInt32 = 0x1000
private let openTreeClone: UInt32 = 1
private let openTreeCloseOnExec = UInt32(O_CLOEXEC)
private let moveMountFromEmptyPath: UInt32 = 0x4
private let moveMountToEmptyPath: UInt32 = 0x40
private let mountIDMapped: UInt64 = 0x10_0000

/// A mount that is a descriptor: attached nowhere until ``attach(to:action:)``, gone when closed before.
public struct MountTree: ~Copyable {
    public let descriptor: Descriptor

    /// Takes over the descriptor of a mount.
    public init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Gives the descriptor away; the caller closes it.
    public consuming func take() -> Int32 { descriptor.take() }

    /// Copies what is at `source` (an O_PATH descriptor) as a bind mount would (open_tree(2), `OPEN_TREE_CLONE`).
    public init(cloning source: Int32, recursive: Bool, action: @autoclosure () -> String) throws(SystemError) {
        let flags = openTreeClone | openTreeCloseOnExec | atEmptyPath | (recursive ? atRecursive : 0)
        descriptor = Descriptor(try check(action()) { linux_open_tree(source, "", flags) })
    }

    /// Makes a new filesystem instance (fsopen(2), fsconfig(2), fsmount(2)).
    ///
    /// `options` with a nil value are flags.
    public init(
        new type: String, _ options: [(String, String?)] = [], attributes: MountAttributes = [],
        action: @autoclosure () -> String
    ) throws(SystemError) {
        let context = Descriptor(try check(action()) { linux_fsopen(type, 1) })
        for (key, value) in options {
            try check("\(action()) (option \(key))") {
                guard let value else { return linux_fsconfig(context.number, 0, key, nil, 0) }
                return linux_fsconfig(context.number, 1, key, value, 0)
            }
        }
        try check(action()) { linux_fsconfig(context.number, 6, nil, nil, 0) }
        descriptor = Descriptor(
            try check(action()) { linux_fsmount(context.number, 1, UInt32(attributes.rawValue)) })
    }

    /// Sets and clears attributes, of everything mounted below too when `recursive` (mount_setattr(2)).
    public func setAttributes(
        _ set: MountAttributes, clear: MountAttributes = [], recursive: Bool, action: @autoclosure () -> String
    ) throws(SystemError) {
        try setMountAttributes(descriptor.number, set, clear: clear, recursive: recursive, action: action())
    }

    /// Maps file owners through the user namespace behind `userNamespace`.
    public func setIDMapping(
        _ userNamespace: Int32, recursive: Bool, action: @autoclosure () -> String
    ) throws(SystemError) {
        let flags = atEmptyPath | (recursive ? atRecursive : 0)
        try check(action()) {
            linux_mount_setattr(descriptor.number, "", flags, mountIDMapped, 0, 0, UInt64(userNamespace))
        }
    }

    /// Attaches the tree on top of `target`, an O_PATH descriptor (move_mount(2)).
    public borrowing func attach(to target: Int32, action: @autoclosure () -> String) throws(SystemError) {
        try check(action()) {
            linux_move_mount(
                descriptor.number, "", target, "", moveMountFromEmptyPath | moveMountToEmptyPath)
        }
    }
}

/// Sets and clears attributes of the mount behind `descriptor` (mount_setattr(2)).
public func setMountAttributes(
    _ descriptor: Int32, _ set: MountAttributes, clear: MountAttributes = [], recursive: Bool,
    action: @autoclosure () -> String
) throws(SystemError) {
    try check(action()) {
        linux_mount_setattr(
            descriptor, "", atEmptyPath | (recursive ? atRecursive : 0), set.rawValue, clear.rawValue, 0, 0)
    }
}

/// Mount propagation types (mount_namespaces(7)).
public enum MountPropagation: Sendable {
    case `private`, slave, shared

    fileprivate var flag: UInt64 {
        switch self {
        case .private: UInt64(MS_PRIVATE)
        case .slave: UInt64(MS_SLAVE)
        case .shared: UInt64(MS_SHARED)
        }
    }
}

/// Changes the propagation of the mount behind `descriptor`.
public func setMountPropagation(
    _ descriptor: Int32, _ propagation: MountPropagation, recursive: Bool, action: @autoclosure () -> String
) throws(SystemError) {
    try check(action()) {
        linux_mount_setattr(
            descriptor, "", atEmptyPath | (recursive ? atRecursive : 0), 0, 0, propagation.flag, 0)
    }
}

/// Makes the directory behind `newRoot`, a mount point, the root of the caller's mount namespace, and lets go of the
/// old root (pivot_root(2), `pivot_root(".", ".")`), whatever is mounted over that: "/.." would lead there.
public func pivotRoot(to newRoot: Int32) throws(SystemError) {
    let oldRoot = try Descriptor(open: "/", O_PATH | O_DIRECTORY)
    try check("enter the new root") { fchdir(newRoot) }
    try check("pivot to the new root") { linux_pivot_root(".", ".") }
    try check("enter the old root") { fchdir(oldRoot.number) }
    // A path leads to what is on top: that goes first, and the old root itself last. It is no mount of ours then.
    var detached = 0
    while umount2(".", Int32(MNT_DETACH)) == 0 { detached += 1 }
    guard errno == EINVAL, detached > 0 else { throw SystemError("detach the old root", code: errno) }
    try check("enter the new root") { chdir("/") }
}

/// The same as ``dropNamespaceFiles()`` in the mount namespace of another process, but for those that are not here: they
/// are its own.
public func dropNamespaceFiles(of process: Int32) throws(SystemError) {
    for _ in 0..<10 {
        let entries = try MountEntry.all(of: process).filter { $0.type == "nsfs" }
        if entries.isEmpty { return }
        let here = Set(try MountEntry.own().filter { $0.type == "nsfs" }.map(\.root))
        let points = entries.filter { here.contains($0.root) }.map(\.path)
        if points.isEmpty { return }
        let space = try Descriptor(open: "/proc/\(process)/ns/mnt", O_RDONLY)
        let child = try startChild(in: []) {
            guard setns(space.number, CLONE_NEWNS) == 0 else { _exit(1) }
            for point in points { umount2(point, Int32(MNT_DETACH) | Int32(UMOUNT_NOFOLLOW)) }
            _exit(0)
        }
        let status = try waitForEnd(of: child)
        if status != .exited(0) { throw SystemError("enter the mount namespace of process \(process)", code: EPERM) }
    }
}

/// Takes out of this mount namespace, whose mounts are private, the files that keep namespaces (nsfs, ip-netns(8)): what
/// holds them here would keep them alive, too. Those that it may not take out (mount_namespaces(7), locked) stay.
public func dropNamespaceFiles() throws(SystemError) {
    // One that is renamed meanwhile is found under its new name.
    for _ in 0..<5 {
        let points = try MountEntry.own().filter { $0.type == "nsfs" }.map(\.path)
        if points.isEmpty { return }
        for point in points {
            let flags = Int32(MNT_DETACH) | Int32(UMOUNT_NOFOLLOW)
            if umount2(point, flags) != 0, errno != ENOENT, errno != EINVAL {
                throw SystemError("leave \(point) out of the box", code: errno)
            }
        }
    }
}
