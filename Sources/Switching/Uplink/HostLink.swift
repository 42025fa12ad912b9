import Addresses
import Glibc
import Kernel
import Netlink

/// A switch's link to its host: a veth pair, the addresses on it and the rules on both sides. It is complete when the
/// switch's side has its alias, and goes with the switch's namespace.
struct HostLink {
    let spec: SwitchSpec
    /// Descriptors of network namespaces.
    let fabric: Int32
    let host: Int32

    private var families: [IPFamily] { [.v4, .v6].filter { family in spec.subnets.contains { $0.family == family } } }

    /// The name of the host's side; `nil` where there is no link, or half of one.
    static func name(in fabric: Int32) throws(SystemError) -> String? {
        guard let link = try NetlinkSocket(in: fabric).link(.name(FabricName.uplink)), link.kind == "veth" else {
            return nil
        }
        return link.alias
    }

    /// Deletes both sides, half-made ones too.
    static func remove(from fabric: Int32) throws(SystemError) {
        let socket = try NetlinkSocket(in: fabric)
        guard let link = try socket.link(.name(FabricName.uplink)), link.kind == "veth" else { return }
        try socket.send(.delete(.index(link.index)))
        CrashPoint.pass("remove host link")
    }

    /// - Parameter settings: gets what is changed about the host.
    func make(_ settings: borrowing HostSettings) throws(SwitchError) {
        if spec.subnets.isEmpty {
            throw SwitchError(
                key: "subnet", "the switch \"\(spec.name)\" has no network that the host could reach",
                mend: "make it with --subnet")
        }
        try attributed { () throws(SystemError) in try HostLink.remove(from: fabric) }
        let outside = try attributed { () throws(SystemError) in try NetlinkSocket(in: host) }
        let inside = try attributed { () throws(SystemError) in try NetlinkSocket(in: fabric) }
        let routes = try attributed { () throws(SystemError) in try outside.routes() }
        guard let transit = Transit.free(besides: routes.map { $0.destination }.filter { $0.length > 0 }) else {
            throw SwitchError("no network is left for another link to the host (\(Transit.network4))")
        }
        let ways = routes.filter { $0.destination.length == 0 }.compactMap { $0.link }
        let link = try makePair(outside, ways)
        CrashPoint.pass("make host link")
        try attributed { () throws(SystemError) in
            try HostTable(host: host).add(link.name, to: spec.uplink == .nat ? [.links, .ways] : [.links])
        }
        CrashPoint.pass("enter host link")
        try Program("nft", package: "nftables").run(
            ["-f", "-"], input: LinkRuleset.fabric(leadsOut: spec.uplink == .nat), in: fabric)
        CrashPoint.pass("link rules")
        try attributed(to: "uplink") { () throws(SystemError) in
            try setUpHost(link, transit, outside)
            try setUpFabric(transit, inside)
        }
        if spec.uplink == .nat {
            try Forwarding(host: host).open(ways.compactMap { name(of: $0, outside) }, families, settings)
        }
        CrashPoint.pass("open the host")
        try attributed { () throws(SystemError) in
            try inside.send(.change(.name(FabricName.uplink), LinkChange(alias: link.name)))
        }
    }

    private func name(of index: Int32, _ socket: borrowing NetlinkSocket) -> String? {
        // One that has vanished meanwhile leads nowhere.
        (try? socket.link(.index(index)))?.name
    }

    /// Both sides in one message, neither up.
    private func makePair(_ outside: borrowing NetlinkSocket, _ ways: [Int32]) throws(SwitchError) -> Link {
        var mtu = spec.mtu
        if spec.uplink == .nat {
            for way in ways {
                let link = try attributed { () throws(SystemError) in try outside.link(.index(way)) }
                // Packets that do not fit further on are better cut here.
                if let link { mtu = min(mtu, max(link.mtu, 1280)) }
            }
        }
        for attempt in 0..<16 {
            let end = LinkOptions(FabricName.hostLink(spec.name, attempt: attempt), mtu: UInt32(mtu))
            let peer = LinkOptions(FabricName.uplink, mtu: UInt32(mtu), namespace: fabric)
            do throws(SystemError) {
                return try outside.create(LinkSpec(end, .veth(peer: peer)))
            } catch {
                if error.code != EEXIST { throw SwitchError(error, key: "uplink") }
            }
        }
        throw SwitchError(
            key: "uplink", "the host has an interface \"\(FabricName.hostLink(spec.name))\" already",
            mend: "delete it, or choose another name for the switch")
    }

