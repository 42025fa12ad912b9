import Addresses
import Netlink
import Profile

/// What the rules of ``Ruleset`` look up about a port.
struct PortElements {
    /// The index of the port's end in the switch.
    let index: Int32

    static func guardSet(_ name: String) -> NetfilterSet { NetfilterSet(.bridge, Ruleset.guardTable, name) }
    static func ruleSet(_ name: String) -> NetfilterSet { NetfilterSet(.bridge, Ruleset.rulesTable, name) }
    private var key: NetfilterKey { NetfilterKey().adding(native: UInt32(bitPattern: index)) }
    /// In sets of ranges nft(8) has all numbers as packets have them, so that their order is that of their bytes.
    private var rangeKey: NetfilterKey { NetfilterKey().adding(ordered: UInt32(bitPattern: index)) }

    /// That it sends from its own addresses alone.
    func guarding(_ mac: MACAddress, _ addresses: [IPPrefix]) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        messages.append(.add(NetfilterElement(key), to: PortElements.guardSet("guarded")))
        for prefix in addresses {
            let address = prefix.address
            let source = NetfilterElement(key.adding(mac.bytes).adding(address.bytes))
            messages.append(.add(source, to: PortElements.guardSet(address.family == .v4 ? "source4" : "source6")))
            guard address.family == .v6 else { continue }
            messages.append(.add(NetfilterElement(key.adding(address.bytes)), to: PortElements.guardSet("target6")))
        }
        return messages
    }

    /// That it does not reach others of its sort on other bridges: see ``BridgeStar``.
    func keepingApart() -> [NetlinkMessage] { [PortElements.keepingApart([index])] }

    /// That these join bridges.
    static func joining(_ ends: [Int32]) -> NetlinkMessage {
        .add(ends.map { NetfilterElement(PortElements(index: $0).key) }, to: guardSet("joints"))
    }

    static func keepingApart(_ ports: [Int32]) -> NetlinkMessage {
        .add(ports.map { NetfilterElement(PortElements(index: $0).key) }, to: guardSet("apart"))
    }

    /// What passes it, all else being dropped. Names are left out: see ``NameRules``.
    func filtering(_ rules: [TrafficRule]) -> [NetlinkMessage] {
        var messages = [
            NetlinkMessage.wake(table: Ruleset.rulesTable, .bridge),
            .add([NetfilterElement(key)], to: PortElements.ruleSet("filtered")),
        ]
        for direction in TrafficRule.Direction.allCases {
            for family in [IPFamily.v4, .v6] {
                let regions = rules.filter { $0.direction == direction }.compactMap { TrafficRegion($0, family) }
                let elements = TrafficRegion.disjoint(regions).compactMap { element($0, family) }
                if elements.isEmpty { continue }
                let name = (direction == .to ? "out" : "in") + (family == .v4 ? "4" : "6")
                messages.append(.add(elements, to: PortElements.ruleSet(name)))
            }
        }
        return messages
    }

    private func element(_ region: TrafficRegion, _ family: IPFamily) -> NetfilterElement? {
        let (protocols, addresses, ports) = (region.protocols, region.addresses, region.ports)
        guard let first = IPAddress(number: addresses.lowerBound, family),
            let last = IPAddress(number: addresses.upperBound, family)
        else { return nil }
        return NetfilterElement(
            rangeKey.adding(byte: UInt8(protocols.lowerBound)).adding(first.bytes)
                .adding(port: UInt16(ports.lowerBound)),
            through: rangeKey.adding(byte: UInt8(protocols.upperBound)).adding(last.bytes)
                .adding(port: UInt16(ports.upperBound)))
    }
}

extension TrafficRule.`Protocol` {
    /// The first and the last number of it (protocols(5)).
    func numbers(_ family: IPFamily) -> (UInt8, UInt8) {
        switch self {
        case .tcp: (6, 6)
        case .udp: (17, 17)
        case .icmp: family == .v4 ? (1, 1) : (58, 58)
        case .any: (0, 255)
        }
    }
}
