import ArgumentParser
import Kernel
import Launch
import SandboxKit

/// `sandbox kill`: any signal.
struct KillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Send a signal to the application of sandboxes.",
        discussion: """
            The signal goes to the sandbox's own command, with --all to every process of the sandbox, as its control \
            group knows them. What ends by it may begin again, if lifecycle.restart says so: see 'sandbox stop'.
            """)

    @Option(
        name: [.customShort("s"), .customLong("signal")],
        help: ArgumentHelp("A name, with or without SIG, RTMIN+N, or a number; KILL when absent.", valueName: "signal"),
        completion: .kind(.signals))
    var signal = Signal(number: 9)
    @Flag(name: .customLong("all"), help: "Every process of the sandbox.")
    var all = false
    @OptionGroup var sandboxes: SandboxNames

    func run() throws {
        try sandboxes.each { sandbox throws(LaunchError) in
            if all { try sandbox.killAll(signal.number) } else { try sandbox.kill(signal.number) }
        }
    }
}

/// A signal by name or number.
struct Signal: ExpressibleByArgument, Equatable {
    var number: Int32

    init(number: Int32) { self.number = number }

    init?(argument: String) {
        guard let number = signalNumber(argument) else { return nil }
        self.number = number
    }

    var defaultValueDescription: String { signalName(number) }
}

/// Names of signals, for completion.
func signalCandidates() -> [Candidate] {
    (1...31).map { Candidate(word: signalName(Int32($0))) } + [Candidate(word: "RTMIN"), Candidate(word: "RTMAX")]
}
