import ArgumentParser
import Glibc
import Kernel
import Launch
import SandboxKit

/// `sandbox logs`: what a detached sandbox has written.
struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what a detached sandbox has written.",
        usage: "sandbox logs [-f] [--since <time>] [--tail <lines>] [--raw] <name>",
        discussion: """
            On a terminal, what could do more than show text in colours is written as text; with --raw, and to anything \
            else than a terminal, every byte is written as it is.
            """)

    @Argument(help: "The sandbox.")
    var name: String

    @Flag(name: .shortAndLong, help: "Go on with what is written, through restarts, until the sandbox has ended.")
    var follow = false

    @Option(
        help: ArgumentHelp(
            "Only what was written from a time on: \(PointInTime.forms). Some that is older may come with it.",
            valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only so many lines at the end.", valueName: "lines"))
    var tail: Int?

    @Flag(help: "On a terminal too, write every byte as it is.")
    var raw = false

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail takes a number of lines, not \(tail)") }
    }

    func run() throws {
        let registry = try Registry.ofCaller()
        var from: Int?
        if let since { from = try time(since) }
        // Before anything is read, lest a change be missed.
        var follower = follow ? try LogFollower(name, of: registry) : nil
        var log = try Sandbox.log(of: name, in: registry)
        if let from { try start(&log, from) }
        if let tail { try log.move(lastLines: tail) }
        var writer = LogWriter(isSafe: raw || isatty(STDOUT_FILENO) == 0)
        try writer.write(&log)
        while follower != nil {
            guard try follower?.wait(reader: STDOUT_FILENO) == true else { break }
            try writer.write(&log)
        }
        try writer.finish()
    }

    private func time(_ text: String) throws -> Int {
        guard let time = PointInTime.parse(text, now: PointInTime.now) else {
            throw UsageError("\"\(text)\" is no time; write it as \(PointInTime.forms)", command: "sandbox logs")
        }
        return time
    }

    private func start(_ log: inout OutputLog, _ time: Int) throws {
        try log.move(since: time)
        if log.knowsTimes { return }
        Output.note(
            "\(name) writes its log itself, so when what was written is not known: this begins with a run of it; "
                + "'lifecycle.log-size' in its profile lets times be kept")
    }
}

/// Writes pieces of a log to standard output.
private struct LogWriter {
    /// Whether nothing needs to be filtered.
    let isSafe: Bool
    private var filter = LogFilter()

    init(isSafe: Bool) { self.isSafe = isSafe }

    /// All that is there now.
    mutating func write(_ log: inout OutputLog) throws {
        while let piece = try log.next() {
            if log.hasLost {
                log.hasLost = false
                Output.note("some output was overwritten before it could be shown")
            }
            try Output.write(isSafe ? piece[...] : filter.filter(piece)[...])
        }
    }

    mutating func finish() throws { if !isSafe { try Output.write(filter.finish()[...]) } }
}
