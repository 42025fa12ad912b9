import CLinux
import Glibc
public import Kernel

/// The directory that holds what is known of running sandboxes: `$SANDBOX_STATE`, `/run/sandbox` for root, or
/// `$XDG_RUNTIME_DIR/sandbox`. It belongs to the caller and to nobody else; there is no fallback to a shared place.
public struct StateDirectory: Sendable, Equatable {
    public let path: String

    /// The caller's state directory, which need not exist.
    public static func ofCaller() throws(SystemError) -> StateDirectory {
        if let path = variable("SANDBOX_STATE") { return StateDirectory(path: path) }
        if geteuid() == 0 { return StateDirectory(path: "/run/sandbox") }
        if let runtime = variable("XDG_RUNTIME_DIR") { return StateDirectory(path: runtime + "/sandbox") }
        throw SystemError(
            "find the state directory", code: ENOENT,
            mend: "set XDG_RUNTIME_DIR or SANDBOX_STATE to a directory of yours")
    }

    /// Opens the subdirectory `name`, made when it is missing; refuses one that others may write or that is a
    /// symbolic link (CVE-2019-12439).
    func open(_ name: String) throws(SystemError) -> Descriptor {
        let base = try StateDirectory.openOwn(at: AT_FDCWD, path, name: path)
        return try StateDirectory.openOwn(at: base.number, name, name: "\(path)/\(name)")
    }

    private static func openOwn(at directory: Int32, _ path: String, name: String) throws(SystemError) -> Descriptor {
        if mkdirat(directory, path, 0o700) != 0, errno != EEXIST { throw SystemError("make \(name)", code: errno) }
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let opened = Descriptor(try check("open \(name)") { linux_openat(directory, path, flags, 0) })
        let status = try FileStatus(opened.number, name: name)
        guard status.owner == geteuid(), status.mode & 0o022 == 0 else {
            throw SystemError(
                "use \(name)", code: EPERM, mend: "it must belong to you and be writable for nobody else")
        }
        return opened
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.hasPrefix("/") ? text : nil
    }
}
