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
        let (store, registry) = (try SwitchStore.ofCaller(), try Registry.ofCaller())
        var problems: [LaunchError] = []
        var switches: [SwitchView] = []
        for name in try switched({ () throws(SwitchError) in try store.names() }) {
            do throws(LaunchError) {
                switches.append(try store.view(name, registry))
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
