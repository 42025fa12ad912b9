import Addresses
import Kernel
import Profile

/// What passes an interface on a device of the host's: nftables(8) at the interface itself (netdev family), since no
/// switch of ours is behind it. Who cannot administer the box's network cannot lift it.
struct SharedRules {
    private let rules: [TrafficRule]

    /// - Returns: `nil` where all may pass.
    init?(_ plan: PortPlan, inside box: BoxReference) throws(SwitchError) {
        guard let rules = plan.rules else { return nil }
        if box.mayAdminister {
            throw SwitchError(
                key: "allow",
                "rules of this kind of interface lie in the box, which could lift them: it may get CAP_NET_ADMIN",
                mend: "set security.capabilities.keep without NET_ADMIN, or use a switch of kind bridge")
        }
        for case .name(let name) in rules.map({ $0.peer }) {
            throw SwitchError(
                key: "allow", "a rule by name (\"\(name)\") needs a switch of kind bridge with a name server",
                mend: "write addresses, or use such a switch")
        }
        self.rules = rules
    }

    /// To be called before the interface is up.
    func hold(_ interface: String, in namespace: Int32) throws(SwitchError) {
        try Program("nft", package: "nftables").run(["-f", "-"], input: text(interface), in: namespace)
    }

    /// As ``Ruleset/ports`` has it for ports of a bridge: without connection tracking, so an answer is what comes from
    /// where the box may begin, and begins no connection.
    func text(_ interface: String) -> String {
        let begun = rules.filter { $0.direction == .to }
        let answered = rules.filter { $0.direction == .from }
        let begins = "tcp flags & (syn | ack) == syn counter drop"
        let sent =
            ["icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld2-listener-report } accept"]
            + begun.map { matches($0, (.destination, .destination)) } + [begins]
            + answered.map { matches($0, (.destination, .source)) }
        let received =
            [
                "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept",
                "icmp type { destination-unreachable, time-exceeded } accept",
                "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded } accept",
            ]
            + answered.map { matches($0, (.source, .destination)) } + [begins]
            + begun.map { matches($0, (.source, .source)) }
        return "table netdev sandbox {\n" + chain("sent", "egress", interface, sent)
            + chain("received", "ingress", interface, received) + "}\n"
    }

    private func chain(_ name: String, _ hook: String, _ interface: String, _ rules: [String]) -> String {
        let head = "type filter hook \(hook) device \"\(interface)\" priority 0; policy drop;"
        return "chain \(name) {\n"
            + ([head, "ether type arp accept"] + rules + ["counter drop", ""])
            .joined(separator: "\n") + "}\n"
    }

    private enum Side: String { case source = "s", destination = "d" }

    /// - Parameter sides: of the packet, where the rule's address is and where its ports are.
    private func matches(_ rule: TrafficRule, _ sides: (address: Side, ports: Side)) -> String {
        var words = ""
        switch rule.peer {
        case .network(let network):
            words = "\(network.family == .v4 ? "ip" : "ip6") \(sides.address.rawValue)addr \(network.network) "
        case .any, .name: break
        }
        switch rule.protocol {
        case .any: break
        case .icmp: words += "meta l4proto { icmp, ipv6-icmp } "
        case .tcp, .udp:
            let kind = rule.protocol.rawValue
            if let ports = rule.ports {
                words += "\(kind) \(sides.ports.rawValue)port \(ports.lowerBound)-\(ports.upperBound) "
            } else {
                words += "meta l4proto \(kind) "
            }
        }
        return words + "accept"
    }
}
