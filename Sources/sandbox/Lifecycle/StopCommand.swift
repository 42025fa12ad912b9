import ArgumentParser
import Launch
import SandboxKit

/// `sandbox stop`: the stop signal, grace, SIGKILL.
struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop sandboxes: ask them to end, and end those that do not.",
        discussion: """
            Sends the stop signal of the profile (lifecycle.stop-signal, TERM by default), waits for the grace period \
            (lifecycle.stop-timeout), then ends all processes with SIGKILL. Several sandboxes are stopped at once. \
            Returns when their ends are recorded. A stopped one does not begin again, whatever lifecycle.restart says; \
            stopping one that has ended already is no error.
            """)

    @Option(
        name: [.customShort("t"), .customLong("timeout")],
        help: ArgumentHelp(
            "The grace period, instead of the profile's; with 0 SIGKILL comes at once.", valueName: "sec"))
    var timeout: Seconds?
    @OptionGroup var sandboxes: SandboxNames

    func run() throws {
        raiseDescriptorLimit()
        var failed = false
        let found = sandboxes.found(&failed)
        for (_, error) in Sandbox.stop(found, timeout: timeout?.value) {
            Output.error(error.message)
            failed = true
        }
        if failed { throw ExitCode(ExitStatus.failure) }
    }
}
