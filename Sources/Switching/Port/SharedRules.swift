import Addresses
import Netlink
import Profile

/// What passes an interface on a device of the host's: nftables(8) at the interface itself (netdev family), since no
/// switch of ours is behind it. Who cannot administer the box's network cannot lift it.
struct SharedRules {
    private let rules: [TrafficRule]
    private let interface: String

    /// - Returns: `nil` where all may pass.
    init?(_ plan: PortPlan, inside box: BoxReference) throws(SwitchError) {
        guard let rules = plan.rules else { return nil }
        if box.mayAdminister {
            throw SwitchError(
                key: "allow",
                "rules of this kind of interface lie in the box, which could lift them: it may get CAP_NET_ADMIN",
                mend: "name a process.user other than root, keep no NET_ADMIN, or use a switch of kind bridge")
        }
        for case .name(let name) in rules.map({ $0.peer }) {
            throw SwitchError(
                key: "allow", "a rule by name (\"\(name)\") needs a switch of kind bridge with a name server",
                mend: "write addresses, or use such a switch")
        }
        (self.rules, interface) = (rules, plan.name)
    }

    /// Are to be in force before the interface is up.
    var messages: [NetlinkMessage] {
        let counter = SharedTable.refused(interface)
        return [SharedTable.creation, SharedTable.counter(counter)]
            + SharedTable.chain("\(interface)_sent", .egress(of: interface), priority: 0, sent(counter))
            + SharedTable.chain("\(interface)_received", .ingress(of: interface), priority: 0, received(counter))
    }

    // As ``Ruleset/ports`` has it for ports of a bridge: without connection tracking, so an answer is what comes from
    // where the box may begin, and begins no connection.

    private func sent(_ counter: String) -> [FrameRule] {
        let neighbours = [
            ControlMessage.neighbourSolicit, ControlMessage.neighbourAdvert, ControlMessage.routerSolicit,
            ControlMessage.listenerReport,
        ]
        return [SharedRules.arp] + SharedRules.control(.v6, neighbours)
            + begun.flatMap { matches($0, (.destination, .destination)) }
            + [SharedRules.begins + [.count(counter), .drop]]
            + answered.flatMap { matches($0, (.destination, .source)) } + [[.count(counter)]]
    }

    private func received(_ counter: String) -> [FrameRule] {
        let neighbours = [
            ControlMessage.neighbourSolicit, ControlMessage.neighbourAdvert, ControlMessage.routerAdvert,
        ]
        let errors6 = [ControlMessage.unreachable6, ControlMessage.tooBig6, ControlMessage.timeExceeded6]
        return [SharedRules.arp] + SharedRules.control(.v6, neighbours + errors6)
            + SharedRules.control(.v4, [ControlMessage.unreachable, ControlMessage.timeExceeded])
            + answered.flatMap { matches($0, (.source, .destination)) }
            + [SharedRules.begins + [.count(counter), .drop]]
            + begun.flatMap { matches($0, (.source, .source)) } + [[.count(counter)]]
    }

    private var begun: [TrafficRule] { rules.filter { $0.direction == .to } }
    private var answered: [TrafficRule] { rules.filter { $0.direction == .from } }

    private static let arp: FrameRule = [
        .bytes(.frame, at: NetfilterExpression.type, .equal, NetfilterExpression.arpType), .accept,
    ]

    /// A TCP segment with SYN and without ACK.
    private static let begins: FrameRule = [
        .transport(6), .bits(.transport, at: 13, mask: [0x12], value: [0x02]),
    ]

    private static func control(_ family: IPFamily, _ kinds: [UInt8]) -> [FrameRule] {
        let number = family == .v4 ? ControlMessage.icmp : ControlMessage.icmp6
        return kinds.map { NetfilterExpression.packets(family) + [.transport(number), .message($0), .accept] }
    }

    private enum Side { case source, destination }

    /// - Parameter sides: of the packet, where the rule's address is and where its ports are.
    private func matches(_ rule: TrafficRule, _ sides: (address: Side, ports: Side)) -> [FrameRule] {
        let families: [IPFamily]
        var network: IPPrefix?
        switch rule.peer {
        case .network(let given): (families, network) = ([given.family], given)
        case .any, .name:
            // That is not only what we know of.
            if rule.protocol == .any { return [[.accept]] }
            families = [.v4, .v6]
        }
        return families.map { family in
            var words = NetfilterExpression.packets(family)
            if let network { words += SharedRules.isIn(network, sides.address) }
            let numbers = rule.protocol.numbers(family)
            if rule.protocol != .any { words.append(.transport(numbers.0)) }
            if let ports = rule.ports { words += SharedRules.isAmong(ports, sides.ports) }
            return words + [.accept]
        }
    }

    private static func isIn(_ network: IPPrefix, _ side: Side) -> FrameRule {
        let offset =
            switch (network.family, side) {
            case (.v4, .source): 12
            case (.v4, .destination): 16
            case (.v6, .source): 8
            case (.v6, .destination): 24
            }
        let value = network.first.bytes
        if network.length == network.family.width { return [.bytes(.network, at: offset, .equal, value)] }
        return [.bits(.network, at: offset, mask: network.mask.bytes, value: value)]
    }

    private static func isAmong(_ ports: ClosedRange<UInt16>, _ side: Side) -> FrameRule {
        func bytes(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)] }
        let offset = side == .source ? 0 : 2
        return [
            .bytes(.transport, at: offset, .atLeast, bytes(ports.lowerBound)),
            .bytes(.transport, at: offset, .atMost, bytes(ports.upperBound)),
        ]
    }
}
