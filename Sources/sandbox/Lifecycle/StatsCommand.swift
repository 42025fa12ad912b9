import ArgumentParser
import Glibc
import Kernel
import Launch
import Profile
import SandboxKit

/// `sandbox stats`: what sandboxes use.
struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Show what running sandboxes use.",
        discussion: """
            CPU%, 100 being one CPU, is over the interval; all other figures count from the sandbox's beginning. MEM% \
            is of the limit, or of the machine's memory where there is none. Network traffic is that of the sandbox's \
            own interfaces but the loopback, which --json lists too. A sandbox without a control group is measured by \
            adding up its processes, and marked with '~'; '-' stands for what is not counted.

            On a terminal the table is drawn anew after each interval; otherwise, and with --no-stream, it is printed \
            once. With --json that is one document; with --json --stream each interval gives a line, an array too. It \
            ends when the last of the sandboxes named has ended.
            """)

    @Flag(name: .customLong("json"), help: "Print JSON instead of a table.")
    var json = false
    @Flag(name: .customLong("stream"), help: "Go on, whatever is written to.")
    var stream = false
    @Flag(name: .customLong("no-stream"), help: "Measure one interval and end, on a terminal too.")
    var noStream = false
    @Option(
        name: .customLong("interval"), help: ArgumentHelp("Seconds to measure over; 1 when absent.", valueName: "sec"))
    var interval = Interval.usual
    @Argument(
        help: ArgumentHelp("Names of sandboxes; all that run when absent.", valueName: "name"),
        completion: .kind(.sandboxes))
    var names: [String] = []

    func validate() throws {
        if stream && noStream { throw UsageError("--stream or --no-stream, not both", command: "sandbox stats") }
    }

    func run() throws {
        let registry = try Registry.ofCaller()
        // A wrong name is told before anything is measured.
        for name in names { _ = try Sandbox(name).statistics() }
        var series = StatisticsSeries(registry, names: names.isEmpty ? nil : names)
        let goesOn = stream || (!noStream && !json && isatty(STDOUT_FILENO) == 1)
        var damaged = try series.next().damaged
        for (_, problem) in damaged { Output.error(problem.message) }
        var screen = RunningTable()
        do {
            repeat {
                interval.pause()
                let (samples, problems) = try series.next()
                damaged += problems
                try write(samples, to: &screen, goesOn)
                if !names.isEmpty && samples.isEmpty { break }
            } while goesOn
        } catch let error as SystemError where error.code == EPIPE {
            // Nobody reads on.
            return
        }
        if !damaged.isEmpty { throw ExitCode(ExitStatus.failure) }
    }

    private func write(
        _ samples: [StatisticsSeries.Sample], to screen: inout RunningTable, _ goesOn: Bool
    ) throws(SystemError) {
        let memory = machineMemory()
        if json {
            let document = Value.array(samples.map { $0.document(memory: memory) })
            return goesOn ? try Output.line(Output.safe(document.compactJSON)) : try Output.json(document)
        }
        let table = StatsTable(samples, memory: memory).text(width: terminalWidth(), style: .output)
        try Output.write(goesOn ? screen.next(table) : table)
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
