import ArgumentParser
import Checkpoint
import Launch

/// `sandbox snapshot delete`: removes snapshots.
struct SnapshotDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete snapshots, by their own names.")

    @Argument(help: ArgumentHelp("Snapshots.", valueName: "snapshot"), completion: .kind(.snapshots))
    var names: [String]

    func run() throws {
        let store = try snapshotted { () throws(SnapshotError) in try SnapshotStore.ofCaller() }
        var failed = false
        for name in names {
            do throws(SnapshotError) {
                try store.delete(name)
            } catch {
                Output.error(error.message)
                failed = true
            }
        }
        if failed { throw ExitCode(ExitStatus.failure) }
    }
}
