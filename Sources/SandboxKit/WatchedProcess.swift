import CLinux
import Glibc
import Kernel
import Launch

/// A process held together with others, to wait for all of them at once.
final class WatchedProcess {
    private let handle: ProcessHandle

    init(_ handle: consuming ProcessHandle) { self.handle = handle }

    /// Readable when it has ended.
    var descriptor: Int32 { handle.descriptor.number }

    func send(_ signal: Int32) throws(LaunchError) {
        do throws(SystemError) { try handle.send(signal) } catch { throw LaunchError(error) }
    }
}

extension Registry {
    /// A process of this boot; `nil` when it has ended.
    func hold(_ process: ProcessIdentity?, of record: SandboxRecord) throws(LaunchError) -> WatchedProcess? {
        guard let process else { return nil }
        return try translated { () throws(SystemError) in
            guard try record.boot == bootIdentity(), let handle = try ProcessHandle(process) else { return nil }
            return WatchedProcess(handle)
        }
    }

    /// The process after whose end there is something to be read, or to be recorded, of a sandbox that is under way:
    /// who records it, else what stands for it. `nil` when that has ended already.
    func guardian(of record: SandboxRecord) throws(LaunchError) -> WatchedProcess? {
        if record.phase == .created || record.hasWaiter, let waiter = try hold(record.launcher, of: record) {
            return waiter
        }
        return try hold(record.process, of: record)
    }
}

extension SandboxRecord {
    /// Whether it runs, or is about to.
    public var isUnderWay: Bool { phase == .running || phase == .created }
}

/// Waits until one of the descriptors is readable, at most until a time of ``monotonicMilliseconds()``; -1 is none.
/// - Returns: which are.
func waitForAny(of descriptors: [Int32], until deadline: Int?) throws(LaunchError) -> [Bool] {
    var waits = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while true {
        let left = deadline.map { max(0, $0 - monotonicMilliseconds()) }
        let count = poll(&waits, nfds_t(waits.count), left.map { Int32(clamping: $0) } ?? -1)
        if count >= 0 { return waits.map { $0.revents != 0 } }
        if errno != EINTR { throw LaunchError(SystemError("wait for processes", code: errno)) }
    }
}
