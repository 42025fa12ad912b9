import CNetlink
import Glibc
public import Kernel

/// A connection as the kernel tracks it (ctnetlink, `nf_conntrack` over netlink(7)).
public struct TrackedConnection: Sendable, Hashable {
    /// IPS_SRC_NAT or IPS_DST_NAT: an address or a port of it is another on one side.
    public var isTranslated: Bool
    /// Of TCP, and not over.
    public var isOpenTCP: Bool

    init(_ attributes: NetlinkAttributes) {
        let status = attributes.number(Int(CTA_STATUS.rawValue), as: UInt32.self).map { UInt32(bigEndian: $0) } ?? 0
        isTranslated = status & UInt32(IPS_SRC_NAT.rawValue | IPS_DST_NAT.rawValue) != 0
        let tcp = attributes[Int(CTA_PROTOINFO.rawValue)]?.nested[Int(CTA_PROTOINFO_TCP.rawValue)]?.nested
        let state = tcp?.number(Int(CTA_PROTOINFO_TCP_STATE.rawValue), as: UInt8.self)
        // TCP_CONNTRACK_SYN_SENT to TCP_CONNTRACK_LAST_ACK; TIME_WAIT and CLOSE are behind.
        isOpenTCP = state.map { (1...6).contains($0) } ?? false
    }
}

extension NetfilterSocket {
    /// All connections that the network namespace tracks.
    public func trackedConnections() throws(SystemError) -> [TrackedConnection] {
        let number = Int(NFNL_SUBSYS_CTNETLINK) << 8 | Int(IPCTNL_MSG_CT_GET.rawValue)
        let message = NetlinkMessage("list the tracked connections", number, capacity: 64)
        // Of all families.
        message.header(nfgenmsg())
        var connections: [TrackedConnection] = []
        try dump(message) { connections.append(TrackedConnection($0.attributes(after: nfgenmsg.self))) }
        return connections
    }
}
