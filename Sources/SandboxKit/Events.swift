import Glibc
import Kernel
public import Launch
public import Profile

/// Something that happened to a sandbox.
public struct Event: Sendable, Equatable {
    /// Milliseconds since the epoch.
    public var time: Int
    /// What happened, in the past tense: `created`, `started`, `exited`, `oom`, `removed` and others.
    public var kind: String
    /// The sandbox's name.
    public var name: String
    /// A table of what else is known.
    public var details: Value

    /// `nil` for what is no line of the event log.
    init?(line: String) {
        guard case .table(let entries)? = Value(json: line) else { return nil }
        let fields = Fields(.table(entries))
        guard let time = fields.integer("time"), let kind = fields.string("event"), let name = fields.string("name")
        else { return nil }
        self.time = time
        self.kind = kind
        self.name = name
        details = .table(entries.filter { $0.key != "time" && $0.key != "event" && $0.key != "name" })
    }
}

extension Registry {
    /// What the event log still holds, from `since` (milliseconds since the epoch) on.
    public func events(since: Int = 0) throws(LaunchError) -> [Event] {
        guard state.exists else { return [] }
        return try translated { () throws(SystemError) in
            var reader = try EventReader(state)
            return try reader.next().filter { $0.time >= since }
        }
    }
}

/// Reads the event log piece by piece, whether or not it is rotated meanwhile.
struct EventReader {
    private let state: StateDirectory
    /// The oldest first.
    private var files: [OpenLog] = []

    /// - Parameter skips: whether what there is now is passed over.
    init(_ state: StateDirectory, skips: Bool = false) throws(SystemError) {
        self.state = state
        if !skips { return }
        try open()
        for file in files { file.skip() }
    }

    /// What has come since the last call; lines that are no events are passed over.
    mutating func next() throws(SystemError) -> [Event] {
        try open()
        var events: [Event] = []
        for file in files {
            for line in try file.lines() {
                if let event = Event(line: line) { events.append(event) }
            }
        }
        return events
    }

    /// Opens what is new, and lets go of what has been forgotten. What was the newest may have got lines since.
    private mutating func open() throws(SystemError) {
        let folder = try state.open()
        while true {
            let before = inode(EventLog.older)
            try open(EventLog.older, in: folder)
            try open(EventLog.file, in: folder)
            // Rotated in between, one would have been missed.
            if inode(EventLog.older) == before { break }
        }
        let current = [inode(EventLog.older), inode(EventLog.file)]
        files = files.filter { current.contains($0.inode) || !$0.isForgotten }
        for file in files where !current.contains(file.inode) { file.isForgotten = true }
    }

    private mutating func open(_ name: String, in folder: borrowing StateFolder) throws(SystemError) {
        do throws(SystemError) {
            let file = try folder.open(name, O_RDONLY)
            let inode = try FileStatus(file.number, name: name).inode
            if files.contains(where: { $0.inode == inode }) { return }
            files.append(OpenLog(file, inode: inode, path: "\(state.path)/\(name)"))
        } catch {
            if error.code != ENOENT { throw error }
        }
    }

    private func inode(_ name: String) -> UInt64? { FileStatus(path: "\(state.path)/\(name)", follow: false)?.inode }
}

/// One file of the log. As long as it is open, no other has its inode number.
private final class OpenLog {
    let inode: UInt64
    /// Whether it has been read to its end since its last name was taken away.
    var isForgotten = false
    private let file: Descriptor
    private let path: String
    private var rest: [UInt8] = []

    init(_ file: consuming Descriptor, inode: UInt64, path: String) {
        self.file = file
        self.inode = inode
        self.path = path
    }

    func skip() { lseek(file.number, 0, SEEK_END) }

    /// The complete lines behind those given before.
    func lines() throws(SystemError) -> [String] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try check("read \(path)") { Int32(read(file.number, &buffer, buffer.count)) }
            if count == 0 { break }
            rest.append(contentsOf: buffer[..<Int(count)])
        }
        var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        rest = Array(lines.removeLast())
        return lines.map { String(decoding: $0, as: UTF8.self) }
    }
}
