public import Addresses
import CNetlink
import Glibc
public import Kernel

/// Who has an address on an interface's network (rtnetlink(7), RTM_NEWNEIGH).
public struct Neighbour: Sendable, Equatable {
    public var address: IPAddress
    /// nil while it is being asked for.
    public var mac: MACAddress?
    /// The interface's index.
    public var link: Int32
    /// It was set and stays (NUD_PERMANENT), not learned.
    public var isPermanent: Bool

    /// One that stays.
    public init(_ address: IPAddress, _ mac: MACAddress, link: Int32) {
        (self.address, self.mac, self.link, isPermanent) = (address, mac, link, true)
    }

    init?(_ reply: NetlinkReply) {
        guard reply.type == RTM_NEWNEIGH, let header = reply.header(ndmsg.self) else { return nil }
        let attributes = reply.attributes(after: ndmsg.self)
        guard let address = attributes[NDA_DST].flatMap({ IPAddress(bytes: $0.bytes) }) else { return nil }
        self.address = address
        mac = attributes[NDA_LLADDR].flatMap { MACAddress(bytes: $0.bytes) }
        link = header.ndm_ifindex
        isPermanent = Int32(header.ndm_state) & NUD_PERMANENT != 0
    }
}

extension NetlinkMessage {
    /// Sets who has an address, for ever, in the place of what was known.
    public static func replace(_ neighbour: Neighbour) -> NetlinkMessage {
        message(neighbour, "set the neighbour", RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE)
    }

    /// Forgets who has an address; ENOENT when nobody is known.
    public static func delete(_ neighbour: Neighbour) -> NetlinkMessage {
        message(neighbour, "delete the neighbour", RTM_DELNEIGH)
    }

    private static func message(
        _ neighbour: Neighbour, _ verb: String, _ type: Int, flags: Int32 = 0
    ) -> NetlinkMessage {
        let message = NetlinkMessage("\(verb) \(neighbour.address)", type, flags: flags, capacity: 256)
        var header = ndmsg()
        header.ndm_family = neighbour.address.family.number
        header.ndm_ifindex = neighbour.link
        header.ndm_state = UInt16(NUD_PERMANENT)
        message.header(header)
        message.put(NDA_DST, bytes: neighbour.address.bytes)
        if let mac = neighbour.mac { message.put(NDA_LLADDR, bytes: mac.bytes) }
        return message
    }
}

extension NetlinkSocket {
    /// The neighbours on all interfaces, or on one, in the kernel's order.
    public func neighbours(of link: Int32? = nil) throws(SystemError) -> [Neighbour] {
        let message = NetlinkMessage("list the neighbours", RTM_GETNEIGH)
        message.header(ndmsg())
        var neighbours: [Neighbour] = []
        try dump(message, reset: { neighbours = [] }) {
            guard let neighbour = Neighbour($0), link == nil || neighbour.link == link else { return }
            neighbours.append(neighbour)
        }
        return neighbours
    }
}
