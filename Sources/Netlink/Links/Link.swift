public import Addresses
import CLinux
import CNetlink
import Glibc
public import Kernel

/// A network interface as the kernel describes it (rtnetlink(7), RTM_NEWLINK). What it says is read when it is asked for.
public struct Link: Sendable {
    private let header: ifinfomsg
    private let attributes: NetlinkAttributes

    init?(_ reply: NetlinkReply) {
        guard reply.type == RTM_NEWLINK, let header = reply.header(ifinfomsg.self) else { return nil }
        self.header = header
        attributes = reply.attributes(after: ifinfomsg.self)
    }

    public var index: Int32 { header.ifi_index }
    public var name: String { attributes.text(IFLA_IFNAME) ?? "" }
    /// nil where it has none, or none of Ethernet's.
    public var address: MACAddress? { attributes[IFLA_ADDRESS].flatMap { MACAddress(bytes: $0.bytes) } }
    /// Bytes.
    public var mtu: Int { Int(attributes.number(IFLA_MTU, as: UInt32.self) ?? 0) }
    /// `IFF_UP` and its like (netdevice(7)).
    public var flags: UInt32 { header.ifi_flags }
    /// RFC 2863's ifOperStatus: see ``stateName``.
    public var state: UInt8 { attributes.number(IFLA_OPERSTATE, as: UInt8.self) ?? 0 }
    /// The index of the bridge that it is a port of.
    public var master: Int32? { attributes.number(IFLA_MASTER, as: Int32.self) }
    /// The index of a veth's peer, of a macvlan's parent and their like; in another network namespace's numbers when
    /// ``otherNamespace`` is given.
    public var other: Int32? { attributes.number(IFLA_LINK, as: Int32.self) }
    /// The number that this network namespace has for that other one (ip-netns(8), nsid).
    public var otherNamespace: Int32? { attributes.number(IFLA_LINK_NETNSID, as: Int32.self) }
    /// Further names: see ``NetlinkMessage/add(alternativeNames:to:)``.
    public var alternativeNames: [String] {
        var names: [String] = []
        attributes[IFLA_PROP_LIST]?.nested.forEach { if $0.type == IFLA_ALT_IFNAME { names.append($0.text) } }
        return names
    }
    /// Free text; nil when it has none.
    public var alias: String? { attributes.text(IFLA_IFALIAS) }
    public var group: UInt32 { attributes.number(IFLA_GROUP, as: UInt32.self) ?? 0 }
    /// Packets.
    public var txQueueLength: UInt32 { attributes.number(IFLA_TXQLEN, as: UInt32.self) ?? 0 }
    public var counters: InterfaceCounters {
        var counters = InterfaceCounters(name: name)
        if let figures = attributes[IFLA_STATS64] { counters.take(figures) }
        return counters
    }

    public var isUp: Bool { flags & UInt32(IFF_UP) != 0 }
    /// Whether there is somebody at the other end (IFF_LOWER_UP).
    public var hasCarrier: Bool { flags & 1 << 16 != 0 }

    /// `up`, `down`, `lowerlayerdown`, `unknown` and their like.
    public var stateName: String {
        let (names, state) = (
            ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"], Int(state)
        )
        return state < names.count ? names[state] : "\(state)"
    }
}

/// What only some kinds of interfaces have.
extension Link {
    /// `veth`, `macvlan` and their like; nil for hardware and the loopback.
    public var kind: String? { information?.text(IFLA_INFO_KIND) }
    /// `bridge` where it is a bridge's port.
    public var portKind: String? { information?.text(IFLA_INFO_SLAVE_KIND) }
    /// What it does as a bridge's port.
    public var port: BridgePortOptions? { portData.map { BridgePortOptions($0) } }
    /// Which of a bridge's ports it is: the lowest number that was free, from 1 to 1023.
    public var portNumber: Int? { portData?.number(IFLA_BRPORT_NO, as: UInt16.self).map { Int($0) } }
    /// A bridge's settings.
    public var bridge: BridgeOptions? { data(ofKind: "bridge").map { BridgeOptions($0) } }
    public var macvlanMode: MacvlanOptions.Mode? {
        macvlanData?.number(IFLA_MACVLAN_MODE, as: UInt32.self).flatMap(MacvlanOptions.Mode.init(rawValue:))
    }
    /// Who a macvlan in source mode hears.
    public var macvlanSources: [MACAddress] {
        var sources: [MACAddress] = []
        macvlanData?[IFLA_MACVLAN_MACADDR_DATA]?.nested.forEach {
            if let source = MACAddress(bytes: $0.bytes) { sources.append(source) }
        }
        return sources
    }
    public var vxlanID: UInt32? { data(ofKind: "vxlan")?.number(IFLA_VXLAN_ID, as: UInt32.self) }

