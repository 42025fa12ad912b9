import Addresses
import ArgumentParser
import Launch
import Netlink
import Profile
import SandboxKit
import Switching

/// `sandbox switch show`: a switch and its ports.
struct SwitchShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a switch, its ports and what went through them.")

    @Argument(help: ArgumentHelp("The switch.", valueName: "name"), completion: .kind(.switches))
    var name: String
    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false

    func run() throws {
        let store = try SwitchStore.ofCaller()
        var view = try switched { () throws(SwitchError) in try SwitchView(store.existing(name)) }
        if view.spec.hasDNS { view.nameServer = try Registry.ofCaller().nameServerState(of: name).rawValue }
        if json { return try Output.json(view.document) }
        let spec = view.spec
        var lines = "\(spec.kind.rawValue) \(Style.output.bold(printable(spec.name)))"
        for subnet in spec.subnets { lines += "  \(subnet)" }
        lines += "  mtu \(spec.mtu)"
        if spec.uplink != .none { lines += "  uplink \(printable(spec.uplink.text))" }
        if let parent = spec.parent { lines += "  on \(printable(parent))" }
        if spec.isIsolated { lines += "  isolated" }
        if spec.filtersVLANs { lines += "  VLANs" }
        if spec.isTransient { lines += "  made on first use" }
        if let server = view.nameServer {
            lines += "  names in \(printable(spec.searchDomain)) by \(Registry.nameServer(of: spec.name)) (\(server))"
        }
        try Output.write(lines + "\n")
        if view.ports.isEmpty { return try Output.write("no ports\n") }
        var table = Table(headings: ["PORT", "SANDBOX", "INTERFACE", "ADDRESSES", "MAC", "RECEIVED", "SENT", "FLAGS"])
        for port in view.ports {
            table.rows.append([
                port.link.name, port.label?.owner ?? "-", port.label?.interface ?? "-",
                port.addresses.joined(separator: ","), port.label.map { $0.address.description } ?? "-",
                // The switch's side receives what the box sends.
                Figures.bytes(port.link.counters.sentBytes), Figures.bytes(port.link.counters.receivedBytes),
                port.flags.isEmpty ? "-" : port.flags.joined(separator: ","),
            ])
        }
        try Output.write(table.text(width: terminalWidth(), style: .output))
    }
}

extension FabricPort {
    /// The addresses that the port holds of the switch's.
    var addresses: [String] { link.alternativeNames.filter { IPAddress($0) != nil } }

    var flags: [String] {
        var flags: [String] = []
        if link.port?.isolated == true { flags.append("isolated") }
        if link.port?.locked != true { flags.append("spoofing allowed") }
        if !link.hasCarrier { flags.append("down") }
        return flags
    }

    /// An entry of `ports` in `switch show --json`; the counters as the box counts.
    var document: Value {
        .table([
            ("port", .string(link.name)),
            ("sandbox", label.map { $0.owner == "-" ? .null : .string($0.owner) } ?? .null),
            ("interface", label.map { .string($0.interface) } ?? .null), ("addresses", .strings(addresses)),
            ("mac", label.map { .string($0.address.description) } ?? .null),
            ("isolated", .bool(link.port?.isolated == true)), ("spoofing", .bool(link.port?.locked != true)),
            ("receivedBytes", number(link.counters.sentBytes)), ("receivedPackets", number(link.counters.sentPackets)),
            ("sentBytes", number(link.counters.receivedBytes)), ("sentPackets", number(link.counters.receivedPackets)),
        ])
    }
}

extension Port {
    /// An entry of `interfaces` in `ps --json`.
    var document: Value {
        .table([
            ("name", .string(name)), ("switch", optional(switchName)), ("attach", .string(attach.rawValue)),
            ("addresses", .strings(addresses.map { $0.description })), ("mac", optional(mac?.description)),
            ("published", .strings(published.map { $0.description })), ("chain", .array([])),
        ])
    }
}
