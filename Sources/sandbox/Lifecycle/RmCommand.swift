import ArgumentParser
import Launch
import SandboxKit

/// `sandbox rm`: forgets sandboxes.
struct RmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Forget sandboxes that have ended, with their logs.",
        discussion: """
            One that runs is refused, unless --force ends it first, without a grace period. With --force a record that \
            cannot be read is forgotten too, and what is provably left of that sandbox is ended.
            """)

    @Flag(name: [.customShort("f"), .customLong("force")], help: "End those that run; forget damaged ones.")
    var force = false
    @OptionGroup var sandboxes: SandboxNames

    func run() throws {
        raiseDescriptorLimit()
        let failures = Sandbox.remove(sandboxes.unique, force: force)
        for (_, error) in failures { Output.error(error.message) }
        if !failures.isEmpty { throw ExitCode(ExitStatus.failure) }
    }
}
