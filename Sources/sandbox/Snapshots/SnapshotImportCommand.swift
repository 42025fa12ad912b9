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
            all. It keeps its name, which is printed.
            """)

    @Argument(help: "The file; - for standard input.", completion: .file())
    var file: String

    func run() throws {
        let snapshot = try snapshotted { () throws(SnapshotError) in
            let store = try SnapshotStore.ofCaller()
            if file == "-" { return try store.take(from: STDIN_FILENO, name: "standard input") }
            let opened: Descriptor
            do throws(SystemError) { opened = try Descriptor(open: file, O_RDONLY) } catch {
                throw SnapshotError(error)
            }
            return try store.take(from: opened.number, name: file)
        }
        try Output.line(snapshot.manifest.id)
    }
}
