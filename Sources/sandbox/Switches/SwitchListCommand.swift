import Addresses
import ArgumentParser
import Launch
import Profile
import SandboxKit
import Switching

/// `sandbox switch list`: all switches.
struct SwitchListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List switches.")

    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false

    func run() throws {
        let store = try SwitchStore.ofCaller()
        var problems: [LaunchError] = []
        var switches: [SwitchView] = []
        for name in try switched({ () throws(SwitchError) in try store.names() }) {
            do throws(LaunchError) {
                switches.append(try switched { () throws(SwitchError) in try SwitchView(store.existing(name)) })
            } catch {
                problems.append(error)
            }
        }
        if json {
            try Output.json(.array(switches.map { $0.summary }))
        } else {
            var table = Table(headings: ["NAME", "KIND", "SUBNETS", "UPLINK", "PORTS"])
            for view in switches {
                let subnets = view.spec.subnets.map { $0.network.description }.joined(separator: ",")
                table.rows.append([
                    view.spec.name, view.spec.kind.rawValue, subnets.isEmpty ? "-" : subnets, view.spec.uplink.text,
                    "\(view.ports.count)",
                ])
            }
            try Output.write(table.text(width: terminalWidth(), style: .output))
        }
        for problem in problems { Output.error(problem.message) }
        if !problems.isEmpty { throw ExitCode(ExitStatus.failure) }
    }
}

/// A switch and its ports at one moment.
struct SwitchView {
    let spec: SwitchSpec
    let ports: [FabricPort]
    /// What became of the name server; `nil` where the switch has none.
    var nameServer: String?

    init(_ fabric: borrowing Switch) throws(SwitchError) {
        spec = fabric.spec
        ports = try fabric.ports()
    }

    /// An entry of `switch list --json`.
    var summary: Value {
        guard case .table(let entries) = spec.document else { return .null }
        return .table([("name", .string(spec.name))] + entries + [("ports", .integer(ports.count))])
    }

    /// `switch show --json`.
    var document: Value {
        guard case .table(let entries) = spec.document else { return .null }
        return .table(
            [("name", .string(spec.name))] + entries + [
                ("nameServer", nameServer.map { .string($0) } ?? .null), ("ports", .array(ports.map { $0.document })),
            ])
    }
}

extension SwitchSpec.Uplink {
    var text: String {
        switch self {
        case .none: "none"
        case .nat: "nat"
        case .device(let name): name
        }
    }
}
