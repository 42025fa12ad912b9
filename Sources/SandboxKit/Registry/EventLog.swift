import CLinux
import Glibc
import Kernel
import Launch
import Profile

/// What happens to sandboxes, a line of JSON each, in the state directory.
struct EventLog: Sendable {
    private let state: StateDirectory
    static let file = "events"
    static let older = "events.1"
    /// Bytes after which the file becomes the older one, whose content is forgotten.
    private static let limit = 1 << 20
    /// No name's lock is there.
    private static let lockOffset = Int.max - 1

    init(_ state: StateDirectory) { self.state = state }

    /// Adds a line. One write(2) with O_APPEND: lines of several processes do not mix.
    func add(_ event: String, _ name: String, _ details: [(key: String, value: Value)] = []) throws(LaunchError) {
        try translated { () throws(SystemError) in
            let folder = try state.open()
            let file = try folder.append(EventLog.file)
            let line = Value.table(
                [("time", .integer(unixMilliseconds())), ("event", .string(event)), ("name", .string(name))] + details)
            try writeText(line.compactJSON + "\n", to: file.number, name: "\(state.path)/\(EventLog.file)")
            CrashPoint.pass("event \(event)")
            let status = try FileStatus(file.number, name: EventLog.file)
            if status.size > EventLog.limit { try rotate(folder, status) }
        }
    }

    /// One at a time: of two that find the file full, the second would put a fresh one in the older one's place.
    private func rotate(_ folder: borrowing StateFolder, _ full: FileStatus) throws(SystemError) {
        let file = try folder.open(Registry.lockFile, O_RDWR | O_CREAT)
        guard let lock = try ByteLock(file, offset: EventLog.lockOffset, milliseconds: 1000),
            let now = FileStatus(path: "\(state.path)/\(EventLog.file)", follow: false), now.inode == full.inode
        else { return }
        try folder.rename(EventLog.file, to: EventLog.older)
        lock.release()
    }
}

/// Milliseconds since the epoch (CLOCK_REALTIME).
package func unixMilliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
