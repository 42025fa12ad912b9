import ArgumentParser
import Checkpoint
import Glibc
import Kernel
import Launch

/// `sandbox snapshot import`: a snapshot of one file.
struct SnapshotImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in a snapshot that was exported.",
        discussion: """
            It is checked byte by byte against its manifest, and appears when all of it is there and right, or not at \
            all. It keeps its name, which is printed. What is encrypted or signed is told by its first bytes: GnuPG \
            finds its keys itself, those of age are named by --identity. A signature that is wrong, or of a key that \
            GnuPG does not know, is refused; that there is one is asked for by --signed-by.
            """)

    @Option(
        name: .customLong("identity"),
        help: ArgumentHelp("A file with your key of age, or of SSH; may be repeated.", valueName: "file"),
        completion: .file())
    var identities: [String] = []
    @Option(
        name: .customLong("signed-by"),
        help: ArgumentHelp("The fingerprint of GnuPG's key that must have signed it.", valueName: "fingerprint"))
    var signer: String?

    @Argument(help: "The file; - for standard input.", completion: .file())
    var file: String

    func run() throws {
        let snapshot = try snapshotted { () throws(SnapshotError) in
            let store = try SnapshotStore.ofCaller()
            var keys = ArchiveKeys()
            (keys.identities, keys.signer) = (identities, signer)
            if file == "-" { return try store.take(from: STDIN_FILENO, name: "standard input", keys) }
            let opened = Glibc.open(file, O_RDONLY | O_CLOEXEC)
            if opened < 0 { throw SnapshotError(SystemError("open \(file)", code: errno)) }
            defer { close(opened) }
            let (own, path) = (getpid(), store.path)
            let progress = ProgressLine(title: "importing \(file)") { ProgressLine.hiddenBytes(of: own, in: path) }
            return try progress.during { () throws(SnapshotError) in
                try store.take(from: opened, name: file, keys)
            }
        }
        try Output.line(snapshot.manifest.id)
    }
}
