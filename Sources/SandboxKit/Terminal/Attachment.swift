import CLinux
import Glibc
public import Kernel
public import Launch

/// A connection to the terminal of a detached sandbox.
public struct Attachment: ~Copyable, Sendable {
    /// What comes from the terminal.
    public enum Event: Sendable, Equatable {
        case output([UInt8])
        /// Some output was overwritten before it could be read.
        case lost
        /// The command has ended with that exit status; `nil` where nobody knows it.
        case ended(Int32?)
    }

    /// The sandbox's name.
    public let name: String
    private let registry: Registry
    private let socket: Descriptor
    private var log: OutputLog
    /// Written at the end, even of a sandbox that is forgotten at once.
    private let exit: Descriptor
    private let replay: Int
    /// The place that the next output is at, once the relay has said so.
    private var live: OutputPlace?
    private var queue: [Event] = []

    /// Connects to the terminal of `name`.
    /// - Parameter types: whether input is sent, which one viewer at a time may do; the terminal has its size then.
    /// - Parameter replay: bytes of earlier output that come first.
    /// - Throws: where there is no such sandbox, it does not run, has no terminal, or another one types already.
    public init(
        to name: String, of registry: Registry, types: Bool, rows: UInt16, columns: UInt16, replay: Int = 4096
    ) throws(LaunchError) {
        guard let record = try registry.settle(name) else { throw Registry.unknown(name) }
        guard record.phase == .running || record.phase == .created else {
            throw LaunchError("\"\(name)\" is not running", mend: "'sandbox logs \(name)' shows what it wrote")
        }
        let folder = try translated { () throws(SystemError) in try registry.openFolder(name) }
        guard let folder else { throw Registry.unknown(name) }
        let socket = try Attachment.connect(in: folder, name)
        let log = try OutputLog(in: folder, of: name)
        let exit = try translated { () throws(SystemError) in try folder.open(File.exit, O_RDONLY) }
        let greeting = [UInt8(types ? LINUX_RELAY_ATTACH : LINUX_RELAY_VIEW)] + Attachment.bytes(rows, columns)
        do throws(SystemError) {
            try Attachment.tell(socket.number, greeting, name)
        } catch {
            // Turned away at the door: the reason is what comes first.
            if error.code != EPIPE, error.code != ECONNRESET { throw LaunchError(error) }
        }
        self.name = name
        self.registry = registry
        self.replay = replay
        self.socket = socket
        self.log = log
        self.exit = exit
    }

    private static func connect(in folder: borrowing StateFolder, _ name: String) throws(LaunchError) -> Descriptor {
        do throws(SystemError) {
            return try TerminalSocket.connect(in: folder)
        } catch {
            throw explain(error, name)
        }
    }

    private static func explain(_ error: SystemError, _ name: String) -> LaunchError {
        switch error.code {
        case ENOENT:
            LaunchError(
                "\"\(name)\" has no terminal to attach to",
                mend: "it gets one by 'sandbox run -d -t'; see 'sandbox logs'")
        case ECONNREFUSED: LaunchError("\"\(name)\" has just ended", mend: "'sandbox logs \(name)' shows what it wrote")
        default: LaunchError(error)
        }
    }

    // MARK: - Input

    /// Readable when ``next()`` may have something, writable when ``send(_:)`` may take something.
    public var descriptor: Int32 { socket.number }

    /// Sends input as if it were typed, without waiting.
    /// - Returns: how many bytes were taken.
    public func send(_ input: ArraySlice<UInt8>) throws(SystemError) -> Int {
        let part = input.prefix(Int(LINUX_RELAY_INPUT) - 1)
        if part.isEmpty { return 0 }
        do throws(SystemError) {
            try tell([UInt8(LINUX_RELAY_DATA)] + part)
            return part.count
        } catch {
            // One that has ended says so in what it sends.
            if error.code == EPIPE || error.code == ECONNRESET { return part.count }
            if error.code == EAGAIN { return 0 }
            throw error
        }
    }

    /// Says that the viewer has another size now.
    public func resize(rows: UInt16, columns: UInt16) throws(SystemError) {
        do throws(SystemError) {
            try tell([UInt8(LINUX_RELAY_RESIZE)] + Attachment.bytes(rows, columns))
        } catch {
            if error.code != EPIPE, error.code != ECONNRESET, error.code != EAGAIN { throw error }
        }
    }

    private func tell(_ message: [UInt8]) throws(SystemError) { try Attachment.tell(socket.number, message, name) }

