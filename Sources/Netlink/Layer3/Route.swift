public import Addresses
import CNetlink
import Glibc
public import Kernel

/// A way to a network (rtnetlink(7), RTM_NEWROUTE).
public struct Route: Sendable, Equatable {
    /// `0.0.0.0/0` or `::/0` for all that has no other.
    public var destination: IPPrefix
    /// The router; nil when the network is on the link itself.
    public var gateway: IPAddress?
    /// The index of the interface that it leaves by; nil for the one that reaches the router.
    public var link: Int32?
    /// The less, the rather. nil for the kernel's: 0 with IPv4, 1024 with IPv6.
    public var metric: UInt32?
    /// The address that packets have as their source when their sender does not say.
    public var source: IPAddress?
    /// The router is reached on the link although no address says so.
    public var isOnLink = false
    /// Bytes of a TCP segment that are told to the other side.
    public var advertisedSegment: UInt32?
    /// Bytes.
    public var mtu: UInt32?
    /// 254 is the main one.
    public var table: UInt32 = 254
    /// It leads to the host itself, for what arrives by ``link`` (RTN_LOCAL).
    public var isLocal = false
    /// What made it: `RTPROT_STATIC`, 4, when made here; `RTPROT_KERNEL`, 2, for an address's network.
    public var origin: UInt8 = 4

    public init(
        to destination: IPPrefix, via gateway: IPAddress? = nil, link: Int32? = nil, metric: UInt32? = nil,
        source: IPAddress? = nil, isOnLink: Bool = false, advertisedSegment: UInt32? = nil
    ) {
        self.destination = destination
        self.gateway = gateway
        self.link = link
        self.metric = metric
        self.source = source
        self.isOnLink = isOnLink
        self.advertisedSegment = advertisedSegment
    }

    /// To all that has no other route.
    public static func byDefault(
        via gateway: IPAddress, link: Int32? = nil, metric: UInt32? = nil, isOnLink: Bool = false
    ) -> Route {
        Route(to: .all(gateway.family), via: gateway, link: link, metric: metric, isOnLink: isOnLink)
    }

    init?(_ reply: NetlinkReply) {
        guard reply.type == RTM_NEWROUTE, let header = reply.header(rtmsg.self),
            header.rtm_type == UInt8(RTN_UNICAST), header.rtm_flags & UInt32(RTM_F_CLONED) == 0
        else { return nil }
        let attributes = reply.attributes(after: rtmsg.self)
        func address(_ type: rtattr_type_t) -> IPAddress? {
            attributes[Int(type.rawValue)].flatMap { IPAddress(bytes: $0.bytes) }
        }
        func number(_ type: rtattr_type_t) -> UInt32? { attributes.number(Int(type.rawValue), as: UInt32.self) }
        let family: IPFamily
        switch Int32(header.rtm_family) {
        case AF_INET: family = .v4
        case AF_INET6: family = .v6
        default: return nil
        }
        guard let prefix = IPPrefix(address(RTA_DST) ?? .unspecified(family), length: Int(header.rtm_dst_len))
        else { return nil }
        destination = prefix
        gateway = address(RTA_GATEWAY)
        link = number(RTA_OIF).map { Int32(bitPattern: $0) }
        metric = number(RTA_PRIORITY)
        source = address(RTA_PREFSRC)
        isOnLink = header.rtm_flags & UInt32(RTNH_F_ONLINK) != 0
        table = number(RTA_TABLE) ?? UInt32(header.rtm_table)
        origin = header.rtm_protocol
        let metrics = attributes[Int(RTA_METRICS.rawValue)]?.nested
        advertisedSegment = metrics?.number(RTAX_ADVMSS, as: UInt32.self)
        mtu = metrics?.number(RTAX_MTU, as: UInt32.self)
    }
}

extension NetlinkMessage {
    /// Adds a route; EEXIST when there is one to the same network with the same metric.
    public static func add(_ route: Route) -> NetlinkMessage {
        message(route, "add the route to", RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Adds a route in the place of one to the same network with the same metric.
    public static func replace(_ route: Route) -> NetlinkMessage {
        message(route, "replace the route to", RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE)
    }

    /// Deletes a route; ESRCH when there is none such.
    public static func delete(_ route: Route) -> NetlinkMessage {
        message(route, "delete the route to", RTM_DELROUTE)
    }

    private static func message(_ route: Route, _ verb: String, _ type: Int, flags: Int32 = 0) -> NetlinkMessage {
        let message = NetlinkMessage("\(verb) \(route.destination)", type, flags: flags, capacity: 512)
        var header = rtmsg()
        header.rtm_family = route.destination.family.number
        header.rtm_dst_len = UInt8(route.destination.length)
        header.rtm_table = UInt8(route.table < 256 ? route.table : 0)
        header.rtm_protocol = route.origin
        header.rtm_type = UInt8(route.isLocal ? RTN_LOCAL : RTN_UNICAST)
        header.rtm_scope = UInt8(route.scope.rawValue)
        header.rtm_flags = route.isOnLink ? UInt32(RTNH_F_ONLINK) : 0
        if type == RTM_DELROUTE { header.rtm_scope = UInt8(RT_SCOPE_NOWHERE.rawValue) }
        message.header(header)
        func put<T: BitwiseCopyable>(_ type: rtattr_type_t, _ value: T?) {
            message.put(Int(type.rawValue), ifGiven: value)
        }
        func put(_ type: rtattr_type_t, _ address: IPAddress?) {
            if let address { message.put(Int(type.rawValue), bytes: address.bytes) }
        }
        if route.destination.length > 0 { put(RTA_DST, route.destination.first) }
        put(RTA_GATEWAY, route.gateway)
        put(RTA_PREFSRC, route.source)
        put(RTA_OIF, route.link)
        put(RTA_PRIORITY, route.metric)
        put(RTA_TABLE, route.table)
        if route.advertisedSegment == nil && route.mtu == nil { return message }
        message.nest(Int(RTA_METRICS.rawValue)) {
            message.put(RTAX_ADVMSS, ifGiven: route.advertisedSegment)
            message.put(RTAX_MTU, ifGiven: route.mtu)
        }
        return message
    }
}

extension Route {
    fileprivate var scope: rt_scope_t {
        if destination.family == .v6 { return RT_SCOPE_UNIVERSE }
        return isLocal ? RT_SCOPE_HOST : gateway == nil ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
    }
}

extension NetlinkSocket {
    /// The routes of a table that lead somewhere, IPv4's before IPv6's.
    public func routes(table: UInt32 = 254) throws(SystemError) -> [Route] {
        var all: [Route] = []
        for family in [IPFamily.v4, .v6] {
            let message = NetlinkMessage("list the routes", RTM_GETROUTE)
            var header = rtmsg()
            header.rtm_family = family.number
            message.header(header)
            var routes: [Route] = []
            try dump(message, reset: { routes = [] }) {
                if let route = Route($0), route.table == table { routes.append(route) }
            }
            all += routes
        }
        return all
    }
}
