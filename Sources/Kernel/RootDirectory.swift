import CLinux
import Glibc

/// A directory as the root of path resolution: symbolic links and `..` in a path never lead out of it, whatever is
/// swapped meanwhile (openat2(2), `RESOLVE_IN_ROOT`).
public struct RootDirectory: ~Copyable {
    public let descriptor: Descriptor

    public init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// The O_PATH descriptor of what is at `path`, nil when there is nothing.
    public func find(_ path: String, follow: Bool = true) throws(SystemError) -> Int32? {
        let flags = O_PATH | (follow ? 0 : O_NOFOLLOW)
        do {
            return try Descriptor(beneath: descriptor.number, path, flags, resolve: RootDirectory.resolve).take()
        } catch {
            if error.code == ENOENT || error.code == ENOTDIR { return nil }
            throw error
        }
    }

    /// Opens `path` with open(2) `flags`.
    public func open(_ path: String, _ flags: Int32, mode: UInt64 = 0) throws(SystemError) -> Descriptor {
        try Descriptor(beneath: descriptor.number, path, flags, mode: mode, resolve: RootDirectory.resolve)
    }

    /// Magic links (/proc/PID/fd and their like) lead out of any root.
    private static var resolve: UInt64 { UInt64(RESOLVE_IN_ROOT) | UInt64(RESOLVE_NO_MAGICLINKS) }
}

/// What stat(2) says of a path or descriptor.
public struct FileStatus: Sendable, Equatable {
    public enum Kind: Sendable { case directory, file, symlink, characterDevice, other }
    public var kind: Kind
    public var device: UInt64
    public var inode: UInt64
    /// The device that a device file stands for.
    public var represented: UInt64
    public var owner: UInt32
    public var group: UInt32
    /// Permission bits.
    public var mode: UInt32
    /// Bytes.
    public var size: Int
    /// When its content last changed, in milliseconds since the epoch.
    public var modified: Int

    fileprivate init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .directory
            case S_IFREG: .file
            case S_IFLNK: .symlink
            case S_IFCHR: .characterDevice
            default: .other
            }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        represented = UInt64(status.st_rdev)
        owner = status.st_uid
        group = status.st_gid
        mode = status.st_mode & 0o7777
        size = Int(status.st_size)
        modified = status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1_000_000
    }

    /// fstat(2).
    public init(_ descriptor: Int32, name: @autoclosure () -> String) throws(SystemError) {
        var status = stat()
        try check("look at \(name())") { fstat(descriptor, &status) }
        self.init(status)
    }

    /// stat(2), or lstat(2) when `follow` is false; nil when there is nothing or it cannot be reached.
    public init?(path: String, follow: Bool = true) {
        var status = stat()
        guard fstatat(AT_FDCWD, path, &status, follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        self.init(status)
    }
}

/// The number of the mount that an open file lies on (statx(2)).
public func mountNumber(of descriptor: Int32, name: String) throws(SystemError) -> UInt64 {
    let number = linux_mount_id(descriptor)
    if number == 0 { throw SystemError("find the mount of \(name)", code: errno) }
    return number
}
