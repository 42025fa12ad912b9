import ArgumentParser
import Launch
import SandboxKit
import Switching

/// `sandbox switch delete`: deletes switches.
struct SwitchDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete switches.",
        discussion: "One that has ports is refused, unless --force takes them from their sandboxes.")

    @Flag(name: [.customShort("f"), .customLong("force")], help: "With ports too, or damaged.")
    var force = false
    @Argument(help: ArgumentHelp("The switches.", valueName: "name"), completion: .kind(.switches))
    var names: [String]

    func run() throws {
        let registry = try Registry.ofCaller()
        var failed = false
        for name in names {
            do throws(LaunchError) {
                try registry.deleteSwitch(name, force: force)
            } catch {
                Output.error(error.message)
                failed = true
            }
        }
        if failed { throw ExitCode(ExitStatus.failure) }
    }
}
