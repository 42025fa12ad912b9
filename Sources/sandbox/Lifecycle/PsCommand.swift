import Addresses
import ArgumentParser
import Kernel
import Launch
import Profile
import SandboxKit
import Switching

/// `sandbox ps`: what sandboxes there are.
struct PsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "List sandboxes.",
        discussion: """
            Lists those that run, are paused or are about to begin; all with --all. A sandbox whose record cannot be \
            read is listed as damaged; the others are listed all the same, and the exit status is 125. The document of \
            --json holds an object for each with its name, pid, state, profile, command, created, namespaces, \
            interfaces and exitStatus; null is what is not known, or not yet.
            """)

    @Flag(name: [.customShort("a"), .customLong("all")], help: "Those too that have ended.")
    var all = false
    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print names only.")
    var quiet = false
    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false

    func run() throws {
        let listing = try Registry.ofCaller().list()
        let shown = listing.sandboxes.filter { all || $0.isCurrent }
        if json {
            try Output.json(.array(shown.map(\.document)))
        } else if quiet {
            for sandbox in shown { try Output.line(sandbox.record.name) }
        } else {
            try Output.write(PsTable(shown, listing.damaged.map(\.name)).text(width: terminalWidth(), style: .output))
        }
        for (_, problem) in listing.damaged { Output.error(problem.message) }
        if !listing.damaged.isEmpty { throw ExitCode(ExitStatus.failure) }
    }
}

extension SandboxSummary {
    var isCurrent: Bool { state == .created || state == .running || state == .paused }

    /// The entry of `ps --json`.
    var document: Value {
        .table([
            ("name", .string(record.name)), ("pid", pid.map { .integer(Int($0)) } ?? .null),
            ("state", .string(state.rawValue)),
            ("profile", record.profiles.isEmpty ? .null : .string(record.profiles.joined(separator: ","))),
            ("command", .strings(record.command)), ("created", .string(TimeText.iso(record.created))),
            ("namespaces", .strings(record.namespaces.map(\.rawValue))),
            ("interfaces", .array(record.ports.map { $0.document })),
            ("exitStatus", isCurrent ? .null : record.exitStatus.map { .integer(Int($0)) } ?? .null),
        ])
    }
}

/// The table for people.
struct PsTable {
    private var table: Table

    init(_ sandboxes: [SandboxSummary], _ damaged: [String], now: Int = PointInTime.now) {
        // Where none has an interface of its own the column would be for nothing.
        let address = sandboxes.contains { !$0.record.ports.isEmpty }
        table = Table(
            headings: ["NAME", "PID", "STATE", "CREATED", "PROFILE"] + (address ? ["ADDRESS"] : [])
                + ["NAMESPACES", "COMMAND"])
        for sandbox in sandboxes {
            let record = sandbox.record
            table.rows.append(
                [
                    record.name, sandbox.pid.map { "\($0)" } ?? "-", PsTable.state(sandbox, now: now),
                    TimeText.ago(record.created, now: now), PsTable.list(record.profiles),
                ] + (address ? [PsTable.address(record)] : []) + [
                    PsTable.list(record.namespaces.map(\.rawValue)),
                    record.command.map(quotedWord).joined(separator: " "),
                ])
        }
        for name in damaged {
            table.rows.append([name, "-", "damaged", "-", "-"] + (address ? ["-"] : []) + ["-", ""])
        }
    }

    func text(width: Int?, style: Style) -> String { table.text(width: width, style: style) }

    private static func list(_ words: [String]) -> String { words.isEmpty ? "-" : words.joined(separator: ",") }

    /// The first of its addresses, and how many more there are: `10.1.0.5 +1`.
    private static func address(_ record: SandboxRecord) -> String {
        let addresses = record.ports.flatMap { $0.addresses.map { $0.address.description } }
        guard let first = addresses.first else { return "-" }
        return addresses.count == 1 ? first : "\(first) +\(addresses.count - 1)"
    }

    private static func state(_ sandbox: SandboxSummary, now: Int) -> String {
        let record = sandbox.record
        switch sandbox.state {
        case .running where record.restarts > 0: return "running, begun anew \(times(record.restarts))"
        case .created where record.restarts > 0: return "waits to begin again"
        case .stopped: return EndText.of(record) + (record.ended.map { ", " + TimeText.ago($0, now: now) } ?? "")
        default: return sandbox.state.rawValue
        }
    }

    private static func times(_ count: Int) -> String { count == 1 ? "once" : count == 2 ? "twice" : "\(count) times" }
}

/// How a sandbox ended, in words.
enum EndText {
    static func of(_ record: SandboxRecord) -> String {
        if record.oomKilled { return "killed for want of memory" }
        guard let status = record.exitStatus else { return record.reason ?? "ended, nobody knows how" }
        let signal = status - 128
        // A command may choose such a status itself, as shells do for what they ran.
        return signal >= 1 && signal <= 64 ? "ended by \(signalName(signal))" : "exited with \(status)"
    }
}
