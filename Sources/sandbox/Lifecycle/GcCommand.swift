import ArgumentParser
import Launch
import Profile
import SandboxKit

/// `sandbox gc`: clears away what was left.
struct GcCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Clear away what crashes left, and say what that was.",
        discussion: """
            Every command does so for the sandboxes that it looks at; this does it for all: ends that nobody recorded \
            are recorded, half-made directories and empty control groups removed. Nothing that runs is touched.
            """)

    @Flag(name: .customLong("stopped"), help: "Forget all sandboxes that have ended, with their logs.")
    var stopped = false
    @Option(
        name: .customLong("older"),
        help: ArgumentHelp("With --stopped: only those that ended so long ago, as in 24h or 7d.", valueName: "age"))
    var older: Seconds?
    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false

    func validate() throws {
        if older != nil && !stopped { throw UsageError("--older goes with --stopped", command: "sandbox gc") }
    }

    func run() throws {
        let age = stopped ? Int((older?.value ?? 0) * 1000) : nil
        let sweep = try Registry.ofCaller().sweep(forgetting: age)
        if json {
            try Output.json(sweep.document)
        } else {
            for name in sweep.ended { try Output.line("recorded the end of \(name)") }
            for name in sweep.forgotten { try Output.line("forgot \(name)") }
            for path in sweep.removed { try Output.line("removed \(printable(path))") }
        }
        for (_, problem) in sweep.problems { Output.error(problem.message) }
        if !sweep.problems.isEmpty { throw ExitCode(ExitStatus.failure) }
    }
}

extension Sweep {
    fileprivate var document: Value {
        .table([
            ("ended", .strings(ended)), ("forgotten", .strings(forgotten)), ("removed", .strings(removed)),
            (
                "problems",
                .array(
                    problems.map {
                        .table([("subject", .string($0.subject)), ("problem", .string($0.problem.message))])
                    })
            ),
        ])
    }
}