    private func setUpHost(
        _ link: Link, _ transit: Transit, _ socket: borrowing NetlinkSocket
    ) throws(SystemError) {
        if families.contains(.v4) {
            try setNetworkSetting("ipv4/conf/\(link.name)/forwarding", "1", in: host)
            // For what is published on 127.0.0.1.
            try setNetworkSetting("ipv4/conf/\(link.name)/route_localnet", "1", in: host)
        }
        if families.contains(.v6) { try Forwarding(host: host).allowIPv6(link.name) }
        try socket.send([
            .change(.index(link.index), LinkChange(alias: "switch \(spec.name)", ipv6Addresses: .never)),
            .change(.index(link.index), LinkChange(isUp: true)),
        ])
        try socket.send(try addresses(link.index) { transit.host($0) })
        try socket.send(
            spec.subnets.map {
                .add(Route(to: $0.network, via: transit.fabric($0.family), link: link.index))
            })
        if !families.contains(.v6) { return }
        // What is published on ::1 is answered by this interface, and the kernel looks for the loopback's address on
        // the very interface that a packet arrives by. Packets that really bear it are refused before that.
        var answers = Route(to: IPPrefix(.v6(1)), link: link.index, metric: 1024 + transit.number)
        (answers.isLocal, answers.table) = (true, 255)
        try socket.send(.add(answers))
    }

    private func setUpFabric(_ transit: Transit, _ socket: borrowing NetlinkSocket) throws(SystemError) {
        guard let link = try socket.link(.name(FabricName.uplink)) else {
            throw SystemError("look at the interface \(FabricName.uplink)", code: ENODEV)
        }
        if families.contains(.v4) { try setNetworkSetting("ipv4/ip_forward", "1", in: fabric) }
        if families.contains(.v6) { try setNetworkSetting("ipv6/conf/all/forwarding", "1", in: fabric) }
        try socket.send([
            .change(.index(link.index), LinkChange(ipv6Addresses: .never)),
            .change(.index(link.index), LinkChange(isUp: true)),
        ])
        try socket.send(try addresses(link.index) { transit.fabric($0) })
        try socket.send(families.map { .add(.byDefault(via: transit.host($0), link: link.index)) })
    }

    private func addresses(
        _ index: Int32, _ address: (IPFamily) -> IPAddress
    ) throws(SystemError) -> [NetlinkMessage] {
        families.compactMap { IPPrefix(address($0), length: Transit.length($0)) }
            .map { .add(InterfaceAddress($0, link: index, flags: .withoutDuplicateDetection)) }
    }
}

/// Which of the host's interfaces pass packets on: only those that must.
struct Forwarding {
    let host: Int32

    /// Lets interfaces forward that do not; what is not ours they go on dropping.
    func open(
        _ interfaces: [String], _ families: [IPFamily], _ settings: borrowing HostSettings
    ) throws(SwitchError) {
        for name in Set(interfaces).sorted() {
            for family in families {
                let setting = family == .v4 ? "ipv4/conf/\(name)/forwarding" : "ipv6/conf/\(name)/force_forwarding"
                if family == .v6, try forwardsIPv6() { continue }
                try attributed(to: "uplink") { () throws(SystemError) in
                    // In this order: what forwards is never without its rule.
                    if try networkSetting(setting, in: host) == "1" { return }
                    try HostTable(host: host).add(name, to: [.opened])
                    _ = try settings.change(setting, to: "1")
                }
            }
        }
    }

    /// Whether the host forwards IPv6 on all interfaces.
    private func forwardsIPv6() throws(SwitchError) -> Bool {
        try attributed { () throws(SystemError) in try networkSetting("ipv6/conf/all/forwarding", in: host) == "1" }
    }

    /// Lets an interface of ours forward IPv6.
    func allowIPv6(_ name: String) throws(SystemError) {
        if try networkSetting("ipv6/conf/all/forwarding", in: host) == "1" { return }
        do throws(SystemError) {
            try setNetworkSetting("ipv6/conf/\(name)/force_forwarding", "1", in: host)
        } catch {
            guard error.code == ENOENT else { throw error }
            throw SystemError(
                "forward IPv6", code: EOPNOTSUPP,
                mend: "before Linux 6.17 all interfaces of a host forward it or none: set net.ipv6.conf.all.forwarding "
                    + "to 1 (and accept_ra to 2 where the host's own address comes by it), or take the IPv6 subnet out")
        }
    }
}
