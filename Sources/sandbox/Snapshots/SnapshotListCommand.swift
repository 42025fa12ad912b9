import ArgumentParser
import Checkpoint
import Profile

/// `sandbox snapshot list`: all snapshots.
struct SnapshotListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List snapshots, oldest first.")

    @Argument(
        help: ArgumentHelp("Only those of these sandboxes.", valueName: "sandbox"), completion: .kind(.sandboxes))
    var sandboxes: [String] = []

    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false
    @Flag(
        name: .customLong("pictures"),
        help: "Show what the displays showed, too, as well as the terminal can (needs chafa).")
    var pictures = false

    func validate() throws {
        if pictures, json { throw UsageError("--pictures and --json exclude each other", command: Self.command) }
    }

    private static let command = "sandbox snapshot list"

    func run() throws {
        var problems: [SnapshotError] = []
        let snapshots = try snapshotted { () throws(SnapshotError) in
            try SnapshotStore.ofCaller().snapshots { _, problem in problems.append(problem) }
                .filter { sandboxes.isEmpty || sandboxes.contains($0.manifest.sandbox) }
        }
        if json {
            try Output.json(.array(snapshots.map { $0.summary }))
        } else {
            var table = Table(headings: ["SNAPSHOT", "SANDBOX", "CREATED", "SIZE", "MEMORY", "COMMAND"])
            for snapshot in snapshots {
                let manifest = snapshot.manifest
                table.rows.append([
                    manifest.id, manifest.sandbox, TimeText.local(manifest.created),
                    Figures.bytes(UInt64(max(0, snapshot.size))),
                    Figures.bytes(UInt64(max(0, manifest.contents.memory))),
                    manifest.command.joined(separator: " "),
                ])
            }
            try Output.write(table.text(width: terminalWidth(), style: .output))
            if pictures { try show(snapshots) }
        }
        for problem in problems { Output.error(problem.message) }
        if !problems.isEmpty { throw ExitCode(ExitStatus.failure) }
    }
}

extension SnapshotListCommand {
    private func show(_ snapshots: [Snapshot]) throws {
        let drawer = try PictureDrawer()
        for snapshot in snapshots {
            guard let picture = try snapshotted({ () throws(SnapshotError) in try snapshot.readPicture() }) else {
                continue
            }
            try Output.line("\n" + printable(snapshot.manifest.id))
            try drawer.draw(picture)
        }
    }
}

extension Snapshot {
    /// An entry of `snapshot list --json`.
    fileprivate var summary: Value {
        .table([
            ("id", .string(manifest.id)), ("sandbox", .string(manifest.sandbox)),
            ("created", .string(TimeText.iso(manifest.created))), ("size", .integer(size)),
            ("memory", .integer(manifest.contents.memory)), ("expandedSize", .integer(expandedSize)),
            ("automatic", .bool(manifest.isAutomatic)), ("tcp", .string(manifest.tcp.rawValue)),
            ("frozenMicroseconds", manifest.frozen.map { .integer($0) } ?? .null),
            ("picture", .bool(hasPicture)),
            ("parent", manifest.parent.map { .string($0) } ?? .null), ("command", .strings(manifest.command)),
        ])
    }
}
