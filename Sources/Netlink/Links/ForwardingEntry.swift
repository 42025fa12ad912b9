public import Addresses
import CNetlink
import Glibc
public import Kernel

/// Where a bridge, or a vxlan, sends frames for an address (bridge(8), `bridge fdb`).
public struct ForwardingEntry: Sendable, Equatable {
    /// How it came to be there.
    public enum Origin: Sendable, Equatable {
        /// It was set, and stays.
        case fixed
        /// An interface's own address.
        case own
        /// From a frame that came in.
        case learned
    }

    public var mac: MACAddress
    /// The index of the bridge's port, or of the vxlan.
    public var link: Int32
    public var origin = Origin.fixed
    /// 0 for none.
    public var vlan: UInt16 = 0
    /// Of a vxlan: the other host.
    public var destination: IPAddress?
    /// The index of the bridge whose table it is in; nil for a vxlan's.
    public var bridge: Int32?

    /// In the table of the bridge that `port` is a port of.
    public init(_ mac: MACAddress, port: Int32, vlan: UInt16 = 0) {
        self.mac = mac
        link = port
        self.vlan = vlan
    }

    /// In a vxlan's table: frames go to the other host. Those for ``MACAddress/zero`` are for unknown and many
    /// receivers, and there can be several.
    public init(_ mac: MACAddress, vxlan: Int32, destination: IPAddress) {
        self.mac = mac
        link = vxlan
        self.destination = destination
    }

    init?(_ reply: NetlinkReply) {
        guard reply.type == RTM_NEWNEIGH, let header = reply.header(ndmsg.self),
            Int32(header.ndm_family) == AF_BRIDGE
        else { return nil }
        let attributes = reply.attributes(after: ndmsg.self)
        guard let mac = attributes[NDA_LLADDR].flatMap({ MACAddress(bytes: $0.bytes) }) else { return nil }
        self.mac = mac
        link = header.ndm_ifindex
        vlan = attributes.number(NDA_VLAN, as: UInt16.self) ?? 0
        destination = attributes[NDA_DST].flatMap { IPAddress(bytes: $0.bytes) }
        bridge = attributes.number(NDA_MASTER, as: Int32.self)
        let state = Int32(header.ndm_state)
        if state & NUD_NOARP != 0 || destination != nil && state & NUD_PERMANENT != 0 {
            origin = .fixed
        } else {
            origin = state & NUD_PERMANENT != 0 ? .own : .learned
        }
    }
}

/// NTF_STICKY: otherwise a frame that comes in at another port takes the address there.
private let sticky: UInt8 = 0x40

extension NetlinkMessage {
    /// Sets where frames for an address go, in the place of what was known; to one more host of a vxlan's for zero.
    public static func replace(_ entry: ForwardingEntry) -> NetlinkMessage {
        let several = entry.destination != nil && entry.mac == .zero
        return message(
            entry, "set the forwarding entry", RTM_NEWNEIGH,
            flags: NLM_F_CREATE | (several ? NLM_F_APPEND : NLM_F_REPLACE))
    }

    /// Deletes an entry; ENOENT when there is none.
    public static func delete(_ entry: ForwardingEntry) -> NetlinkMessage {
        message(entry, "delete the forwarding entry", RTM_DELNEIGH)
    }

    private static func message(
        _ entry: ForwardingEntry, _ verb: String, _ type: Int, flags: Int32 = 0
    ) -> NetlinkMessage {
        let message = NetlinkMessage("\(verb) \(entry.mac)", type, flags: flags, capacity: 256)
        var header = ndmsg()
        header.ndm_family = UInt8(AF_BRIDGE)
        header.ndm_ifindex = entry.link
        // Of a bridge's table what is permanent is the port's own address; what stays and is elsewhere needs no ARP.
        header.ndm_state = UInt16(entry.destination == nil && entry.origin == .fixed ? NUD_NOARP : NUD_PERMANENT)
        header.ndm_flags = UInt8(entry.destination == nil ? NTF_MASTER : NTF_SELF)
        if entry.destination == nil, entry.origin == .fixed { header.ndm_flags |= sticky }
        message.header(header)
        message.put(NDA_LLADDR, bytes: entry.mac.bytes)
        if entry.vlan != 0 { message.put(NDA_VLAN, entry.vlan) }
        if let destination = entry.destination { message.put(NDA_DST, bytes: destination.bytes) }
        return message
    }
}

extension NetlinkSocket {
    /// The entries of all tables, or of one bridge's, in the kernel's order.
    public func forwardingEntries(of bridge: Int32? = nil) throws(SystemError) -> [ForwardingEntry] {
        let message = NetlinkMessage("list the forwarding entries", RTM_GETNEIGH)
        message.header(.index(0), family: AF_BRIDGE)
        message.put(IFLA_MASTER, ifGiven: bridge)
        var entries: [ForwardingEntry] = []
        try dump(message, reset: { entries = [] }) {
            guard let entry = ForwardingEntry($0), bridge == nil || entry.bridge == bridge else { return }
            entries.append(entry)
        }
        return entries
    }
}
