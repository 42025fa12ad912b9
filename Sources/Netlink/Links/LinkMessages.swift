import Addresses
import CLinux
import CNetlink
import Glibc

extension NetlinkMessage {
    /// Makes a network interface, or both of a veth pair, where nothing has its name yet.
    public static func create(_ spec: LinkSpec) -> NetlinkMessage {
        let kind = spec.kind.name
        let message = NetlinkMessage(
            "create the interface \(spec.options.name) (\(kind))", RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL,
            capacity: spec.kind.capacity)
        message.header(spec.options.header)
        message.put(spec.options)
        message.put(queuesOf: spec.options, spec.kind)
        if let parent = spec.kind.parent { message.put(IFLA_LINK, parent) }
        message.nest(IFLA_LINKINFO) {
            message.put(IFLA_INFO_KIND, text: kind)
            message.put(spec.kind)
        }
        return message
    }

    /// Changes a network interface.
    public static func change(_ link: LinkReference, _ change: LinkChange) -> NetlinkMessage {
        // Only RTM_NEWLINK takes what a bridge's port has along with all else.
        let message = NetlinkMessage("change the interface \(link)", RTM_NEWLINK, capacity: 1024)
        message.header(link, up: change.isUp)
        message.put(change)
        return message
    }

    /// Gives a network interface, by its index, a new name, in another network namespace when a descriptor of one is
    /// given; it is down there, without addresses, and the kernel lets wait for 20 ms. EEXIST when the name is taken.
    public static func rename(_ index: Int32, to name: String, namespace: Int32? = nil) -> NetlinkMessage {
        let message = NetlinkMessage("rename the interface number \(index) to \(name)", RTM_SETLINK, capacity: 256)
        message.header(.index(index))
        message.put(IFLA_IFNAME, text: name)
        message.put(IFLA_NET_NS_FD, ifGiven: namespace)
        return message
    }

    /// Asks for a network interface; ENODEV when there is none.
    public static func look(at link: LinkReference) -> NetlinkMessage {
        let message = NetlinkMessage("look at the interface \(link)", RTM_GETLINK, capacity: 256)
        message.header(link)
        return message
    }

    /// Deletes a network interface. This takes 20 ms and more of waiting for the kernel.
    public static func delete(_ link: LinkReference) -> NetlinkMessage {
        let message = NetlinkMessage("delete the interface \(link)", RTM_DELLINK)
        message.header(link)
        return message
    }

    /// Deletes all network interfaces of a link group at once; ENODEV when it has none, EPERM for group 0, everybody's.
    public static func delete(group: UInt32) -> NetlinkMessage {
        let message = NetlinkMessage("delete the interfaces of group \(group)", RTM_DELLINK)
        message.header(ifinfomsg())
        message.put(IFLA_GROUP, group)
        return message
    }

    func header(_ link: LinkReference, family: Int32 = AF_UNSPEC, up: Bool? = nil) {
        var header = ifinfomsg()
        header.ifi_family = UInt8(family)
        if case .index(let index) = link { header.ifi_index = index }
        if let up {
            header.ifi_change = UInt32(IFF_UP)
            header.ifi_flags = up ? UInt32(IFF_UP) : 0
        }
        self.header(header)
        switch link {
        case .index: break
        case .name(let name): put(IFLA_IFNAME, text: name)
        case .alternativeName(let name): put(IFLA_ALT_IFNAME, text: name)
        }
    }

    private func put(_ options: LinkOptions) {
        put(IFLA_IFNAME, text: options.name)
        if let address = options.address { put(IFLA_ADDRESS, bytes: address.bytes) }
        put(IFLA_MTU, ifGiven: options.mtu)
        put(IFLA_TXQLEN, ifGiven: options.txQueueLength)
        put(IFLA_GROUP, ifGiven: options.group)
        put(IFLA_MASTER, ifGiven: options.master)
        put(IFLA_NET_NS_FD, ifGiven: options.namespace)
    }

    /// One each way for a veth's ends unless they are to have more: the kernel makes as many as there are processors
    /// where nothing is said, waits until nobody can use them (synchronize_rcu, twice a pair), and uses one.
    private func put(queuesOf options: LinkOptions, _ kind: LinkKind) {
        var queues = options.queues
        if case .veth = kind { queues = queues ?? 1 }
        put(IFLA_NUM_TX_QUEUES, ifGiven: queues)
        put(IFLA_NUM_RX_QUEUES, ifGiven: queues)
    }

    private func put(_ change: LinkChange) {
        if let alias = change.alias { put(IFLA_IFALIAS, text: alias) }
        if let address = change.address { put(IFLA_ADDRESS, bytes: address.bytes) }
        put(IFLA_MTU, ifGiven: change.mtu)
        put(IFLA_TXQLEN, ifGiven: change.txQueueLength)
        put(IFLA_GROUP, ifGiven: change.group)
        put(IFLA_MASTER, ifGiven: change.master)
        put(IFLA_NET_NS_FD, ifGiven: change.namespace)
        if let mode = change.ipv6Addresses {
            nest(IFLA_AF_SPEC) { nest(Int(AF_INET6)) { put(IFLA_INET6_ADDR_GEN_MODE, UInt8(mode.rawValue)) } }
        }
        if change.port == nil && change.bridge == nil { return }
        nest(IFLA_LINKINFO) {
            if let bridge = change.bridge {
                put(IFLA_INFO_KIND, text: "bridge")
                put(bridge)
            }
            if let port = change.port {
                put(IFLA_INFO_SLAVE_KIND, text: "bridge")
                nest(IFLA_INFO_SLAVE_DATA) { put(port) }
            }
        }
    }

