import Addresses
import Netlink
import Profile

/// That an interface on a device of the host's sends from its own hardware address and addresses alone.
///
/// Neighbours on one device hand each other frames behind the device's back, and nobody sees those but the interfaces
/// themselves. So the rules are at the one in the box, as ``SharedRules`` are, and hold for who cannot administer the
/// box's network. Packet sockets that go past queues pass there, and past filters of tc(8) they would not; frames of
/// AF_XDP pass nowhere, for which the box gets no such sockets (``SeccompFilter/noHiddenFramesRules``).
struct SharedGuard {
    private let interface: String

    /// - Returns: `nil` where it may send from others' addresses, or nobody can keep it from that.
    init?(_ plan: PortPlan, inside box: BoxReference) throws(SwitchError) {
        guard plan.isGuarded else { return nil }
        if box.mayAdminister {
            guard plan.mustBeGuarded else { return nil }
            throw SwitchError(
                key: "spoofing",
                "what keeps this kind of interface to its own addresses lies in the box, which could lift it: it may "
                    + "get CAP_NET_ADMIN",
                mend: "name a process.user other than root, keep no NET_ADMIN, or use a switch of kind bridge")
        }
        interface = plan.name
    }

    /// - Parameter addresses: none: its hardware address alone counts.
    func messages(_ mac: MACAddress, _ addresses: [IPPrefix]) -> [NetlinkMessage] {
        let counter = SharedTable.spoofed(interface)
        return [SharedTable.creation, SharedTable.counter(counter)]
            + SharedTable.chain(
                "\(interface)_guard", .egress(of: interface), priority: -300,
                SharedGuard.rules(mac, addresses.map { $0.address }, counter) + [[.count(counter)]])
    }

    /// The same as in ``Ruleset/ports``, the most frequent first.
    static func rules(_ mac: MACAddress, _ addresses: [IPAddress], _ counter: String) -> [FrameRule] {
        func frame(_ type: [UInt8]) -> NetfilterExpression {
            .bytes(.frame, at: NetfilterExpression.source, .equal, mac.bytes + type)
        }
        if addresses.isEmpty { return [[frame([]), .accept]] }
        let (own4, own6) = (addresses.filter { $0.family == .v4 }, addresses.filter { $0.family == .v6 })
        let packet = NetfilterExpression.packet
        // Sender's addresses in the header of IPv4, IPv6 and ARP.
        let (source4, source6, sender) = (packet + 12, packet + 8, packet + 8)
        let type4 = NetfilterExpression.etherType(.v4)
        var rules: [FrameRule] = own4.map { [frame(type4), .bytes(.frame, at: source4, .equal, $0.bytes), .accept] }

        let type6 = NetfilterExpression.etherType(.v6)
        // Whose transport the kernel could not find is no packet.
        let packets6: FrameRule = [frame(type6), .known(.protocol, .equal, type6), .known(.transport, .atLeast, [0])]
        let messages = packets6 + [NetfilterExpression.transport(ControlMessage.icmp6)]
        let ofOthers = own6.map { NetfilterExpression.bytes(.transport, at: 8, .unequal, $0.bytes) }
        rules.append(messages + [.message(ControlMessage.neighbourAdvert)] + ofOthers + [.count(counter), .drop])
        for kind in [ControlMessage.routerAdvert, ControlMessage.redirect] {
            rules.append(messages + [.message(kind), .count(counter), .drop])
        }
        rules += own6.map { packets6 + [.bytes(.frame, at: source6, .equal, $0.bytes), .accept] }
        let nobody6 = NetfilterExpression.bytes(.frame, at: source6, .equal, IPAddress.unspecified(.v6).bytes)
        for kind in [ControlMessage.neighbourSolicit, ControlMessage.listenerReport] {
            rules.append(messages + [nobody6, .message(kind), .accept])
        }

        // Ethernet and IPv4, of six bytes and four.
        let arp: FrameRule = [
            frame(NetfilterExpression.arpType), .bytes(.frame, at: packet, .equal, [0, 1, 8, 0, 6, 4]),
        ]
        for address in own4 + [.unspecified(.v4)] {
            rules.append(arp + [.bytes(.frame, at: sender, .equal, mac.bytes + address.bytes), .accept])
        }
        return rules
    }
}
