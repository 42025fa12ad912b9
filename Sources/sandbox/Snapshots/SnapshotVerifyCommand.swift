import ArgumentParser
import Checkpoint
import Profile

/// `sandbox snapshot verify`: whether snapshots are as they were taken.
struct SnapshotVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that snapshots are as they were taken, every byte of them.",
        discussion: """
            Refused is what is not the caller's, what others may write, what has links in or out, what is missing, \
            altered or not listed in the manifest. A restore checks the same.
            """)

    @Flag(name: .customLong("json"), help: "Print one JSON document, an array, instead of text.")
    var json = false
    @OptionGroup var snapshots: SnapshotNames

    func run() throws {
        var good: [Value] = []
        var failure: (any Error)?
        do {
            try snapshots.each { store, id throws(SnapshotError) in
                let snapshot = try store.verified(id)
                good.append(
                    .table([
                        ("id", .string(id)), ("files", .integer(snapshot.manifest.files.count)),
                        ("size", .integer(snapshot.size)),
                    ]))
            }
        } catch {
            failure = error
        }
        if json {
            try Output.json(.array(good))
        } else {
            for entry in good {
                if case .string(let id)? = entry["id"] { try Output.line("\(id) is as it was taken") }
            }
        }
        if let failure { throw failure }
    }
}