    private var information: NetlinkAttributes? { attributes[IFLA_LINKINFO]?.nested }
    private var portData: NetlinkAttributes? {
        portKind == "bridge" ? information?[IFLA_INFO_SLAVE_DATA]?.nested : nil
    }
    private var macvlanData: NetlinkAttributes? { data(ofKind: "macvlan") ?? data(ofKind: "macvtap") }

    private func data(ofKind kind: String) -> NetlinkAttributes? {
        self.kind == kind ? information?[IFLA_INFO_DATA]?.nested : nil
    }
}

extension BridgeOptions {
    fileprivate init(_ data: NetlinkAttributes) {
        self.init()
        vlanFiltering = data.flag(IFLA_BR_VLAN_FILTERING)
        defaultVLAN = data.number(IFLA_BR_VLAN_DEFAULT_PVID, as: UInt16.self)
        multicastSnooping = data.flag(IFLA_BR_MCAST_SNOOPING)
        multicastQuerier = data.flag(IFLA_BR_MCAST_QUERIER)
        ageing = data.number(IFLA_BR_AGEING_TIME, as: UInt32.self)
        forwardDelay = data.number(IFLA_BR_FORWARD_DELAY, as: UInt32.self)
        spanningTree = data.number(IFLA_BR_STP_STATE, as: UInt32.self).map { $0 != 0 }
        filterCalls = data.flag(IFLA_BR_NF_CALL_IPTABLES)
        groupForwardMask = data.number(IFLA_BR_GROUP_FWD_MASK, as: UInt16.self)
    }
}

extension InterfaceCounters {
    fileprivate mutating func take(_ attribute: NetlinkAttribute) {
        guard let figures = attribute.value(rtnl_link_stats64.self) else { return }
        (receivedBytes, receivedPackets) = (figures.rx_bytes, figures.rx_packets)
        (receivedErrors, receivedDropped) = (figures.rx_errors, figures.rx_dropped)
        (sentBytes, sentPackets) = (figures.tx_bytes, figures.tx_packets)
        (sentErrors, sentDropped) = (figures.tx_errors, figures.tx_dropped)
    }
}

extension NetlinkSocket {
    /// Makes a network interface, and changes it at once with what none can be made with: an alias, what it does as a
    /// bridge's port. Nothing is left of it when the change fails.
    ///
    /// - Returns: it, as it was made: ``Link/index``, and of a veth ``Link/other``, the peer's index in its namespace.
    @discardableResult
    public func create(_ spec: LinkSpec, _ change: LinkChange? = nil) throws(SystemError) -> Link {
        if let namespace = spec.options.namespace {
            try send(.create(spec))
            return try NetlinkSocket(in: namespace).finish(spec, nil, change)
        }
        // The echo saves another question; kernels before 6.2 give none.
        var made: Link?
        try exchange([.create(spec)], flags: NLM_F_ECHO) { if made == nil { made = Link($0) } }
        return try finish(spec, made, change)
    }

    private func finish(_ spec: LinkSpec, _ made: Link?, _ change: LinkChange?) throws(SystemError) -> Link {
        var found = made
        if found == nil { found = try link(.name(spec.options.name)) }
        guard let link = found else {
            throw SystemError("find the interface \(spec.options.name) just made", code: ENODEV)
        }
        guard let change else { return link }
        // Not in one datagram with the other: when that failed, this would change somebody else's of that name.
        do throws(SystemError) {
            try send(.change(.index(link.index), change))
        } catch {
            try send(.delete(.index(link.index)))
            throw error
        }
        return link
    }

    /// The network interface; nil when there is none.
    public func link(_ link: LinkReference) throws(SystemError) -> Link? {
        do throws(SystemError) {
            var found: Link?
            try exchange([.look(at: link)]) { if found == nil { found = Link($0) } }
            return found
        } catch {
            if error.code == ENODEV { return nil }
            throw error
        }
    }

    /// The network interfaces in the order of their indices: all, or a bridge's ports.
    public func links(master: Int32? = nil) throws(SystemError) -> [Link] {
        let message = NetlinkMessage("list the network interfaces", RTM_GETLINK)
        message.header(ifinfomsg())
        message.put(IFLA_MASTER, ifGiven: master)
        var links: [Link] = []
        try dump(message, reset: { links = [] }) {
            if let link = Link($0), master == nil || link.master == master { links.append(link) }
        }
        return links.sorted { $0.index < $1.index }
    }
}
