public import Addresses

/// A network interface to be made, in one message (RTM_NEWLINK): what any kind has, and its ``LinkKind``.
public struct LinkSpec: Sendable {
    public var options: LinkOptions
    public var kind: LinkKind

    public init(_ options: LinkOptions, _ kind: LinkKind) {
        self.options = options
        self.kind = kind
    }
}

/// What any network interface can be made with; what is nil is left to the kernel.
public struct LinkOptions: Sendable {
    /// At most 15 bytes. `%d` in it becomes the first number that is free.
    public var name: String
    /// The index it gets; EBUSY when that is taken. That of a veth's peer is only heeded when both ends have one.
    public var index: Int32?
    public var address: MACAddress?
    /// Bytes.
    public var mtu: UInt32?
    /// Packets.
    public var txQueueLength: UInt32?
    /// The link group, by which many can be deleted together.
    public var group: UInt32?
    /// The index of the bridge (or vrf) that it becomes a port of.
    public var master: Int32?
    /// Whether it is switched on at once. Not for a veth's peer, which is not joined yet by then: ENOTCONN.
    public var isUp = false
    /// A descriptor of the network namespace that it is made in, when that is another than the socket's.
    public var namespace: Int32?
    /// Queues that packets leave and arrive by. An end of a veth has one each way when it is nil.
    public var queues: UInt32?

    public init(
        _ name: String, index: Int32? = nil, address: MACAddress? = nil, mtu: UInt32? = nil,
        txQueueLength: UInt32? = nil, group: UInt32? = nil, master: Int32? = nil, isUp: Bool = false,
        namespace: Int32? = nil, queues: UInt32? = nil
    ) {
        self.name = name
        self.index = index
        self.address = address
        self.mtu = mtu
        self.txQueueLength = txQueueLength
        self.group = group
        self.master = master
        self.isUp = isUp
        self.namespace = namespace
        self.queues = queues
    }
}

/// What sort of network interface, with what only that sort has (ip-link(8)).
public enum LinkKind: Sendable {
    /// Two interfaces, each the other's wire.
    case veth(peer: LinkOptions)
    case bridge(BridgeOptions = BridgeOptions())
    /// A second address on the interface `parent` (its index, in the socket's network namespace).
    case macvlan(parent: Int32, MacvlanOptions = MacvlanOptions())
    /// A macvlan whose packets go to and come from a file, /dev/tapINDEX.
    case macvtap(parent: Int32, MacvlanOptions = MacvlanOptions())
    case ipvlan(parent: Int32)
    case vxlan(VxlanOptions)
    /// The frames of `parent` that carry the VLAN `id`, 1 to 4094.
    case vlan(parent: Int32, id: UInt16)
    case vrf(table: UInt32)
    /// A kind without options: `dummy`, `ifb`, `wireguard`.
    case plain(String)

    /// The kernel's word for it.
    public var name: String {
        switch self {
        case .veth: "veth"
        case .bridge: "bridge"
        case .macvlan: "macvlan"
        case .macvtap: "macvtap"
        case .ipvlan: "ipvlan"
        case .vxlan: "vxlan"
        case .vlan: "vlan"
        case .vrf: "vrf"
        case .plain(let name): name
        }
    }
}

/// A bridge's settings (ip-link(8), bridge); what is nil stays as the kernel has it.
public struct BridgeOptions: Sendable, Equatable {
    /// EOPNOTSUPP where the kernel has no VLANs on bridges.
    public var vlanFiltering: Bool?
    /// The VLAN of frames without a tag on new ports; 0 for none.
    public var defaultVLAN: UInt16?
    /// Multicast goes only where somebody listens.
    public var multicastSnooping: Bool?
    /// The bridge asks who listens, without which snooping knows nobody.
    public var multicastQuerier: Bool?
    /// Hundredths of a second until a learned address is forgotten.
    public var ageing: UInt32?
    /// Hundredths of a second that a new port waits before it forwards.
    public var forwardDelay: UInt32?
    public var spanningTree: Bool?
    /// Whether frames pass the packet filters for IPv4, IPv6 and ARP (br_netfilter).
    public var filterCalls: Bool?
    /// Bits for the link-local addresses 01-80-C2-00-00-0X that are forwarded all the same.
    public var groupForwardMask: UInt16?

    public init() {}
}

public struct MacvlanOptions: Sendable {
    public enum Mode: UInt32, Sendable, CaseIterable {
        /// Alone with what is beyond the parent.
        case `private` = 1
        /// All frames go out through the parent, and those for a neighbour come back from there.
        case vepa = 2
        case bridge = 4
        /// The parent for itself alone, with its address.
        case passthru = 8
        /// Only frames from the listed addresses come in.
        case source = 16

        public init?(_ text: String) {
            guard let found = Mode.allCases.first(where: { $0.name == text }) else { return nil }
            self = found
        }

        /// `bridge` and so on.
        public var name: String {
            switch self {
            case .private: "private"
            case .vepa: "vepa"
            case .bridge: "bridge"
            case .passthru: "passthru"
            case .source: "source"
            }
        }
    }

    public var mode = Mode.bridge
    /// With `source`: who is heard.
    public var sources: [MACAddress] = []
    /// With `passthru`: the parent is not made promiscuous.
    public var keepsParentQuiet = false
    /// Broadcasts that wait at most; 1000 in the kernel.
    public var broadcastQueueLength: UInt32?

    public init(_ mode: Mode = .bridge, sources: [MACAddress] = []) {
        self.mode = mode
        self.sources = sources
    }
}

public struct VxlanOptions: Sendable {
    /// The network identifier, 24 bits.
    public var id: UInt32
    /// Where frames for unknown and many receivers go: a multicast group (with `parent`), or one other host. Without it
    /// they go where the forwarding table says for ``MACAddress/zero``.
    public var remote: IPAddress?
    public var local: IPAddress?
    /// The index of the interface that the packets leave by.
    public var parent: Int32?
    /// The UDP port.
    public var port: UInt16 = 4789
    public var learning = true
    public var ttl: UInt8?

    public init(id: UInt32, remote: IPAddress? = nil, local: IPAddress? = nil, parent: Int32? = nil) {
        self.id = id
        self.remote = remote
        self.local = local
        self.parent = parent
    }
}