    private static func tell(_ socket: Int32, _ message: [UInt8], _ name: String) throws(SystemError) {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        try check("write to the terminal of \(name)") {
            Int32(Glibc.send(socket, message, message.count, flags))
        }
    }

    private static func bytes(_ rows: UInt16, _ columns: UInt16) -> [UInt8] {
        withUnsafeBytes(of: (rows, columns)) { Array($0) }
    }

    // MARK: - Output

    /// What comes next; `nil` when that would have to be waited for.
    public mutating func next() throws(LaunchError) -> Event? {
        while true {
            if let missed = try translated({ () throws(SystemError) in try catchUp() }) { return missed }
            if !queue.isEmpty { return queue.removeFirst() }
            guard let message = try translated({ () throws(SystemError) in try receive() }) else { return nil }
            try take(message)
        }
    }

    /// Output up to the live one, from the log.
    private mutating func catchUp() throws(SystemError) -> Event? {
        guard let live else { return nil }
        if let bytes = try log.next(before: live) { return .output(bytes) }
        log.place = live
        self.live = nil
        guard log.hasLost else { return nil }
        log.hasLost = false
        return .lost
    }

    private mutating func take(_ message: [UInt8]) throws(LaunchError) {
        switch message.first.map({ Int($0) }) {
        case LINUX_RELAY_DATA:
            queue.append(.output(Array(message.dropFirst())))
            log.place.offset += UInt64(message.count - 1)
        case LINUX_RELAY_PLACE where message.count == 17: try reach(message)
        case LINUX_RELAY_END where message.count == 2: queue.append(.ended(Int32(message[1])))
        case LINUX_RELAY_BUSY:
            throw LaunchError("somebody is attached to \"\(name)\" already", mend: "use --read-only to look on")
        case LINUX_RELAY_FULL:
            throw LaunchError("\"\(name)\" has as many viewers as it can have: \(LINUX_RELAY_VIEWERS)")
        case nil: try end()
        default: throw LaunchError("the init of \"\(name)\" speaks another protocol", mend: "it is of another version")
        }
    }

    private mutating func reach(_ message: [UInt8]) throws(LaunchError) {
        let place = message.withUnsafeBytes { bytes in
            OutputPlace(
                turn: bytes.loadUnaligned(fromByteOffset: 1, as: UInt64.self),
                offset: bytes.loadUnaligned(fromByteOffset: 9, as: UInt64.self))
        }
        if !isGreeted {
            isGreeted = true
            try translated { () throws(SystemError) in try log.move(lastBytes: replay, before: place) }
        }
        live = place
    }

    private var isGreeted = false

    /// The connection is gone without a word: init was killed, or we were too slow to hear it.
    private mutating func end() throws(LaunchError) {
        live = try translated { () throws(SystemError) in try log.end() }
        queue.append(.ended(try status()))
    }

    private func status() throws(LaunchError) -> Int32? {
        let deadline = monotonicMilliseconds() + 2000
        while true {
            if let status = try writtenStatus() { return status }
            guard let record = try registry.settle(name) else { return try writtenStatus() }
            if record.phase != .running { return record.exitStatus }
            guard monotonicMilliseconds() < deadline else { break }
            // A process that is killed closes its files a moment before it counts as ended.
            if let process = try registry.guardian(of: record) {
                _ = try waitForAny(of: [process.descriptor], until: deadline)
            } else {
                usleep(1000)
            }
        }
        throw LaunchError(
            "\"\(name)\" has closed the connection",
            mend: "only its owner may attach to it, and nobody once the process that serves its terminal was killed")
    }

    private func writtenStatus() throws(LaunchError) -> Int32? {
        let text = try translated { () throws(SystemError) in
            try readBytes(exit.number, at: 0, count: 3, name: File.exit)
        }
        return text.count == 3 ? Int32(String(decoding: text, as: UTF8.self)) : nil
    }

    /// The next message, empty at the end of the connection; `nil` when there is none now.
    private func receive() throws(SystemError) -> [UInt8]? {
        var message = [UInt8](repeating: 0, count: Int(LINUX_RELAY_OUTPUT))
        while true {
            do throws(SystemError) {
                let count = try check("read from the terminal of \(name)") {
                    Int32(recv(socket.number, &message, message.count, Int32(MSG_DONTWAIT)))
                }
                message.removeLast(message.count - Int(count))
                return message
            } catch {
                if error.code == EAGAIN { return nil }
                // The other end was closed with input of ours unread; told once, before what it has sent.
                if error.code != ECONNRESET { throw error }
            }
        }
    }
}
