import ArgumentParser
import Checkpoint

/// `sandbox snapshot compress`: snapshots that take less of the disk.
struct SnapshotCompressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compress", abstract: "Compress the images of snapshots.",
        discussion: """
            A restore expands them first, into a directory that is gone afterwards. One that is compressed already stays \
            as it is.
            """)

    @OptionGroup var snapshots: SnapshotNames

    func run() throws {
        try snapshots.each { store, id throws(SnapshotError) in try store.compress(id) }
    }
}
