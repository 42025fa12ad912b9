public import Addresses

/// What a switch is declared to be.
public struct SwitchSpec: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Ports are veth pairs on a bridge(8) in a network namespace of the switch's own.
        case bridge
        /// Ports share a device of the host (ip-link(8), macvlan).
        case macvlan
    }

    /// How the switch reaches beyond its ports.
    public enum Uplink: Sendable, Equatable {
        case none
        /// Through the host, with the host's address as the source.
        case nat
        /// A device of the host that becomes a port of the bridge.
        case device(String)
    }

    public var name: String
    public var kind = Kind.bridge
    /// Networks, each with the switch's own address in it (a macvlan's: with any).
    public var subnets: [IPPrefix] = []
    public var uplink = Uplink.none
    /// Of a macvlan: the host's device.
    public var parent: String?
    /// Bytes.
    public var mtu = 1500
    public var filtersVLANs = false
    /// Whether ports reach the uplink only, and not each other.
    public var isIsolated = false
    /// Whether multicast goes only where somebody listens. Then the kernel asks all ports anew, one frame each, whenever
    /// one comes or goes.
    public var snoopsMulticast = false
    /// Whether it resolves the names of its sandboxes.
    public var hasDNS = false
    /// Whether it tells who asks by DHCP the addresses of his port; such a switch resolves names, too.
    public var hasDHCP = false
    /// The domain that its names end in; `nil`: the switch's name.
    public var domain: String?
    /// Who is asked for all other names; the host's own name servers where there are none and the uplink leads there.
    public var resolvers: [IPAddress] = []
    public var vxlan: Tunnel?
    /// Whether it goes with its last port: it was made on first use.
    public var isTransient = false

    /// The same switch on several hosts (RFC 7348).
    public struct Tunnel: Sendable, Equatable {
        /// The network identifier, 24 bits.
        public var id: UInt32
        /// The other hosts; or one multicast group, with ``device``.
        public var peers: [IPAddress]
        /// The host's device that packets leave by.
        public var device: String?
        /// The UDP port.
        public var port: UInt16 = 4789

        public init(id: UInt32, peers: [IPAddress], device: String? = nil) {
            self.id = id
            self.peers = peers
            self.device = device
        }
    }

    public init(name: String) { self.name = name }

    /// Whether all of its ports are known, so that nothing need be learnt and flooded: nobody is on it that we have not
    /// put there. Neighbours are then answered for by the bridge, which knows those of IPv4 only.
    var isStatic: Bool {
        if case .device = uplink { return false }
        return vxlan == nil && !filtersVLANs && subnets.allSatisfy { $0.family == .v4 }
    }

    /// Whether a way leads through the host.
    var hasHostLink: Bool { uplink == .nat }
}

extension SwitchSpec {
    /// What hardware addresses are derived from: where a switch spans hosts, others than on the next one.
    var place: String {
        vxlan == nil ? name : "\(name) \(subnets.map { $0.address.description }.joined(separator: " "))"
    }

    /// The subnet that an address lies in.
    func subnet(of address: IPAddress) -> IPPrefix? { subnets.first { $0.contains(address) } }

    /// Whether ports get an IPv6 address by DHCP, for which they need one on the link.
    var hasDHCPv6: Bool { hasDHCP && subnets.contains { $0.family == .v6 } }

    /// The switch's own address of a family.
    func gateway(_ family: IPFamily) -> IPAddress? { subnets.first { $0.family == family }?.address }
}
