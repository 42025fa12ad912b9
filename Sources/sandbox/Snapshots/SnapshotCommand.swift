import ArgumentParser
import Checkpoint
import Launch

/// `sandbox snapshot`: what checkpoints left.
struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "List, look into, check, carry and delete snapshots of sandboxes.",
        subcommands: [
            SnapshotListCommand.self, SnapshotShowCommand.self, SnapshotVerifyCommand.self, SnapshotExportCommand.self,
            SnapshotImportCommand.self, SnapshotCompressCommand.self, SnapshotDeleteCommand.self,
        ])
}

/// Runs `body` and turns a snapshot's error into the command line's own.
func snapshotted<Result: ~Copyable>(_ body: () throws(SnapshotError) -> Result) throws(LaunchError) -> Result {
    do throws(SnapshotError) { return try body() } catch { throw LaunchError(error.message) }
}

/// Which snapshots a command is about.
struct SnapshotNames: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Snapshots, or sandboxes for their newest one.", valueName: "snapshot"),
        completion: .kind(.snapshots))
    var names: [String]

    func validate() throws {
        if names.isEmpty { throw UsageError("name a snapshot", command: "sandbox snapshot") }
    }

    /// Calls `body` for each, tells of what failed, and fails when something did.
    func each(_ body: (SnapshotStore, String) throws(SnapshotError) -> Void) throws {
        let store = try snapshotted { () throws(SnapshotError) in try SnapshotStore.ofCaller() }
        var failed = false
        for name in names {
            do throws(SnapshotError) {
                try body(store, try store.resolve(name))
            } catch {
                Output.error(error.message)
                failed = true
            }
        }
        if failed { throw ExitCode(ExitStatus.failure) }
    }
}
