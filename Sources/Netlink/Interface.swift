import CLinux
import CNetlink
import Glibc
public import Kernel

/// A network interface as the kernel describes it (rtnetlink(7), RTM_GETLINK and RTM_GETADDR).
public struct Interface: Sendable, Equatable {
    public var index: Int
    public var name: String
    /// `veth`, `macvlan` and their like; `nil` for hardware and the loopback.
    public var kind: String?
    /// The hardware address; `nil` where there is none.
    public var mac: String?
    /// Bytes.
    public var mtu: Int
    /// Whether it is switched on (IFF_UP).
    public var isUp: Bool
    /// `up`, `down`, `lowerlayerdown`, `unknown` and their like (RFC 2863, ifOperStatus).
    public var state: String
    /// With their prefix lengths: `10.1.0.5/24`.
    public var addresses: [String] = []
    public var counters: InterfaceCounters

    /// The interfaces of the network namespace that a process lives in, by their index.
    ///
    /// Without CAP_SYS_ADMIN over it the caller must own its user namespace. The calling thread stays where it is.
    public static func all(of process: borrowing ProcessHandle) throws(SystemError) -> [Interface] {
        let action = "list the network interfaces"
        let descriptor = Descriptor(try check(action) { linux_route_socket(process.descriptor.number) })
        guard let socket = nl_socket_alloc() else { throw SystemError(action, code: ENOMEM) }
        defer { nl_socket_free(socket) }
        try netlink(action, nl_socket_set_fd(socket, NETLINK_ROUTE, descriptor.number))
        // Closed with the socket from here on.
        _ = descriptor.take()
        var interfaces: [Interface] = []
        var links: OpaquePointer?
        try netlink(action, rtnl_link_alloc_cache(socket, AF_UNSPEC, &links))
        defer { nl_cache_free(links) }
        var link = nl_cache_get_first(links)
        while let current = link {
            interfaces.append(Interface(current))
            link = nl_cache_get_next(current)
        }
        try addAddresses(to: &interfaces, socket, action)
        return interfaces.sorted { $0.index < $1.index }
    }

    private init(_ link: OpaquePointer) {
        index = Int(rtnl_link_get_ifindex(link))
        name = rtnl_link_get_name(link).map { String(cString: $0) } ?? ""
        kind = rtnl_link_get_type(link).map { String(cString: $0) }
        mac = text(rtnl_link_get_addr(link))
        mtu = Int(rtnl_link_get_mtu(link))
        isUp = rtnl_link_get_flags(link) & UInt32(IFF_UP) != 0
        var word = [CChar](repeating: 0, count: 32)
        state =
            rtnl_link_operstate2str(rtnl_link_get_operstate(link), &word, word.count).map { String(cString: $0) } ?? ""
        counters = InterfaceCounters(link, name: name)
    }

    private static func addAddresses(
        to interfaces: inout [Interface], _ socket: OpaquePointer, _ action: String
    ) throws(SystemError) {
        var addresses: OpaquePointer?
        try netlink(action, rtnl_addr_alloc_cache(socket, &addresses))
        defer { nl_cache_free(addresses) }
        var address = nl_cache_get_first(addresses)
        while let current = address {
            let index = Int(rtnl_addr_get_ifindex(current))
            if let place = interfaces.firstIndex(where: { $0.index == index }),
                let text = text(rtnl_addr_get_local(current))
            {
                // libnl leaves the length out where it is a whole address's.
                let whole = text.contains("/") ? text : text + "/\(rtnl_addr_get_prefixlen(current))"
                interfaces[place].addresses.append(whole)
            }
            address = nl_cache_get_next(current)
        }
    }
}

extension InterfaceCounters {
    fileprivate init(_ link: OpaquePointer, name: String) {
        self.init(name: name)
        receivedBytes = rtnl_link_get_stat(link, RTNL_LINK_RX_BYTES)
        receivedPackets = rtnl_link_get_stat(link, RTNL_LINK_RX_PACKETS)
        receivedErrors = rtnl_link_get_stat(link, RTNL_LINK_RX_ERRORS)
        receivedDropped = rtnl_link_get_stat(link, RTNL_LINK_RX_DROPPED)
        sentBytes = rtnl_link_get_stat(link, RTNL_LINK_TX_BYTES)
        sentPackets = rtnl_link_get_stat(link, RTNL_LINK_TX_PACKETS)
        sentErrors = rtnl_link_get_stat(link, RTNL_LINK_TX_ERRORS)
        sentDropped = rtnl_link_get_stat(link, RTNL_LINK_TX_DROPPED)
    }
}

/// An address in its usual notation; `nil` for none or an empty one.
private func text(_ address: OpaquePointer?) -> String? {
    guard let address, nl_addr_get_len(address) > 0 else { return nil }
    var buffer = [CChar](repeating: 0, count: 128)
    return nl_addr2str(address, &buffer, buffer.count).map { String(cString: $0) }
}
