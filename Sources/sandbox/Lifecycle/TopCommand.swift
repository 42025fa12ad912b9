import ArgumentParser
import Glibc
import Kernel
import SandboxKit

/// `sandbox top`: what sandboxes use, as a screen that renews itself.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watch what running sandboxes use.",
        discussion: """
            A full screen with a row for each sandbox and their totals above, measured anew after each interval. The \
            key 'h' tells the others: one for each column to sort by it, 'R' to turn the order round, '+' and '-' for \
            the interval, 'q' or Ctrl-C to quit.

            With --once the totals and the table are printed after one interval, whole and without styles; so they are \
            where standard input or output is no terminal, or one that cannot move its cursor (TERM=dumb). 'sandbox \
            stats' prints totals since the sandbox began, again and again and as JSON.
            """)

    @Option(
        name: .customLong("sort"),
        help: ArgumentHelp(
            "\(TopColumn.allCases.map(\.rawValue).joined(separator: ", ")); cpu when absent.", valueName: "column"),
        completion: .list(TopColumn.allCases.map(\.rawValue)))
    var sort = TopColumn.cpu
    @Flag(name: .customLong("reverse"), help: "The other way round: the least first, names from Z to A.")
    var reverse = false
    @Option(
        name: .customLong("interval"),
        help: ArgumentHelp("Seconds between two measurements; 1 when absent.", valueName: "sec"))
    var interval = Interval.usual
    @Flag(name: .customLong("once"), help: "Measure one interval, print the table and end.")
    var once = false

    func run() throws {
        var layout = TopLayout(memory: machineMemory())
        layout.order = TopOrder(column: sort, isReversed: reverse)
        layout.interval = interval
        let series = StatisticsSeries(try Registry.ofCaller())
        if !once, TopScreen.isPossible, let modes = TerminalModes(of: STDIN_FILENO) {
            var screen = TopScreen(series, layout, modes)
            return try screen.run()
        }
        try print(series, layout)
    }

    private func print(_ series: StatisticsSeries, _ layout: TopLayout) throws {
        var (series, layout) = (series, layout)
        _ = try series.next()
        interval.pause()
        (layout.samples, layout.damaged) = try series.next()
        do throws(SystemError) {
            try Output.write(layout.text)
        } catch {
            // Nobody reads on.
            if error.code != EPIPE { throw error }
        }
        if !layout.damaged.isEmpty { throw ExitCode(ExitStatus.failure) }
    }
}
