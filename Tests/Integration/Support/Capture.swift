import CLinux
import Glibc

/// What a process that ran to its end wrote and said.
struct Outcome: CustomStringConvertible {
    var ending: Ending
    var out: String
    var err: String
    /// The process was killed because it did not end in time.
    var timedOut = false

    var status: Int32 { ending.shellStatus }
    var succeeded: Bool { ending == .exited(0) && !timedOut }
    /// Standard output without the newline at its end.
    var text: String { out.hasSuffix("\n") ? String(out.dropLast()) : out }
    var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    /// A word of each line of standard output, counted from 0; "" where there is none.
    func column(_ number: Int) -> [String] {
        lines.map { line in line.split(separator: " ").dropFirst(number).first.map(String.init) ?? "" }
    }
    /// Standard error's lines that are not empty.
    var errorLines: [String] { err.split(separator: "\n").map(String.init) }
    var description: String { "\(ending)\(timedOut ? " (timed out)" : "") out: \(out.debugDescription) err: \(err)" }
}

extension Child {
    /// Runs `arguments` to the end and captures what it writes.
    static func capture(
        _ arguments: [String], environment: [String: String], directory: String? = nil, input: Input = .none,
        descriptors: [Int32: Int32] = [:], timeout: Double = 30
    ) throws -> Outcome {
        let out = try Pipe()
        let err = try Pipe()
        let into = try Pipe()
        var files = descriptors
        files[1] = out.writing
        files[2] = err.writing
        var pending: [UInt8] = []
        switch input {
        case .none: files[0] = into.reading
        case .text(let text):
            files[0] = into.reading
            pending = Array(text.utf8)
        case .descriptor(let number): files[0] = number
        }
        let child = try start(arguments, environment: environment, directory: directory, descriptors: files)
        out.closeWriting()
        err.closeWriting()
        into.closeReading()
        var drain = Drain(child: child, out: out, err: err, into: into, pending: pending[...])
        return drain.run(deadline: Clock.now + timeout)
    }
}

/// Moves a child's output and input until it has ended and nobody holds its pipes any more.
private struct Drain {
    let child: Child
    let out: Pipe
    let err: Pipe
    let into: Pipe
    var pending: ArraySlice<UInt8>
    var collected: [[UInt8]] = [[], []]

    mutating func run(deadline: Double) -> Outcome {
        let watch = linux_pidfd_open(child.pid, 0)
        defer { close(watch) }
        var ended = false
        var timedOut = false
        var limit = deadline
        var open = [true, true]
        while !ended || open[0] || open[1] {
            if pending.isEmpty { into.closeWriting() }
            var events = [
                pollfd(fd: open[0] ? out.reading : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[1] ? err.reading : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ended ? -1 : watch, events: Int16(POLLIN), revents: 0),
                pollfd(fd: into.writing, events: Int16(POLLOUT), revents: 0),
            ]
            let count = poll(&events, 4, Int32(max(0, (limit - Clock.now) * 1000)))
            if count < 0 && errno == EINTR { continue }
            if count == 0 {
                // A process left behind that holds the pipes is no reason to wait on.
                if ended { break }
                timedOut = true
                kill(-child.pid, SIGKILL)
                kill(child.pid, SIGKILL)
                limit = Clock.now + 5
                continue
            }
            for index in 0..<2 where events[index].revents != 0 {
                open[index] = collect(index == 0 ? out.reading : err.reading, index)
            }
            if events[3].revents != 0 { feed() }
            if events[2].revents != 0 {
                ended = true
                limit = min(limit, Clock.now + 3)
            }
        }
        let ending = child.wait() ?? .signalled(SIGKILL)
        return Outcome(
            ending: ending, out: String(decoding: collected[0], as: UTF8.self),
            err: String(decoding: collected[1], as: UTF8.self), timedOut: timedOut)
    }

    private mutating func collect(_ descriptor: Int32, _ index: Int) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return false }
        collected[index].append(contentsOf: buffer[..<count])
        return true
    }

    private mutating func feed() {
        let count = pending.prefix(4096).withUnsafeBytes { write(into.writing, $0.baseAddress, $0.count) }
        pending = count > 0 ? pending.dropFirst(count) : []
    }
}

/// A pipe(7) whose ends are closed when it goes out of use.
final class Pipe {
    private(set) var reading: Int32
    private(set) var writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw Failure("pipe") }
        reading = ends[0]
        writing = ends[1]
    }

    deinit {
        closeReading()
        closeWriting()
    }

    func closeReading() {
        if reading >= 0 { close(reading) }
        reading = -1
    }

    func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }
}
