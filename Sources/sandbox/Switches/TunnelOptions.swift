import Addresses
import ArgumentParser
import Launch
import Switching

/// Options of `switch create` for a switch that spans hosts.
struct TunnelOptions: ParsableArguments {
    @Option(
        name: .customLong("vxlan"),
        help: ArgumentHelp(
            "Joins switches of the same number on several hosts, 1 to 16777215. Each host has an address of its own in "
                + "the subnet, and gives its sandboxes others.", valueName: "id"))
    var id: Int?
    @Option(name: .customLong("peer"), help: ArgumentHelp("Of --vxlan: another host.", valueName: "address"))
    var peers: [String] = []
    @Option(
        name: .customLong("group"),
        help: ArgumentHelp("Of --vxlan: the multicast group of all hosts, with --device.", valueName: "address"))
    var group: String?
    @Option(
        name: .customLong("device"),
        help: ArgumentHelp("Of --vxlan: the host's interface that packets leave by.", valueName: "interface"))
    var device: String?
    @Option(name: .customLong("port"), help: ArgumentHelp("Of --vxlan: the UDP port; 4789.", valueName: "number"))
    var port: Int?

    func tunnel() throws -> SwitchSpec.Tunnel? {
        guard let id else {
            if peers.isEmpty, group == nil, device == nil, port == nil { return nil }
            throw error("--peer, --group, --device and --port go with --vxlan")
        }
        guard let number = UInt32(exactly: id), (1..<1 << 24).contains(number) else {
            throw error("--vxlan \(id) is out of range; use 1 to 16777215")
        }
        var addresses = try peers.map { try address($0, "--peer", isGroup: false) }
        if let group { addresses.append(try address(group, "--group", isGroup: true)) }
        var tunnel = SwitchSpec.Tunnel(id: number, peers: addresses, device: device)
        if let port {
            guard let port = UInt16(exactly: port), port > 0 else {
                throw error("--port \(port) is out of range; use 1 to 65535")
            }
            tunnel.port = port
        }
        return tunnel
    }

    private func address(_ text: String, _ option: String, isGroup: Bool) throws -> IPAddress {
        guard let address = IPAddress(text), !address.isUnspecified, address.isMulticast == isGroup else {
            throw error("\(option) '\(text)' is no \(isGroup ? "multicast group" : "host's address")")
        }
        return address
    }

    private func error(_ text: String) -> UsageError { UsageError(text, command: "sandbox switch create") }
}
