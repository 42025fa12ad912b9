import ArgumentParser
import Launch
import Profile
import SandboxKit
import Switching

/// `sandbox chain show`: functions in order, and what has gone through each.
struct ChainShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the functions in order, and what has gone through each.",
        discussion: """
            From the application to the switch. SENT is what the application sends, RECEIVED what it is sent: packets \
            that came into the function, and of those the dropped ones. The document of --json has packets and bytes in \
            and out of each, both ways.
            """)

    @OptionGroup var place: ChainPlace
    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false

    func run() throws {
        let chains = try Sandbox(place.name).chains(of: place.interface)
        if json {
            return try Output.json(
                .table([("name", .string(place.name)), ("interfaces", .array(chains.map { $0.document }))]))
        }
        var table = Table(headings: [
            "INTERFACE", "#", "FUNCTION", "PLACEMENT", "STATE", "SENT", "DROPPED", "RECEIVED", "DROPPED",
        ])
        for chain in chains {
            for (index, status) in chain.functions.enumerated() {
                let (sent, received) = (status.toSwitch, status.toApplication)
                table.rows.append([
                    chain.port.name, "\(index + 1)", status.function.reference, status.function.placement.rawValue,
                    status.state,
                    "\(sent.entered.packets)", "\(sent.dropped)", "\(received.entered.packets)", "\(received.dropped)",
                ])
            }
        }
        if table.rows.isEmpty { return try Output.line("no functions") }
        try Output.write(table.text(width: terminalWidth(), style: .output))
    }
}

extension InterfaceChain {
    /// An entry of `chain show --json`.
    fileprivate var document: Value {
        .table([
            ("name", .string(port.name)), ("switch", optional(port.switchName)), ("port", optional(port.end)),
            (
                "chain",
                .array(
                    functions.enumerated().map { index, status in
                        .table([("position", .integer(index + 1))] + status.entries)
                    })
            ),
        ])
    }
}

extension ChainStatus {
    fileprivate var state: String { !isAlive ? "failed" : isDraining ? "draining" : "running" }

    fileprivate var entries: [(key: String, value: Value)] {
        [
            ("function", .string(function.reference)), ("name", .string(function.name)),
            ("placement", .string(function.placement.rawValue)), ("sandbox", optional(box)),
            ("state", .string(state)), ("toSwitch", toSwitch.document),
            ("toApplication", toApplication.document),
        ]
    }
}

extension ChainStatus.Way {
    fileprivate var document: Value {
        func count(_ count: ChainStatus.Count) -> Value {
            .table([("packets", number(count.packets)), ("bytes", number(count.bytes))])
        }
        return .table([("in", count(entered)), ("out", count(left)), ("dropped", number(dropped))])
    }
}
