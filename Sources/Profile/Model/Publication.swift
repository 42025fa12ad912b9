public import Addresses

/// A transport protocol with ports.
public enum Transport: String, Sendable, CaseIterable { case tcp, udp }

/// Ports of the host that lead to ports of the box: `[ADDRESS:]PORT[-PORT]:PORT[-PORT][/tcp|/udp]`.
public struct Publication: Sendable, Hashable, CustomStringConvertible {
    /// The host's address; `nil`: any of its addresses.
    public var address: IPAddress?
    public var ports: ClosedRange<UInt16>
    /// The box's first; as many as ``ports``.
    public var target: UInt16
    public var transport: Transport

    public init(address: IPAddress?, ports: ClosedRange<UInt16>, target: UInt16, transport: Transport) {
        self.address = address
        self.ports = ports
        self.target = target
        self.transport = transport
    }

    /// `nil` for what cannot be read: see ``init(reading:)``.
    public init?(_ text: String) {
        guard let read = try? Publication(reading: text) else { return nil }
        self = read
    }

    /// - Throws: what is wrong with it.
    init(reading text: String) throws(NotRead) {
        var rest = Substring(text)
        transport = .tcp
        if let slash = rest.lastIndex(of: "/") {
            guard let transport = Transport(rawValue: String(rest[rest.index(after: slash)...])) else {
                throw NotRead("ends in no transport", "write \"/tcp\" or \"/udp\", or leave it out")
            }
            self.transport = transport
            rest = rest[..<slash]
        }
        address = try Publication.takeAddress(&rest)
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let ports = PortRange.read(first) else {
            throw NotRead("names no port", "write it like \"8080:80/tcp\", each port from 1 to 65535")
        }
        guard let inner = PortRange.read(parts.count == 2 ? parts[1] : first), inner.count == ports.count else {
            throw NotRead(
                "does not lead to as many ports of the box", "write it like \"8080:80\" or \"9000-9009:8000-8009\"")
        }
        self.ports = ports
        target = inner.lowerBound
    }

    /// An address in front: IPv6 in brackets.
    private static func takeAddress(_ rest: inout Substring) throws(NotRead) -> IPAddress? {
        let mend = "write IPv4 as it is and IPv6 in brackets, like \"[::1]:8080:80\""
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]"), rest[end...].hasPrefix("]:"),
                let address = IPAddress(String(rest[rest.index(after: rest.startIndex)..<end])), address.family == .v6
            else { throw NotRead("begins with no address", mend) }
            rest = rest[rest.index(end, offsetBy: 2)...]
            return address
        }
        guard rest.split(separator: ":", omittingEmptySubsequences: false).count > 2,
            let colon = rest.firstIndex(of: ":")
        else { return nil }
        guard let address = IPAddress(String(rest[..<colon])), address.family == .v4 else {
            throw NotRead("begins with no address", mend)
        }
        rest = rest[rest.index(after: colon)...]
        return address
    }

    public var description: String {
        var text = ""
        switch address {
        case .v4?: text = "\(address?.description ?? ""):"
        case .v6?: text = "[\(address?.description ?? "")]:"
        case nil: break
        }
        let inner = target...(target + UInt16(ports.count - 1))
        return text + PortRange.text(ports) + ":" + PortRange.text(inner) + "/" + transport.rawValue
    }
}

/// A text that is no value of its kind.
struct NotRead: Error {
    /// Follows the text in a message.
    var problem: String
    var mend: String

    init(_ problem: String, _ mend: String) { (self.problem, self.mend) = (problem, mend) }
}

/// `80` or `8000-8009`.
enum PortRange {
    static func read(_ text: Substring) -> ClosedRange<UInt16>? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = number(parts[0]), let last = number(parts[parts.count - 1]), first <= last
        else { return nil }
        return first...last
    }

    static func text(_ range: ClosedRange<UInt16>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }

    private static func number(_ text: Substring) -> UInt16? {
        guard let number = Quantity.plain(text), (1...65535).contains(number) else { return nil }
        return UInt16(number)
    }
}
