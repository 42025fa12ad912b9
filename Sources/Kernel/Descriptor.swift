import CLinux
import Glibc

/// A file descriptor that is closed when it goes out of scope.
public struct Descriptor: ~Copyable, Sendable {
    public let number: Int32

    public init(_ number: Int32) { self.number = number }

    /// Opens `path` (open(2)), close-on-exec always.
    public init(open path: String, _ flags: Int32, mode: UInt32 = 0) throws(SystemError) {
        number = try check("open \(path)") { linux_open(path, flags | O_CLOEXEC, mode) }
    }

    /// Opens `path` below the directory `dir`, every symbolic link and `..` resolved as if `dir` were `/` (openat2(2)).
    public init(
        beneath dir: Int32, _ path: String, _ flags: Int32, mode: UInt64 = 0, resolve: UInt64? = nil
    ) throws(SystemError) {
        let flags = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        number = try check("open \(path)") {
            // EAGAIN: something was renamed or mounted somewhere while `..` was followed, and the kernel cannot tell
            // whether that led out; openat2(2) asks for another try.
            for _ in 0..<10_000 {
                let result = linux_openat2(dir, path, flags, mode, resolve ?? UInt64(RESOLVE_IN_ROOT))
                if result >= 0 || errno != EAGAIN { return result }
            }
            return -1
        }
    }

    deinit { _ = Glibc.close(number) }

    /// Gives the number away; the caller closes it.
    public consuming func take() -> Int32 {
        let kept = number
        discard self
        return kept
    }
}
