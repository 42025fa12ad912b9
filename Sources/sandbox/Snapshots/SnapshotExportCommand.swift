import ArgumentParser
import Checkpoint
import Glibc
import Launch

/// `sandbox snapshot export`: a snapshot as one file.
struct SnapshotExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a snapshot as one file, for another host.",
        discussion: """
            The snapshot is checked before. The file appears when it is complete, or not at all, and only you may read \
            it.
            """)

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The file, as a rule NAME.tar.zst; - for standard output.", valueName: "file"),
        completion: .file())
    var output: String
    @Argument(
        help: ArgumentHelp("The snapshot, or a sandbox for its newest one.", valueName: "snapshot"),
        completion: .kind(.snapshots))
    var name: String

    func run() throws {
        try snapshotted { () throws(SnapshotError) in
            let store = try SnapshotStore.ofCaller()
            let id = try store.resolve(name)
            if output == "-" {
                if isatty(STDOUT_FILENO) == 1 {
                    throw SnapshotError("a snapshot is nothing for a terminal", mend: "lead the output elsewhere")
                }
                return try store.export(id, to: STDOUT_FILENO)
            }
            let file = try FinishedFile(path: output)
            try store.export(id, to: file.descriptor)
            try file.commit()
        }
    }
}
