import CLinux
import Glibc

/// The directory that holds what is known of sandboxes: `$SANDBOX_STATE`, `/run/sandbox` for root, or
/// `$XDG_RUNTIME_DIR/sandbox`. It belongs to the caller and to nobody else; there is no fallback to a shared place.
public struct StateDirectory: Sendable, Equatable {
    /// Its absolute path.
    public let path: String

    /// The environment variable that names it.
    public static let variable = "SANDBOX_STATE"

    /// The directory at an absolute path.
    public init(path: String) { self.path = path }

    /// The caller's state directory, which need not exist.
    public static func ofCaller() throws(SystemError) -> StateDirectory {
        if let path = absolutePath(inVariable: variable) { return StateDirectory(path: path) }
        if geteuid() == 0 { return StateDirectory(path: "/run/sandbox") }
        if let runtime = absolutePath(inVariable: "XDG_RUNTIME_DIR") {
            return StateDirectory(path: runtime + "/sandbox")
        }
        throw SystemError(
            "find the state directory", code: ENOENT,
            mend: "set XDG_RUNTIME_DIR or SANDBOX_STATE to a directory of yours")
    }

    /// Whether anything was ever kept here.
    public var exists: Bool { FileStatus(path: path) != nil }

    /// The directory itself, made when it is missing.
    public func open() throws(SystemError) -> StateFolder {
        StateFolder(try StateDirectory.openOwn(at: AT_FDCWD, path, name: path, makes: true), path: path)
    }

    /// The directory itself; `nil` when nothing was ever kept here.
    public func existing() throws(SystemError) -> StateFolder? {
        do throws(SystemError) {
            return try StateFolder(existing: path)
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    /// Refuses a directory that others may write or that is a symbolic link (CVE-2019-12439, CVE-2022-31214).
    static func openOwn(
        at directory: Int32, _ path: String, name: @autoclosure () -> String, makes: Bool
    ) throws(SystemError) -> Descriptor {
        if makes {
            if mkdirat(directory, path, 0o700) == 0 {
                CrashPoint.pass("make \(name())")
            } else if errno != EEXIST {
                throw SystemError("make \(name())", code: errno)
            }
        }
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let number = linux_openat(directory, path, flags, 0)
        if number < 0, errno == ENOTDIR || errno == ELOOP {
            throw SystemError("use \(name())", code: errno, mend: "it must be a directory, and no symbolic link")
        }
        let opened = Descriptor(try check("open \(name())") { number })
        let status = try FileStatus(opened.number, name: name())
        guard status.owner == geteuid(), status.mode & 0o022 == 0 else {
            throw SystemError(
                "use \(name())", code: EPERM, mend: "it must belong to you and be writable for nobody else")
        }
        return opened
    }
}
