public import Addresses
import CNetlink
import Glibc
public import Kernel

/// An address of a network interface (rtnetlink(7), RTM_NEWADDR).
public struct InterfaceAddress: Sendable, Equatable {
    /// The interface's index.
    public var link: Int32
    public var prefix: IPPrefix
    /// `IFA_F_NODAD` and its like.
    public var flags: AddressFlags
    /// Seconds after which the kernel takes it away; nil for never.
    public var lifetime: UInt32?
    /// Seconds for which connections are begun from it; nil for as long as it is there.
    public var preferred: UInt32?

    public init(_ prefix: IPPrefix, link: Int32, flags: AddressFlags = []) {
        self.prefix = prefix
        self.link = link
        self.flags = flags
    }

    init?(_ reply: NetlinkReply) {
        guard reply.type == RTM_NEWADDR, let header = reply.header(ifaddrmsg.self) else { return nil }
        let attributes = reply.attributes(after: ifaddrmsg.self)
        // Of a point-to-point link IFA_ADDRESS is the other end.
        guard let bytes = (attributes[IFA_LOCAL] ?? attributes[IFA_ADDRESS])?.bytes,
            let address = IPAddress(bytes: bytes), let prefix = IPPrefix(address, length: Int(header.ifa_prefixlen))
        else { return nil }
        self.prefix = prefix
        link = Int32(bitPattern: header.ifa_index)
        flags = AddressFlags(
            rawValue: attributes.number(IFA_FLAGS, as: UInt32.self) ?? UInt32(header.ifa_flags))
    }
}

public struct AddressFlags: OptionSet, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IPv6: usable at once, without asking whether somebody else has it.
    public static let withoutDuplicateDetection = AddressFlags(rawValue: UInt32(IFA_F_NODAD))
    /// IPv6: usable while that is being asked.
    public static let optimistic = AddressFlags(rawValue: UInt32(IFA_F_OPTIMISTIC))
    /// IPv6: it is still being asked whether somebody else has it.
    public static let tentative = AddressFlags(rawValue: UInt32(IFA_F_TENTATIVE))
    /// IPv6: somebody else has it.
    public static let duplicate = AddressFlags(rawValue: UInt32(IFA_F_DADFAILED))
    public static let permanent = AddressFlags(rawValue: UInt32(IFA_F_PERMANENT))
    /// Without a route to its network.
    public static let withoutRoute = AddressFlags(rawValue: UInt32(IFA_F_NOPREFIXROUTE))
}

extension NetlinkMessage {
    /// Gives an interface an address; EEXIST when it has it.
    public static func add(_ address: InterfaceAddress) -> NetlinkMessage {
        message(address, "add the address", RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL)
    }

    /// The same, where one that it has gets the new flags and lifetime.
    public static func replace(_ address: InterfaceAddress) -> NetlinkMessage {
        message(address, "renew the address", RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_REPLACE)
    }

    /// Takes an address from an interface; EADDRNOTAVAIL when it has not got it.
    public static func delete(_ address: InterfaceAddress) -> NetlinkMessage {
        message(address, "delete the address", RTM_DELADDR)
    }

    private static func message(
        _ address: InterfaceAddress, _ verb: String, _ type: Int, flags: Int32 = 0
    ) -> NetlinkMessage {
        let message = NetlinkMessage("\(verb) \(address.prefix)", type, flags: flags, capacity: 256)
        var header = ifaddrmsg()
        header.ifa_family = address.prefix.family.number
        header.ifa_prefixlen = UInt8(address.prefix.length)
        header.ifa_index = UInt32(bitPattern: address.link)
        let host = address.prefix.address
        if host.isLoopback { header.ifa_scope = UInt8(RT_SCOPE_HOST.rawValue) }
        message.header(header)
        message.put(IFA_LOCAL, bytes: host.bytes)
        message.put(IFA_ADDRESS, bytes: host.bytes)
        if address.prefix.family == .v4, address.prefix.length < 31 {
            message.put(IFA_BROADCAST, bytes: address.prefix.last.bytes)
        }
        if let lifetime = address.lifetime {
            let preferred = min(address.preferred ?? lifetime, lifetime)
            message.put(
                IFA_CACHEINFO, ifa_cacheinfo(ifa_prefered: preferred, ifa_valid: lifetime, cstamp: 0, tstamp: 0))
        }
        if !address.flags.isEmpty { message.put(IFA_FLAGS, address.flags.rawValue) }
        return message
    }
}

extension NetlinkSocket {
    /// The addresses of all interfaces, or of one, in the kernel's order.
    public func addresses(of link: Int32? = nil) throws(SystemError) -> [InterfaceAddress] {
        let message = NetlinkMessage("list the addresses", RTM_GETADDR)
        message.header(ifaddrmsg())
        var addresses: [InterfaceAddress] = []
        try dump(message, reset: { addresses = [] }) {
            if let address = InterfaceAddress($0), link == nil || address.link == link { addresses.append(address) }
        }
        return addresses
    }
}
