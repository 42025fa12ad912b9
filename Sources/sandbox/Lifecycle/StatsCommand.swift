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

    @OptionGroup var measuring: MeasuringOptions
    @Argument(
        help: ArgumentHelp("Names of sandboxes; all that run when absent.", valueName: "name"),
        completion: .kind(.sandboxes))
    var names: [String] = []

    func validate() throws {
        try measuring.check("sandbox stats")
    }

    func run() throws {
        let registry = try Registry.ofCaller()
        // A wrong name is told before anything is measured.
        for name in names { _ = try Sandbox(name).statistics() }
        var series = StatisticsSeries(registry, names: names.isEmpty ? nil : names)
        var damaged = try series.next().damaged
        for (_, problem) in damaged { Output.error(problem.message) }
        let memory = machineMemory()
        let isRead = try measuring.measure { screen in
            let (samples, problems) = try series.next()
            damaged += problems
            try measuring.write(
                .array(samples.map { $0.document(memory: memory) }),
                or: StatsTable(samples, memory: memory).text(width: terminalWidth(), style: .output), to: &screen)
            return names.isEmpty || !samples.isEmpty
        }
        if isRead, !damaged.isEmpty { throw ExitCode(ExitStatus.failure) }
    }
}
