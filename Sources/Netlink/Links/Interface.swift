import Addresses
public import Kernel

/// A network interface with its addresses, as it is shown to people.
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
        let socket = try NetlinkSocket(in: process.descriptor.number)
        let addresses = try socket.addresses()
        return try socket.links().map { link in Interface(link, addresses.filter { $0.link == link.index }) }
    }

    private init(_ link: Link, _ addresses: [InterfaceAddress]) {
        index = Int(link.index)
        name = link.name
        kind = link.kind
        mac = link.address?.description
        mtu = link.mtu
        isUp = link.isUp
        state = link.stateName
        self.addresses = addresses.map(\.prefix.description)
        counters = link.counters
    }
}
