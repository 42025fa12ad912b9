import CLinux
import Glibc

/// An exclusive lock on one byte of a file, held until the value goes away or its process ends (F_OFD_SETLK, fcntl(2)).
///
/// The byte need not exist, so one file serves any number of locks and nothing is left over.
public struct ByteLock: ~Copyable {
    private let file: Descriptor
    private let offset: Int

    /// Takes the lock, trying for `milliseconds`; `nil` when another holds it still.
    public init?(_ file: consuming Descriptor, offset: Int, milliseconds: Int) throws(SystemError) {
        for attempt in 0...milliseconds {
            if linux_lock_byte(file.number, F_WRLCK, offset) == 0 {
                self.file = file
                self.offset = offset
                CrashPoint.pass("lock")
                return
            }
            guard errno == EAGAIN || errno == EACCES || errno == EINTR else {
                throw SystemError("lock the state directory", code: errno)
            }
            if attempt < milliseconds { pauseBriefly(microseconds: 1000) }
        }
        return nil
    }

    /// A copy in a child would keep the lock, hence in so many words.
    deinit { release() }

    /// Gives it back at once.
    public func release() { releaser() }

    public var releaser: () -> Void {
        let (number, offset) = (file.number, offset)
        return { _ = linux_lock_byte(number, F_UNLCK, offset) }
    }

    public var descriptor: Int32 { file.number }
}
