import ArgumentParser
import Checkpoint
import Launch
import SandboxKit

/// `sandbox checkpoint`: CRIU saves a sandbox.
struct CheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "Save a sandbox with its memory and connections in a snapshot.",
        discussion: """
            The sandbox ends once it is saved, and 'sandbox ps -a' shows it as checkpointed; 'sandbox restore' lets it \
            go on where it was. Whatever fails lets the application go on as before, and leaves no snapshot. The \
            engine is CRIU 4.2 or newer ('sandbox doctor' tells). A sandbox that is to be saved is detached, has a pid \
            namespace and process.init = false. Prints the snapshot's name.
            """)

    @Argument(help: "The sandbox.", completion: .kind(.sandboxes))
    var name: String
    @Option(name: .customLong("snapshot"), help: ArgumentHelp("Name of the snapshot.", valueName: "id"))
    var snapshot: String?
    @Flag(name: .customLong("leave-running"), help: "Let the application go on.")
    var leaveRunning = false
    @Option(name: .customLong("tcp"), help: "TCP connections: established (they go on after a restore) or close.")
    fileprivate var tcp = TCPChoice.established

    func run() throws {
        do throws(LaunchError) {
            var options = CheckpointOptions()
            options.snapshot = snapshot
            options.leavesRunning = leaveRunning
            options.connections = tcp == .close ? .close : .established
            print(try Sandbox(name).checkpoint(options))
        } catch {
            Output.error(error.message)
            throw ExitCode(error.status)
        }
    }
}

/// What `--tcp` takes.
private enum TCPChoice: String, ExpressibleByArgument, CaseIterable {
    case established, close
}
