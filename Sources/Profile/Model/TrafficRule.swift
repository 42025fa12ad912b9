public import Addresses

/// Traffic that passes a port, answers included: `PROTOCOL [to|from WHERE[:PORT[-PORT]]]`, such as
/// `tcp to 10.1.0.0/16:443`, `udp to any:53`, `icmp`, `tcp from 10.1.0.7:80` or `tcp to example.org:443`.
///
/// The ports are those of who is called: with `from` they are the box's own.
public struct TrafficRule: Sendable, Hashable, CustomStringConvertible {
    public enum `Protocol`: String, Sendable, CaseIterable { case tcp, udp, icmp, any }

    public enum Direction: String, Sendable, CaseIterable {
        /// The box begins.
        case to
        /// Others begin.
        case from
    }

    public enum Peer: Sendable, Hashable {
        case any
        case network(IPPrefix)
        /// What a name of the DNS leads to.
        case name(String)
    }

    public var `protocol`: `Protocol`
    public var direction: Direction
    public var peer: Peer
    /// `nil`: all.
    public var ports: ClosedRange<UInt16>?

    public init(_ protocol: `Protocol`, _ direction: Direction, _ peer: Peer, ports: ClosedRange<UInt16>? = nil) {
        (self.protocol, self.direction, self.peer, self.ports) = (`protocol`, direction, peer, ports)
    }

    /// `nil` for what cannot be read: see ``init(reading:)``.
    public init?(_ text: String) {
        guard let read = try? TrafficRule(reading: text) else { return nil }
        self = read
    }

    /// - Throws: what is wrong with it.
    init(reading text: String) throws(NotRead) {
        let words = text.split(separator: " ")
        guard let first = words.first, let kind = Protocol(rawValue: String(first)) else {
            throw NotRead("begins with no protocol", "write it like \"tcp to 10.1.0.0/16:443\", \"udp\" or \"icmp\"")
        }
        `protocol` = kind
        direction = .to
        peer = .any
        if words.count == 1 { return }
        guard words.count == 3, let direction = Direction(rawValue: String(words[1])) else {
            throw NotRead("does not say where to", "write \"to\" or \"from\" and an address, a name or \"any\"")
        }
        self.direction = direction
        (peer, ports) = try TrafficRule.readPlace(words[2])
        if ports != nil, kind != .tcp, kind != .udp {
            throw NotRead("names a port of a protocol without ports", "take the port out")
        }
        if case .name = peer, direction == .from {
            throw NotRead("names who may begin", "write an address: a name tells where to go only")
        }
    }

    /// `10.1.0.0/16:443`, `[fd00::/8]:443`, `fd00::1`, `example.org:443` or `any`.
    private static func readPlace(_ text: Substring) throws(NotRead) -> (Peer, ClosedRange<UInt16>?) {
        var host = text
        var ports: ClosedRange<UInt16>?
        // IPv6 has colons of its own.
        if IPPrefix(String(text)) == nil, let colon = text.lastIndex(of: ":") {
            guard let range = PortRange.read(text[text.index(after: colon)...]) else {
                throw NotRead("names no port", "write it like \":443\" or \":8000-8009\"")
            }
            ports = range
            host = text[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        if host == "any" || host == "*" { return (.any, ports) }
        if let network = IPPrefix(String(host)) {
            if !network.isNetwork {
                throw NotRead("names a host and a network at once", "write \(network.address) or \(network.network)")
            }
            return (.network(network), ports)
        }
        let isDotted = host.utf8.allSatisfy { $0 == 0x2e || $0 == 0x2f || (0x30...0x39).contains($0) }
        if isDotted || Form.hostname.problem(with: String(host)) != nil {
            throw NotRead("names no address", "write an address, a network, a name of the DNS or \"any\"")
        }
        return (.name(host.lowercased()), ports)
    }

    public var description: String {
        var place: String
        switch peer {
        case .any:
            if ports == nil, direction == .to { return `protocol`.rawValue }
            place = "any"
        case .network(let network):
            let isHost = network.length == network.family.width
            place = isHost ? network.address.description : network.description
            if network.family == .v6, ports != nil { place = "[\(place)]" }
        case .name(let name): place = name
        }
        if let ports { place += ":" + PortRange.text(ports) }
        return "\(`protocol`.rawValue) \(direction.rawValue) \(place)"
    }
}
