import CLinux
import Glibc
import Kernel
import Launch
import Profile

/// What happens to sandboxes, a line of JSON each, in the state directory.
public struct EventLog: Sendable {
    private let state: StateDirectory
    static let file = "events"
    static let older = "events.1"
    /// Bytes after which the file becomes the older one, whose content is forgotten.
    private static let limit = 1 << 20

    init(_ state: StateDirectory) { self.state = state }

    /// Adds a line. One write(2) with O_APPEND: lines of several processes do not mix.
    func add(_ event: String, _ name: String, _ details: [(key: String, value: Value)] = []) throws(LaunchError) {
        try translated { () throws(SystemError) in
            let folder = try state.open()
            let file = try folder.append(EventLog.file)
            let line = Value.table(
                [("time", .integer(unixMilliseconds())), ("event", .string(event)), ("name", .string(name))] + details)
            try writeText(line.compactJSON + "\n", to: file.number, name: "\(state.path)/\(EventLog.file)")
            let size = try FileStatus(file.number, name: EventLog.file).size
            if size > EventLog.limit { try folder.rename(EventLog.file, to: EventLog.older) }
        }
    }
}

/// Milliseconds since the epoch (CLOCK_REALTIME).
func unixMilliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
