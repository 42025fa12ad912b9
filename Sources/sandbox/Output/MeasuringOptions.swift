import ArgumentParser
import CLinux
import Glibc
import Kernel
import Profile

/// The options of commands that measure, once or again and again, and the way in which they go on.
struct MeasuringOptions: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print JSON instead of a table.")
    var json = false
    @Flag(name: .customLong("stream"), help: "Go on, whatever is written to.")
    var stream = false
    @Flag(name: .customLong("no-stream"), help: "Measure one interval and end, on a terminal too.")
    var noStream = false
    @Option(
        name: .customLong("interval"), help: ArgumentHelp("Seconds to measure over; 1 when absent.", valueName: "sec"))
    var interval = Interval.usual

    /// Whether it is told more than once.
    private var goesOn: Bool { stream || (!noStream && !json && isatty(STDOUT_FILENO) == 1) }

    func check(_ command: String) throws(UsageError) {
        if stream && noStream { throw UsageError("--stream or --no-stream, not both", command: command) }
    }

    /// Measures after each interval, until `body` finds nothing more to tell.
    /// - Returns: false where nobody reads on.
    func measure(_ body: (inout RunningTable) throws -> Bool) throws -> Bool {
        var screen = RunningTable()
        do {
            repeat {
                interval.pause()
                if try !body(&screen) { break }
            } while goesOn
        } catch let error as SystemError where error.code == EPIPE {
            return false
        }
        return true
    }

    /// A document, or the text in its place where JSON is not asked for.
    func write(
        _ document: @autoclosure () -> Value, or text: @autoclosure () -> String, to screen: inout RunningTable
    ) throws(SystemError) {
        if json {
            let document = document()
            return goesOn ? try Output.line(Output.safe(document.compactJSON)) : try Output.json(document)
        }
        try Output.write(goesOn ? screen.next(text()) : text())
    }
}

/// A table that is drawn over the one before, where that was on a terminal; below it elsewhere.
struct RunningTable {
    private var drawn = 0
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    mutating func next(_ table: String) -> String {
        guard isTerminal else { return table }
        let rows = Int(Terminal.size(of: STDOUT_FILENO)?.rows ?? 24)
        let lines = table.split(separator: "\n").prefix(max(1, rows - 1))
        var text = drawn > 0 ? "\u{1b}[\(min(drawn, rows - 1))A" : ""
        for line in lines { text += line + "\u{1b}[K\n" }
        drawn = lines.count
        return text + "\u{1b}[J"
    }
}

/// A time between two measurements.
struct Interval: ExpressibleByArgument, Equatable {
    var milliseconds: Int

    static let usual = Interval(milliseconds: 1000)

    init(milliseconds: Int) { self.milliseconds = milliseconds }

    init?(argument: String) {
        guard let seconds = Seconds(argument: argument), (0.1...3600).contains(seconds.value) else { return nil }
        milliseconds = Int(seconds.value * 1000)
    }

    var defaultValueDescription: String { "\(milliseconds / 1000)" }

    /// Sleeps for so long, whatever signal is handled meanwhile.
    func pause() {
        var rest = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        var left = timespec()
        while nanosleep(&rest, &left) != 0 && errno == EINTR { rest = left }
    }
}
