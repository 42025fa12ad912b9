public import Addresses
public import Profile

/// An interface of a box as it is to be, the switch's own settings taken in. Only an automatic address is open still.
struct PortPlan: Equatable {
    /// In the box.
    var name: String
    var kind: Profile.Interface.Attach
    var mac: MACAddress
    /// Bytes.
    var mtu: Int
    /// The addresses asked for; `nil`: one of each subnet.
    var fixed: [IPPrefix]?
    /// The families of which a DHCP server gives the address.
    var dynamic: [IPFamily] = []
    /// Whether the default route is the one that it tells, or routers.
    var takesRouter = false
    var isIsolated: Bool
    /// Whether it is to send from its own addresses alone, where that can be held.
    var isGuarded: Bool
    /// Whether it is not to be at all where that cannot be held.
    var mustBeGuarded: Bool
    var rules: [TrafficRule]?
    var publications: [Publication]
    /// Families of which the default route leads to the switch.
    var defaultRoutes: [IPAddress]
    var routes: [Profile.Interface.Route]
    var vlan: Int?
    var trunk: [Int]
    var rate: Profile.Interface.Rate

    /// - Parameter owner: the sandbox's name.
    init(_ interface: Profile.Interface, name: String, on spec: SwitchSpec, owner: String?) throws(SwitchError) {
        self.name = name
        kind = interface.kind ?? .veth
        switch interface.hardwareAddress {
        case .fixed(let address): mac = address
        case .random: mac = .random()
        case .auto: mac = owner.map { MACAddress(derivedFrom: "\(spec.place) \($0) \(name)") } ?? .random()
        }
        mtu = interface.mtu ?? spec.mtu
        isIsolated = interface.isolated ?? spec.isIsolated
        (isGuarded, mustBeGuarded) = (interface.spoofing != .allow, interface.spoofing == .deny)
        publications = interface.publish
        // Who publishes wants to be reached.
        rules = interface.allow.map { $0 + interface.publish.map { $0.rule } }
        routes = interface.routes
        (vlan, trunk) = (interface.vlan, interface.trunk)
        rate = interface.rate
        if let burst = rate.burst, burst < UInt64(mtu + 18) {
            throw SwitchError(
                key: "rate.burst", "\(burst) bytes hold no frame of this interface, whose MTU is \(mtu)",
                mend: "use \(mtu + 18) or more, or take it out")
        }
        defaultRoutes = []
        switch interface.address {
        case .auto: fixed = nil
        case .none: fixed = []
        // The switch knows what its server would say.
        case .dynamic where spec.hasDHCP:
            try PortPlan.checkServer(interface, spec)
            fixed = nil
        case .dynamic(let families):
            if vlan == nil, !trunk.isEmpty {
                throw SwitchError(
                    key: "address", "a trunk alone has no VLAN of its own to ask a DHCP server in",
                    mend: "name that one with network.vlan, or write \"none\" and ask from the box")
            }
            (fixed, dynamic) = ([], families)
            // Leases are renewed from the box's own addresses.
            let servers = families.map { $0 == .v4 ? DHCPDatagram.serverPort : DHCPv6Message.serverPort }
            rules = rules.map { $0 + servers.map { TrafficRule(.udp, .to, .any, ports: $0...$0) } }
        case .fixed(let prefixes):
            for prefix in prefixes { try PortPlan.check(prefix, spec) }
            fixed = prefixes
        }
        switch interface.gateway {
        case .none: break
        case .address(let address): defaultRoutes = [address]
        case .auto where isDynamic: takesRouter = true
        case .auto: if spec.hasHostLink { defaultRoutes = spec.subnets.map { $0.address } }
        }
        if spec.hasDHCP {
            let servers = spec.subnets.map { $0.family == .v4 ? DHCPDatagram.serverPort : DHCPv6Message.serverPort }
            rules = rules.map { $0 + servers.map { TrafficRule(.udp, .to, .any, ports: $0...$0) } }
        }
        if vlan != nil || !trunk.isEmpty, !spec.filtersVLANs {
            throw SwitchError(
                key: vlan != nil ? "vlan" : "trunk", "the switch \"\(spec.name)\" does not filter by VLAN",
                mend: "make it with --vlan-filtering")
        }
    }

    var isDynamic: Bool { !dynamic.isEmpty }

    /// The switch's own server is where its address is: in the VLAN that ports begin in.
    private static func checkServer(_ interface: Profile.Interface, _ spec: SwitchSpec) throws(SwitchError) {
        if interface.vlan == nil && interface.trunk.isEmpty || interface.vlan == 1 { return }
        let place = interface.vlan.map { "VLAN \($0)" } ?? "a trunk alone"
        throw SwitchError(
            key: "address", "the DHCP server of the switch \"\(spec.name)\" is in VLAN 1, and not heard in \(place)",
            mend: "write \"auto\", which needs no server")
    }

    private static func check(_ prefix: IPPrefix, _ spec: SwitchSpec) throws(SwitchError) {
        guard let subnet = spec.subnet(of: prefix.address) else {
            if spec.subnets.isEmpty || spec.kind == .macvlan { return }
            let known = spec.subnets.map { $0.network.description }.joined(separator: " and ")
            throw SwitchError(
                key: "address", "\(prefix.address) is not in \(known), the network of the switch \"\(spec.name)\"",
                mend: "take one from there, or \"auto\"")
        }
        if subnet.address == prefix.address {
            throw SwitchError(
                key: "address", "\(prefix.address) is the address of the switch \"\(spec.name)\" itself",
                mend: "take another")
        }
        if prefix.length != subnet.length {
            throw SwitchError(
                key: "address", "\(prefix) has another length than \(subnet.network), the switch's network",
                mend: "write \(prefix.address)/\(subnet.length)")
        }
    }
}

/// A port as it came to be.
public struct Port: Sendable, Equatable {
    /// The interface's name in the box.
    public var name: String
    /// `nil` where no switch is behind it.
    public var switchName: String?
    public var attach: Profile.Interface.Attach
    public var addresses: [IPPrefix]
    public var mac: MACAddress?
    /// What it is called in the switch.
    public var end: String?
    /// Ports of the host that lead to it.
    public var published: [Publication]
    /// What is called there that does not go by itself when the port goes.
    public var companion: String?
    /// The functions between it and the switch, as they were named.
    public var chain: [String]
    /// The name servers that DHCP servers have told.
    public var nameServers: [IPAddress] = []

    public init(
        name: String, switchName: String?, attach: Profile.Interface.Attach, addresses: [IPPrefix], mac: MACAddress?,
        end: String? = nil, published: [Publication] = [], companion: String? = nil, chain: [String] = []
    ) {
        self.name = name
        self.switchName = switchName
        self.attach = attach
        self.addresses = addresses
        self.mac = mac
        self.end = end
        self.published = published
        self.companion = companion
        self.chain = chain
    }
}
