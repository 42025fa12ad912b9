import CLinux
import Glibc
public import Kernel
import Launch

/// What a detached sandbox's command has written, as far as it was kept; a value remembers how far it was read.
///
/// The log is read while it is written, without a lock. In a ring the log of turn T is overwritten for turn T + 2; what
/// was read of it counts only where that turn had not begun by then (log.marks says so before the first byte is written).
public struct OutputLog: ~Copyable, Sendable {
    /// One file, or the two of a ring.
    private let logs: [Int32]
    private let marks: Int32
    /// Whether times of the output are known: not where the command writes the log itself, but when it began.
    public let knowsTimes: Bool
    /// What is read next.
    public internal(set) var place = OutputPlace()
    /// Whether output was overwritten before it was read; the reader takes it back.
    public var hasLost = false
    private var knownTurn: UInt64 = 0

    static let blockSize = 16384

    /// - Throws: where the sandbox keeps no output.
    init(in folder: borrowing StateFolder, of name: String) throws(LaunchError) {
        var logs: [Int32] = []
        var marks: Int32 = -1
        var isWrittenByUs = true
        do throws(SystemError) {
            for file in File.ring { logs += try OutputLog.open(folder, file) }
            if logs.isEmpty {
                isWrittenByUs = false
                logs = try OutputLog.open(folder, File.log)
            }
            marks = try OutputLog.open(folder, File.marks).first ?? -1
        } catch {
            for file in logs { close(file) }
            throw LaunchError(error)
        }
        if logs.isEmpty {
            throw LaunchError(
                "\"\(name)\" has no log: it writes to where its starter did", mend: "only a detached sandbox keeps one")
        }
        self.logs = logs
        self.marks = marks
        knowsTimes = isWrittenByUs
    }

    deinit { for file in logs + [marks] where file >= 0 { close(file) } }

    /// The open file, or nothing where there is none.
    private static func open(_ folder: borrowing StateFolder, _ name: String) throws(SystemError) -> [Int32] {
        do throws(SystemError) {
            return [try folder.open(name, O_RDONLY).take()]
        } catch {
            if error.code == ENOENT { return [] }
            throw error
        }
    }

    private var isRing: Bool { logs.count > 1 }

    // MARK: - Reading

    /// The next piece, of at most 16 KiB and before `limit`; `nil` when there is none now.
    public mutating func next(before limit: OutputPlace? = nil) throws(SystemError) -> [UInt8]? {
        while true {
            if let limit, place >= limit { return nil }
            let turnBefore = try turn()
            var size = OutputLog.blockSize
            if let limit, limit.turn == place.turn { size = min(size, Int(limit.offset - place.offset)) }
            let bytes = try read(at: place, count: size)
            let turnAfter = try turn()
            if isRing, turnAfter > place.turn + 1 {
                lose(upTo: OutputPlace(turn: turnAfter - 1))
            } else if !bytes.isEmpty {
                place.offset += UInt64(bytes.count)
                return bytes
            } else if !isRing || turnBefore <= place.turn {
                if turnBefore == turnAfter { return nil }
            } else {
                // The log of a turn that is over, and no more of it.
                if try end(of: place.turn).offset < place.offset { hasLost = true }
                place = OutputPlace(turn: place.turn + 1)
            }
        }
    }

    private mutating func lose(upTo next: OutputPlace) {
        hasLost = true
        place = next
    }

    private func read(at place: OutputPlace, count: Int) throws(SystemError) -> [UInt8] {
        try readBytes(file(place.turn), at: Int(place.offset), count: count, name: File.log)
    }

    private func file(_ turn: UInt64) -> Int32 { logs[Int(turn % UInt64(logs.count))] }

    // MARK: - Places

    /// Goes to the oldest output there is, at the beginning of a line.
    public mutating func moveToBeginning() throws(SystemError) { place = try beginning() }

    private mutating func beginning() throws(SystemError) -> OutputPlace {
        let turn = try turn()
        guard isRing, turn > 0 else { return OutputPlace() }
        // A turn begins wherever the other log was full.
        return try lineStart(after: OutputPlace(turn: turn - 1))
    }

    /// The place behind the newest output.
    mutating func end() throws(SystemError) -> OutputPlace { try end(of: turn()) }

