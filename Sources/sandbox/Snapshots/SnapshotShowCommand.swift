import ArgumentParser
import Checkpoint
import Launch
import Profile
import SandboxKit

/// `sandbox snapshot show`: what a snapshot holds.
struct SnapshotShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Tell what snapshots hold: processes, memory, sockets, files, interfaces.",
        discussion: "Reads the manifest only; 'sandbox snapshot verify' looks at every byte.")

    @Flag(name: .customLong("json"), help: "Print the manifests as one JSON document, an array.")
    var json = false
    @Option(
        name: .customLong("picture"),
        help: ArgumentHelp(
            "Write what the display showed to a PNG file instead; - is standard output.", valueName: "file"),
        completion: .file())
    var picture: String?
    @OptionGroup var snapshots: SnapshotNames

    func validate() throws {
        if picture != nil, json || snapshots.names.count != 1 {
            throw UsageError("--picture takes one snapshot, and no --json", command: "sandbox snapshot show")
        }
    }

    func run() throws {
        if let picture { return try writePicture(to: picture) }
        var shown: [Snapshot] = []
        var failure: (any Error)?
        do {
            try snapshots.each { store, id throws(SnapshotError) in shown.append(try store.snapshot(id)) }
        } catch {
            failure = error
        }
        if json {
            try Output.json(.array(shown.map { $0.manifest.document }))
        } else {
            for (index, snapshot) in shown.enumerated() {
                try Output.write((index > 0 ? "\n" : "") + snapshot.text(width: terminalWidth(), style: .output))
            }
        }
        if let failure { throw failure }
    }
}

extension SnapshotShowCommand {
    private func writePicture(to file: String) throws {
        let bytes = try snapshotted { () throws(SnapshotError) in
            let store = try SnapshotStore.ofCaller()
            return try store.snapshot(try store.resolve(snapshots.names[0])).readPicture()
        }
        guard let bytes else {
            throw LaunchError(
                "the snapshot \"\(snapshots.names[0])\" holds no picture",
                mend: "only those of a sandbox with display.server = \"private\" do")
        }
        try sandbox.writePicture(bytes, to: file)
    }
}

extension Snapshot {
    /// For people.
    func text(width: Int?, style: Style) -> String {
        var text = style.bold(printable(manifest.id)) + "\n"
        for line in facts { text += "  \(printable(line))\n" }
        func section(_ title: String, _ table: Table) {
            if table.rows.isEmpty { return }
            text += "\n" + style.bold(title) + "\n" + table.text(width: width, style: style)
        }
        section("Processes", processes)
        section("Sockets", sockets)
        section("Interfaces", interfaces)
        section("Standard streams", streams)
        section("Open files", Table(headings: ["PATH"], rows: manifest.contents.openFiles.map { [$0] }))
        section(
            "Changed files",
            Table(headings: ["KIND", "PATH"], rows: manifest.contents.changes.map { [$0.kind.rawValue, $0.path] }))
        // Last: with the host's root there are many, and the host's own.
        section("Mounts", mounts)
        return text
    }

    private var facts: [String] {
        let (manifest, versions) = (manifest, manifest.versions)
        var lines = [
            "of \(manifest.sandbox): \(manifest.command.map(quotedWord).joined(separator: " "))",
            "taken \(TimeText.local(manifest.created))" + (manifest.isAutomatic ? " by checkpoint.every" : ""),
        ]
        if let frozen = manifest.frozen { lines.append("stood still for \(Figures.decimal(Double(frozen) / 1000)) ms") }
        if !manifest.rounds.isEmpty { lines.append(copies) }
        lines.append(
            "\(Figures.bytes(UInt64(max(0, size)))) in \(manifest.files.count) files, "
                + "\(Figures.bytes(UInt64(max(0, manifest.contents.memory)))) of memory")
        if expandedSize != size {
            lines.append("compressed, \(Figures.bytes(UInt64(max(0, expandedSize)))) when expanded")
        }
        lines.append("TCP connections: \(manifest.tcp == .established ? "kept" : "closed")")
        if hasPicture { lines.append("a picture of its display") }
        if let parent = manifest.parent { lines.append("adds to \(parent)") }
        let namespaces = manifest.namespaces.map(\.rawValue).joined(separator: ", ")
        if !namespaces.isEmpty { lines.append("namespaces: \(namespaces)") }
        if !versions.kernel.isEmpty { lines.append("Linux \(versions.kernel) \(versions.machine)") }
        if !versions.criu.isEmpty { lines.append("CRIU \(versions.criu)") }
        return lines
    }

    private var copies: String {
        let sizes = manifest.rounds.map { Figures.bytes(UInt64(max(0, $0.copied))) }
        let pauses = manifest.rounds.compactMap(\.frozen).map { Figures.decimal(Double($0) / 1000) }
        let text = "its memory was copied before: " + sizes.joined(separator: ", ")
        return pauses.count < sizes.count
            ? text : text + "; it stood still for \(pauses.joined(separator: ", ")) ms for that"
    }

    private var processes: Table {
        var table = Table(headings: ["PID", "PARENT", "USER", "THREADS", "MEMORY", "COMMAND"])
        for process in manifest.processes {
            let command = process.command.isEmpty ? process.name : process.command.joined(separator: " ")
            table.rows.append([
                "\(process.pid)", "\(process.parent)", "\(process.uid)", "\(process.threads.count)",
                Figures.bytes(UInt64(max(0, process.memory))), indent(process) + command,
            ])
        }
        return table
    }

    /// Two spaces for each parent that is in the snapshot.
    private func indent(_ process: Manifest.Process) -> String {
        var (text, next) = ("", process.parent)
        while let parent = manifest.processes.first(where: { $0.pid == next }), text.utf8.count < 40 {
            text += "  "
            next = parent.parent
        }
        return text
    }

    /// Of the first process.
    private var streams: Table {
        let names = ["input", "output", "errors"]
        var table = Table(headings: ["STREAM", "KIND", "LEADS TO"])
        for stream in manifest.stdio {
            let name = names.indices.contains(stream.descriptor) ? names[stream.descriptor] : "\(stream.descriptor)"
            table.rows.append([name, stream.kind.rawValue, stream.path ?? stream.key])
        }
        return table
    }

    private var mounts: Table {
        Table(headings: ["TYPE", "SOURCE", "PATH"], rows: manifest.mounts.map { [$0.type, $0.source, $0.path] })
    }

    private var sockets: Table {
        var table = Table(headings: ["PID", "KIND", "STATE", "LOCAL", "REMOTE"])
        for socket in manifest.contents.sockets {
            table.rows.append(["\(socket.pid)", socket.kind, socket.state, socket.local, socket.remote])
        }
        return table
    }

    private var interfaces: Table {
        var table = Table(headings: ["NAME", "ATTACH", "SWITCH", "MAC", "ADDRESSES"])
        for interface in manifest.interfaces {
            table.rows.append([
                interface.name, interface.attach, interface.switchName ?? "-", interface.mac ?? "-",
                interface.addresses.joined(separator: ","),
            ])
        }
        return table
    }
}
