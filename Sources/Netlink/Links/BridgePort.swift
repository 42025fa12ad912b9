import CNetlink

/// What a port of a bridge does and lets through (bridge(8), `bridge link`); what is nil stays, or is not known.
public struct BridgePortOptions: Sendable, Equatable {
    public enum State: UInt8, Sendable {
        case disabled = 0
        case listening = 1
        case learning = 2
        case forwarding = 3
        case blocking = 4
    }

    public var state: State?
    /// Isolated ports reach only those that are not.
    public var isolated: Bool?
    /// Only frames from an address that the forwarding table has for this port come in.
    public var locked: Bool?
    /// The forwarding table takes up who is heard.
    public var learning: Bool?
    /// Frames for unknown addresses go out here.
    public var unicastFlood: Bool?
    public var multicastFlood: Bool?
    public var broadcastFlood: Bool?
    /// The bridge answers for neighbours that others ask for.
    public var neighbourSuppression: Bool?
    /// The bridge answers for neighbours that its own table knows; nothing is flooded then.
    public var proxyARP: Bool?
    /// A frame can go out where it came in (reflective relay).
    public var hairpin: Bool?
    /// Spanning tree messages are not let in.
    public var guardsTree: Bool?
    /// It never becomes the root's port.
    public var blocksRoot: Bool?
    public var fastLeave: Bool?
    public var multicastToUnicast: Bool?
    /// The index of the port that takes over while this one has no carrier; 0 for none.
    public var backupPort: Int32?
    public var cost: UInt32?
    public var priority: UInt16?

    public init(
        isolated: Bool? = nil, locked: Bool? = nil, learning: Bool? = nil, unicastFlood: Bool? = nil,
        multicastFlood: Bool? = nil, broadcastFlood: Bool? = nil, neighbourSuppression: Bool? = nil,
        proxyARP: Bool? = nil, hairpin: Bool? = nil, backupPort: Int32? = nil
    ) {
        self.isolated = isolated
        self.locked = locked
        self.learning = learning
        self.unicastFlood = unicastFlood
        self.multicastFlood = multicastFlood
        self.broadcastFlood = broadcastFlood
        self.neighbourSuppression = neighbourSuppression
        self.proxyARP = proxyARP
        self.hairpin = hairpin
        self.backupPort = backupPort
    }

    /// Calls `body` for each plain setting with its attribute's number.
    mutating func forEachFlag(_ body: (Int, inout Bool?) -> Void) {
        body(IFLA_BRPORT_ISOLATED, &isolated)
        body(IFLA_BRPORT_LOCKED, &locked)
        body(IFLA_BRPORT_LEARNING, &learning)
        body(IFLA_BRPORT_UNICAST_FLOOD, &unicastFlood)
        body(IFLA_BRPORT_MCAST_FLOOD, &multicastFlood)
        body(IFLA_BRPORT_BCAST_FLOOD, &broadcastFlood)
        body(IFLA_BRPORT_NEIGH_SUPPRESS, &neighbourSuppression)
        body(IFLA_BRPORT_PROXYARP, &proxyARP)
        body(IFLA_BRPORT_MODE, &hairpin)
        body(IFLA_BRPORT_GUARD, &guardsTree)
        body(IFLA_BRPORT_PROTECT, &blocksRoot)
        body(IFLA_BRPORT_FAST_LEAVE, &fastLeave)
        body(IFLA_BRPORT_MCAST_TO_UCAST, &multicastToUnicast)
    }

    init(_ attributes: NetlinkAttributes) {
        self.init()
        state = attributes.number(IFLA_BRPORT_STATE, as: UInt8.self).flatMap(State.init)
        forEachFlag { type, flag in flag = attributes.flag(type) }
        backupPort = attributes.number(IFLA_BRPORT_BACKUP_PORT, as: Int32.self)
        cost = attributes.number(IFLA_BRPORT_COST, as: UInt32.self)
        priority = attributes.number(IFLA_BRPORT_PRIORITY, as: UInt16.self)
    }
}
