import ArgumentParser
import Launch
import SandboxKit

/// `sandbox restore`: a sandbox goes on from its snapshot.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Let a sandbox go on from a snapshot.",
        discussion: """
            It comes back with its memory, its interfaces with the same addresses on the same switch, its limits and \
            its confinement, which is compared with what it was before anything runs. Established TCP connections go \
            on. With -d the command returns once it runs; without, when the application has ended, with its exit \
            status.
            """)

    @Argument(help: "The snapshot.")
    var snapshot: String
    @Option(
        name: [.customShort("n"), .customLong("name")],
        help: ArgumentHelp("The sandbox's name from now on.", valueName: "name"))
    var name: String?
    @Flag(name: [.customShort("d"), .customLong("detach")], help: "Return once it runs.")
    var detach = false

    func run() throws {
        let status: Int32
        do throws(LaunchError) {
            status = try Sandbox.restore(snapshot, as: name, isDetached: detach)
        } catch {
            Output.error(error.message)
            throw ExitCode(error.status)
        }
        if status != 0 { throw ExitCode(status) }
    }
}
