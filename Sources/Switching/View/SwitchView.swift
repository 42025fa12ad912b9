public import Addresses
public import Netlink
public import Profile

/// A switch and its ports at one moment.
public struct SwitchView: Sendable, Equatable {
    public var spec: SwitchSpec
    public var ports: [PortView] = []
    /// Frames that were dropped because their source was not the port's own; `nil` where nothing is counted.
    public var spoofed: UInt64?
    /// Frames that no rule of their port allowed; `nil` where nothing is counted.
    public var refused: UInt64?
    /// What has become of the name server; `nil` where the switch has none.
    public var nameServer: String?
    /// When that was, in nanoseconds of CLOCK_MONOTONIC.
    public var time: UInt64 = 0

    public init(_ spec: SwitchSpec) { self.spec = spec }
}

/// A port as it is seen, with sent and received as its box has it.
public struct PortView: Sendable, Equatable {
    /// What it is called in the switch; `nil` where it shares a device of the host's.
    public var end: String?
    /// The sandbox's name; `nil` where it has none.
    public var owner: String?
    /// The interface's name in the box.
    public var interface: String
    public var attach = Profile.Interface.Attach.veth
    public var addresses: [IPAddress] = []
    public var mac: MACAddress?
    /// Whether both ends are switched on.
    public var isUp = true
    public var isIsolated = false
    /// Whether it sends from its own addresses alone.
    public var isGuarded = true
    /// Whether it has rules of what may pass.
    public var isFiltered = false
    /// The VLAN that it belongs to.
    public var vlan: UInt16?
    /// VLANs that pass with their tags.
    public var trunk: [ClosedRange<UInt16>] = []
    /// Bits per second; `nil` where nothing limits it.
    public var egressRate: UInt64?
    /// Bits per second; `nil` where nothing limits it.
    public var ingressRate: UInt64?
    /// The functions between it and the switch, as they were named.
    public var chain: [String] = []
    /// The same as they are drawn.
    public var functions: [ChainedFunction] = []
    public var counters: InterfaceCounters

    public init(interface: String) {
        self.interface = interface
        counters = InterfaceCounters(name: interface)
    }
}

/// A function of a port's chain, as it is drawn.
public struct ChainedFunction: Sendable, Equatable {
    public var reference: String
    /// The sandbox that it is, where it is one.
    public var sandbox: String?
    /// Whether its interfaces are there.
    public var isAlive: Bool

    public init(_ reference: String, sandbox: String? = nil, isAlive: Bool = true) {
        (self.reference, self.sandbox, self.isAlive) = (reference, sandbox, isAlive)
    }
}

extension InterfaceCounters {
    /// What the other end of the wire counts.
    var turnedRound: InterfaceCounters {
        var turned = InterfaceCounters(name: name)
        (turned.receivedBytes, turned.receivedPackets) = (sentBytes, sentPackets)
        (turned.receivedErrors, turned.receivedDropped) = (sentErrors, sentDropped)
        (turned.sentBytes, turned.sentPackets) = (receivedBytes, receivedPackets)
        (turned.sentErrors, turned.sentDropped) = (receivedErrors, receivedDropped)
        return turned
    }
}
