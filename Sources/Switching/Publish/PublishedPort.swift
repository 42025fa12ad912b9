import Addresses
import Netlink
import Profile

/// A port of the host that leads to a box: an element of a map of the host's table.
struct PublishedPort: Hashable {
    /// The host's; `nil`: all of them.
    var address: IPAddress?
    var transport: Transport
    var port: UInt16
    var target: IPAddress
    var targetPort: UInt16

    var family: IPFamily { target.family }
    /// The map that it is in.
    var map: String { (address == nil ? "any" : "at") + (family == .v4 ? "4" : "6") }

    static let maps = ["any4", "any6", "at4", "at6"]

    private var protocolNumber: UInt8 { transport == .tcp ? 6 : 17 }

    /// Of the host's map.
    var element: NetfilterElement {
        var key = NetfilterKey()
        if let address { key = key.adding(address.bytes) }
        return NetfilterElement(
            key.adding(byte: protocolNumber).adding(port: port),
            leadsTo: NetfilterKey().adding(target.bytes).adding(port: targetPort))
    }

    /// The same to be taken out.
    var elementToDelete: NetfilterElement {
        var element = element
        element.data = nil
        return element
    }

    /// What lets it through in the switch.
    var permit: NetfilterElement {
        NetfilterElement(NetfilterKey().adding(target.bytes).adding(byte: protocolNumber).adding(port: targetPort))
    }

    var permits: String { family == .v4 ? "published4" : "published6" }

    /// The opposite of ``element``; `nil` for what we did not write.
    init?(_ element: NetfilterElement, in map: String) {
        var key = element.key[...]
        let width = map.hasSuffix("4") ? 4 : 16
        if map.hasPrefix("at") {
            guard key.count > width, let address = IPAddress(bytes: key.prefix(width)) else { return nil }
            self.address = address
            key = key.dropFirst(width)
        }
        guard key.count == 8, let data = element.data, data.count == width + 4,
            let target = IPAddress(bytes: data[..<width])
        else { return nil }
        guard let first = key.first, first == 6 || first == 17 else { return nil }
        transport = first == 6 ? .tcp : .udp
        port = PublishedPort.number(key.dropFirst(4))
        self.target = target
        targetPort = PublishedPort.number(data[width...])
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        bytes.prefix(2).reduce(0) { $0 << 8 | UInt16($1) }
    }

    init(_ address: IPAddress?, _ transport: Transport, _ port: UInt16, to target: IPAddress, _ targetPort: UInt16) {
        self.address = address
        self.transport = transport
        self.port = port
        self.target = target
        self.targetPort = targetPort
    }

    /// Whether a packet could be meant for both.
    func collides(with other: PublishedPort) -> Bool {
        transport == other.transport && port == other.port && family == other.family
            && (address == nil || other.address == nil || address == other.address)
    }

    /// `127.0.0.1:8080/tcp`.
    var text: String {
        let place = address.map { $0.family == .v4 ? "\($0):" : "[\($0)]:" } ?? ""
        return "\(place)\(port)/\(transport.rawValue)"
    }
}

extension Publication {
    /// The ports one by one, for a box with these addresses.
    func ports(to addresses: [IPPrefix]) throws(SwitchError) -> [PublishedPort] {
        let targets = addresses.map { $0.address }.filter { address == nil || $0.family == address?.family }
        if targets.isEmpty {
            let lacking = address.map { $0.family == .v4 ? "an IPv4 address" : "an IPv6 address" } ?? "an address"
            throw SwitchError(
                key: "publish", "\"\(self)\" needs \(lacking) of the box, which has none",
                mend: "give it one with address, or take the entry out")
        }
        var ports: [PublishedPort] = []
        for target in targets {
            for (offset, port) in self.ports.enumerated() {
                let host = address.flatMap { $0.isUnspecified ? nil : $0 }
                ports.append(PublishedPort(host, transport, port, to: target, self.target + UInt16(offset)))
            }
        }
        return ports
    }

    /// What lets it through where a box has rules.
    var rule: TrafficRule {
        TrafficRule(
            transport == .tcp ? .tcp : .udp, .from, .any, ports: target...(target + UInt16(ports.count - 1)))
    }
}
