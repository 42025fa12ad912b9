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
            it. It holds an application's memory, passwords and keys with it: --encrypt-to keeps it from others on its \
            way, with age for recipients that begin with age1 or ssh-, with GnuPG for all others. --sign vouches for it \
            with a key of GnuPG. 'sandbox snapshot import' undoes both.
            """)

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The file, as a rule NAME.tar.zst; - for standard output.", valueName: "file"),
        completion: .file())
    var output: String
    @Option(
        name: .customLong("encrypt-to"),
        help: ArgumentHelp(
            "Who can read it: a recipient of age (age1…, ssh-…), or a key of GnuPG; may be repeated.",
            valueName: "recipient"))
    var recipients: [String] = []
    @Option(
        name: .customLong("sign"), help: ArgumentHelp("GnuPG's key that it is signed with.", valueName: "key"))
    var signer: String?
    @Argument(
        help: ArgumentHelp("The snapshot, or a sandbox for its newest one.", valueName: "snapshot"),
        completion: .kind(.snapshots))
    var name: String

    func run() throws {
        try snapshotted { () throws(SnapshotError) in
            let store = try SnapshotStore.ofCaller()
            let id = try store.resolve(name)
            var seal = ArchiveSeal()
            (seal.recipients, seal.signer) = (recipients, signer)
            try seal.check()
            if output == "-" {
                if isatty(STDOUT_FILENO) == 1 {
                    throw SnapshotError("a snapshot is nothing for a terminal", mend: "lead the output elsewhere")
                }
                return try store.export(id, to: STDOUT_FILENO, seal)
            }
            let file = try FinishedFile(path: output)
            // It is checked first: all of it is read twice.
            let own = getpid()
            let size = try store.snapshot(id).size
            let progress = ProgressLine(title: "exporting \(id)", total: 2 * size) { ProgressLine.bytesRead(by: own) }
            try progress.during { () throws(SnapshotError) in
                try store.export(id, to: file.descriptor, seal)
                try file.commit()
            }
        }
    }
}
