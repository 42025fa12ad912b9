import Addresses
import Netlink
import Profile

/// Rules about frames at an interface that has no switch behind it (netdev family). What a frame is its own bytes tell:
/// who sends it through a packet socket (packet(7)) may tell the kernel otherwise.
typealias FrameRule = [NetfilterExpression]

extension NetfilterExpression {
    /// Of Ethernet: where the source is, the type, and the packet.
    static let (source, type, packet) = (6, 12, 14)

    static func etherType(_ family: IPFamily) -> [UInt8] { family == .v4 ? [0x08, 0x00] : [0x86, 0xDD] }
    static let arpType: [UInt8] = [0x08, 0x06]

    /// Packets of a family: by their frames, and so that the kernel has looked for the transport in them, too.
    static func packets(_ family: IPFamily) -> FrameRule {
        [
            .bytes(.frame, at: type, .equal, etherType(family)), .known(.protocol, .equal, etherType(family)),
        ]
    }

    /// Behind all headers; a packet that has no such thing is none.
    static func transport(_ number: UInt8) -> NetfilterExpression { .known(.transport, .equal, [number]) }

    static func message(_ kind: UInt8) -> NetfilterExpression { .bytes(.transport, at: 0, .equal, [kind]) }
}

/// Types of ICMP and ICMPv6 (RFC 792, 4443, 4861, 3810).
enum ControlMessage {
    static let (unreachable, timeExceeded): (UInt8, UInt8) = (3, 11)
    static let (unreachable6, tooBig6, timeExceeded6): (UInt8, UInt8, UInt8) = (1, 2, 3)
    static let (routerSolicit, routerAdvert): (UInt8, UInt8) = (133, 134)
    static let (neighbourSolicit, neighbourAdvert, redirect): (UInt8, UInt8, UInt8) = (135, 136, 137)
    static let listenerReport: UInt8 = 143
    static let (icmp, icmp6): (UInt8, UInt8) = (1, 58)
}

/// Where the rules of such interfaces are: one table in the box's network namespace, with chains and counters of each.
enum SharedTable {
    static let name = "sandbox"

    static func spoofed(_ interface: String) -> String { "\(interface)_spoofed" }
    static func refused(_ interface: String) -> String { "\(interface)_refused" }

    static var creation: NetlinkMessage { .add(table: name, .netdev) }
    static func counter(_ name: String) -> NetlinkMessage { .add(counter: name, table: SharedTable.name, .netdev) }

    /// A chain that lets pass only what a rule of it accepts.
    static func chain(
        _ name: String, _ hook: NetfilterHook, priority: Int32, _ rules: [FrameRule]
    ) -> [NetlinkMessage] {
        [.add(droppingChain: name, table: SharedTable.name, .netdev, hook: hook, priority: priority)]
            + rules.map { .add(rule: $0, chain: name, table: SharedTable.name, .netdev) }
    }
}