    private func end(of turn: UInt64) throws(SystemError) -> OutputPlace {
        OutputPlace(turn: turn, offset: UInt64(try FileStatus(file(turn), name: File.log).size))
    }

    /// The turn that the writer is at.
    private mutating func turn() throws(SystemError) -> UInt64 {
        guard isRing, marks >= 0 else { return 0 }
        // For a moment at every fourth turn there are no marks at all.
        for _ in 0..<100 {
            if let last = try OutputLog.lastTurn(marks) {
                knownTurn = max(knownTurn, last)
                break
            }
            sched_yield()
        }
        return knownTurn
    }

    /// The turn that the last mark is of.
    static func lastTurn(_ marks: Int32) throws(SystemError) -> UInt64? {
        var marks = try OutputMarks(marks)
        return try marks.next()?.place.turn
    }

    /// Goes to the beginning of all that was written at `time` or later, in milliseconds since the epoch; some that is
    /// older may come with it.
    public mutating func move(since time: Int) throws(SystemError) {
        if marks < 0 { return }
        let oldest = try beginning()
        var found = oldest
        var next = try OutputMarks(marks)
        while true {
            guard let mark = try next.next(), mark.place >= oldest else { break }
            if mark.time > time { continue }
            found = try lineStart(before: mark.place)
            break
        }
        place = max(place, found)
    }

    /// Goes to the last `count` lines, or stays where fewer are left.
    public mutating func move(lastLines count: Int) throws(SystemError) {
        let end = try end()
        let last = try read(before: end, count: 1)
        // The newline at the end ends the last line; it does not begin another one.
        var wanted = last.bytes == [UInt8(ascii: "\n")] ? count + 1 : count
        if count == 0 { return place = end }
        var position = end
        while wanted > 0, position > place {
            let block = try read(before: position, count: OutputLog.blockSize)
            if block.bytes.isEmpty { break }
            position = block.place
            for index in block.bytes.indices.reversed() where block.bytes[index] == UInt8(ascii: "\n") {
                wanted -= 1
                if wanted > 0 { continue }
                position.offset += UInt64(index + 1)
                break
            }
        }
        place = max(place, position)
    }

    /// Goes to the last `count` bytes before `end`, from the beginning of a line on where there is one.
    mutating func move(lastBytes count: Int, before end: OutputPlace) throws(SystemError) {
        let oldest = try beginning()
        var position = end
        var left = count
        while left > 0 {
            let block = try read(before: position, count: left)
            if block.bytes.isEmpty { break }
            position = block.place
            left -= block.bytes.count
        }
        place = max(position, oldest)
        if left > 0 || place == oldest { return }
        let line = try lineStart(after: place)
        if line < end { place = line }
    }

    /// Bytes that end at a place, of its turn or, at its beginning, of the turn before; none at the very beginning.
    private mutating func read(
        before place: OutputPlace, count: Int
    ) throws(SystemError) -> (bytes: [UInt8], place: OutputPlace) {
        var end = place
        if end.offset == 0, isRing, end.turn > 0, try turn() <= end.turn {
            end = try self.end(of: end.turn - 1)
        }
        let size = min(UInt64(count), end.offset)
        end.offset -= size
        return (try read(at: end, count: Int(size)), end)
    }

    /// The beginning of the line that a place is in the midst of.
    private mutating func lineStart(before place: OutputPlace) throws(SystemError) -> OutputPlace {
        var position = place
        while position.offset > 0 {
            let size = min(UInt64(OutputLog.blockSize), position.offset)
            let start = OutputPlace(turn: position.turn, offset: position.offset - size)
            let bytes = try read(at: start, count: Int(size))
            if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) {
                return OutputPlace(turn: start.turn, offset: start.offset + UInt64(newline) + 1)
            }
            position = start
        }
        return position
    }

    /// The beginning of the next line behind a place, or the place where there is none in the next 16 KiB.
    private func lineStart(after place: OutputPlace) throws(SystemError) -> OutputPlace {
        let bytes = try read(at: place, count: OutputLog.blockSize)
        guard let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return place }
        return OutputPlace(turn: place.turn, offset: place.offset + UInt64(newline) + 1)
    }
}
