public import Addresses

/// A network interface that exists already, by what it is known.
public enum LinkReference: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    case index(Int32)
    case name(String)
    /// A further name of it: see ``NetlinkMessage/add(alternativeNames:to:)``.
    case alternativeName(String)

    public init(stringLiteral name: String) { self = .name(name) }

    public var description: String {
        switch self {
        case .index(let index): "number \(index)"
        case .name(let name), .alternativeName(let name): name
        }
    }
}

/// What is to be different about a network interface; what is nil stays as it is.
public struct LinkChange: Sendable {
    /// Whether the kernel gives it IPv6 addresses of its own accord (IFLA_INET6_ADDR_GEN_MODE).
    public enum IPv6Addresses: UInt32, Sendable {
        case fromMAC = 0
        case never = 1
        case stable = 2
        case random = 3
    }

    public var isUp: Bool?
    /// Free text of at most 255 bytes.
    public var alias: String?
    public var address: MACAddress?
    /// Bytes.
    public var mtu: UInt32?
    /// Packets.
    public var txQueueLength: UInt32?
    public var group: UInt32?
    /// The index of the bridge that it becomes a port of, 0 for none.
    public var master: Int32?
    /// A descriptor of the network namespace that it moves to; this takes 20 ms of waiting for the kernel.
    public var namespace: Int32?
    public var ipv6Addresses: IPv6Addresses?
    /// Of a bridge's port. What makes it one cannot be in the same change.
    public var port: BridgePortOptions?
    /// Of a bridge.
    public var bridge: BridgeOptions?

    public init(
        isUp: Bool? = nil, alias: String? = nil, address: MACAddress? = nil, mtu: UInt32? = nil,
        txQueueLength: UInt32? = nil, group: UInt32? = nil, master: Int32? = nil, namespace: Int32? = nil,
        ipv6Addresses: IPv6Addresses? = nil, port: BridgePortOptions? = nil, bridge: BridgeOptions? = nil
    ) {
        self.isUp = isUp
        self.alias = alias
        self.address = address
        self.mtu = mtu
        self.txQueueLength = txQueueLength
        self.group = group
        self.master = master
        self.namespace = namespace
        self.ipv6Addresses = ipv6Addresses
        self.port = port
        self.bridge = bridge
    }
}