    private func put(_ kind: LinkKind) {
        switch kind {
        case .veth(let peer):
            nest(IFLA_INFO_DATA) {
                nest(VETH_INFO_PEER) {
                    header(peer.header)
                    put(peer)
                    put(queuesOf: peer, kind)
                }
            }
        case .bridge(let options): put(options)
        case .macvlan(_, let options), .macvtap(_, let options): nest(IFLA_INFO_DATA) { put(options) }
        case .ipvlan: nest(IFLA_INFO_DATA) { put(IFLA_IPVLAN_MODE, UInt16(IPVLAN_MODE_L2.rawValue)) }
        case .vxlan(let options): nest(IFLA_INFO_DATA) { put(options) }
        case .vlan(_, let id): nest(IFLA_INFO_DATA) { put(IFLA_VLAN_ID, id) }
        case .vrf(let table): nest(IFLA_INFO_DATA) { put(IFLA_VRF_TABLE, table) }
        case .plain: break
        }
    }

    private func put(_ options: BridgeOptions) {
        nest(IFLA_INFO_DATA) {
            put(IFLA_BR_FORWARD_DELAY, ifGiven: options.forwardDelay)
            put(IFLA_BR_AGEING_TIME, ifGiven: options.ageing)
            put(IFLA_BR_STP_STATE, ifGiven: options.spanningTree.map { UInt32($0 ? 1 : 0) })
            put(IFLA_BR_GROUP_FWD_MASK, ifGiven: options.groupForwardMask)
            put(IFLA_BR_MCAST_SNOOPING, ifGiven: options.multicastSnooping)
            put(IFLA_BR_MCAST_QUERIER, ifGiven: options.multicastQuerier)
            put(IFLA_BR_VLAN_FILTERING, ifGiven: options.vlanFiltering)
            put(IFLA_BR_VLAN_DEFAULT_PVID, ifGiven: options.defaultVLAN)
            put(IFLA_BR_NF_CALL_IPTABLES, ifGiven: options.filterCalls)
            put(IFLA_BR_NF_CALL_IP6TABLES, ifGiven: options.filterCalls)
            put(IFLA_BR_NF_CALL_ARPTABLES, ifGiven: options.filterCalls)
        }
    }

    private func put(_ options: MacvlanOptions) {
        put(IFLA_MACVLAN_MODE, options.mode.rawValue)
        if options.keepsParentQuiet { put(IFLA_MACVLAN_FLAGS, UInt16(MACVLAN_FLAG_NOPROMISC)) }
        put(IFLA_MACVLAN_BC_QUEUE_LEN, ifGiven: options.broadcastQueueLength)
        if options.sources.isEmpty { return }
        put(IFLA_MACVLAN_MACADDR_MODE, UInt32(MACVLAN_MACADDR_SET.rawValue))
        nest(IFLA_MACVLAN_MACADDR_DATA) {
            for source in options.sources { put(IFLA_MACVLAN_MACADDR, bytes: source.bytes) }
        }
    }

    private func put(_ options: VxlanOptions) {
        put(IFLA_VXLAN_ID, options.id)
        if let remote = options.remote {
            put(remote.family == .v4 ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6, bytes: remote.bytes)
        }
        if let local = options.local {
            put(local.family == .v4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, bytes: local.bytes)
        }
        put(IFLA_VXLAN_LINK, ifGiven: options.parent)
        put(IFLA_VXLAN_PORT, options.port.bigEndian)
        put(IFLA_VXLAN_LEARNING, flag: options.learning)
        put(IFLA_VXLAN_TTL, ifGiven: options.ttl)
    }

    private func put(_ port: BridgePortOptions) {
        put(IFLA_BRPORT_STATE, ifGiven: port.state?.rawValue)
        put(IFLA_BRPORT_COST, ifGiven: port.cost)
        put(IFLA_BRPORT_PRIORITY, ifGiven: port.priority)
        var port = port
        port.forEachFlag { type, flag in put(type, ifGiven: flag) }
        put(IFLA_BRPORT_BACKUP_PORT, ifGiven: port.backupPort)
    }
}

extension LinkOptions {
    fileprivate var header: ifinfomsg {
        var header = ifinfomsg()
        header.ifi_index = index ?? 0
        if isUp {
            header.ifi_flags = UInt32(IFF_UP)
            header.ifi_change = UInt32(IFF_UP)
        }
        return header
    }
}

extension LinkKind {
    fileprivate var parent: Int32? {
        switch self {
        case .macvlan(let parent, _), .macvtap(let parent, _), .ipvlan(let parent), .vlan(let parent, _): parent
        case .veth, .bridge, .vxlan, .vrf, .plain: nil
        }
    }

    /// Bytes that its message can have; a list of sources has no end but the 64 KiB of an attribute.
    fileprivate var capacity: Int {
        switch self {
        case .macvlan(_, let options), .macvtap(_, let options): 2048 + 12 * options.sources.count
        default: 2048
        }
    }
}
