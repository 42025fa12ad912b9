import Addresses
import CLinux
import Glibc
import Kernel
import Netlink

/// A proxy's box: between its two interfaces it is nobody, and its program is the application to the switch, and all the
/// world to the application.
///
/// Any program that listens at the ports that its classifier names is a proxy there: what the application sends to any
/// address is the box's own, so that the program finds by getsockname(2) whom it was meant for, and answers as that one.
/// What it begins has the application's addresses, hardware address and routes, and ports above the usual ones. It needs
/// no capability, no mark and no translation of addresses. A program that answers datagrams does not always say as whom:
/// what is sent by UDP is led to an address of the box's, and goes back as from whom was asked (connection tracking).
public struct ProxyBox: ~Copyable {
    private let namespace: Int32
    private let socket: NetlinkSocket
    private let inner: Link
    private let outer: Link
    private let classifier: Classifier

    /// - Parameter namespace: a descriptor of the box's network namespace.
    /// - Parameter interfaces: towards the application, towards the switch.
    public init(
        in namespace: Int32, _ interfaces: (inner: String, outer: String) = ("in0", "out0"), classifier: String
    ) throws(SwitchError) {
        let socket = try attributed { () throws(SystemError) in try NetlinkSocket(in: namespace) }
        let (inner, outer) = try attributed { () throws(SystemError) in
            (try socket.link(.name(interfaces.inner)), try socket.link(.name(interfaces.outer)))
        }
        let read = try Classifier(parsing: classifier)
        guard let inner, let outer else {
            throw SwitchError(key: "chain", "the proxy's box has lost its interfaces", mend: "start it again")
        }
        self.namespace = namespace
        self.socket = socket
        self.inner = inner
        self.outer = outer
        self.classifier = read
    }

    /// Tables of routes: the main one, the one of own addresses, and ours for what goes to the application.
    private enum Table {
        static let main: UInt32 = 254
        static let own: UInt32 = 255
        static let application: UInt32 = 100
    }

    /// Makes it stand for an application, and takes what begins.
    public func stand(for application: ApplicationEnd) throws(SwitchError) {
        if application.addresses.isEmpty {
            throw SwitchError(
                key: "chain", "a proxy has the application's addresses, and \"\(application.interface)\" has none",
                mend: "give the interface an address")
        }
        let families = [IPFamily.v4, .v6].filter { family in application.addresses.contains { $0.family == family } }
        try attributed(to: "chain") { () throws(SystemError) in
            try set(families)
            try socket.send(interfaces(application, families))
            try socket.send(families.flatMap { ways(application, $0) })
        }
        if takesDatagrams { try leadDatagrams() }
        try letBegin(true)
    }

    /// Whether what begins is taken; what has begun is, as long as it lasts.
    public func letBegin(_ isOpen: Bool) throws(SwitchError) {
        try attributed(to: "chain") { () throws(SystemError) in
            let programs = InterfacePrograms(in: namespace)
            let back = ProxyProgram(other: inner.index, classifier: classifier, isOpen: isOpen).fromSwitch()
            try programs.set(try LoadedProgram(back, name: ProxyProgram.name), on: outer.index, .input)
            let forth = ProxyProgram(other: outer.index, classifier: classifier, isOpen: isOpen).fromApplication()
            try programs.set(try LoadedProgram(forth, name: ProxyProgram.name), on: inner.index, .input)
        }
    }

    /// How many TCP connections its program has, of those that are not over.
    public static func connections(in namespace: Int32) throws(SwitchError) -> Int {
        try attributed { () throws(SystemError) in
            var count = 0
            for name in ["tcp", "tcp6"] {
                let path = "/proc/thread-self/net/\(name)"
                let number = linux_open_in(namespace, path, O_RDONLY)
                if number < 0, errno == ENOENT { continue }
                let file = Descriptor(try check("open \(path) of another network namespace") { number })
                // TIME_WAIT, CLOSE and LISTEN are none.
                count += try readText(file.number, name: path).split(separator: "\n").dropFirst().count { line in
                    let words = line.split(separator: " ")
                    return words.count > 3 && !["06", "07", "0A"].contains(words[3])
                }
            }
            return count
        }
    }

    // MARK: - Settings

    private func set(_ families: [IPFamily]) throws(SystemError) {
        let names = [inner.name, outer.name]
        var settings: [(String, String)] = [
            ("ipv4/ip_forward", "0"), ("ipv4/conf/all/rp_filter", "0"), ("ipv4/conf/all/accept_local", "1"),
            // The application answers for its address, and for ping(8).
            ("ipv4/conf/all/arp_ignore", "8"), ("ipv4/icmp_echo_ignore_all", "1"),
            ("ipv4/ip_local_port_range", "\(ProxyProgram.ownPorts.lowerBound) \(ProxyProgram.ownPorts.upperBound)"),
            // A connection that is known by its cookie alone would be nobody's.
            ("ipv4/tcp_syncookies", "0"), ("ipv4/tcp_tw_reuse", "1"), ("ipv4/ip_nonlocal_bind", "1"),
        ]
        settings += names.map { ("ipv4/conf/\($0)/rp_filter", "0") }
        if families.contains(.v6) {
            settings += [
                ("ipv6/conf/all/forwarding", "0"), ("ipv6/icmp/echo_ignore_all", "1"), ("ipv6/ip_nonlocal_bind", "1"),
            ]
            settings += names.map { ("ipv6/conf/\($0)/accept_ra", "0") }
        }
        for (name, value) in settings { try setNetworkSetting(name, value, in: namespace) }
    }

    /// Its own addresses towards the application; answers to datagrams have them.
    private static func ownAddress(_ family: IPFamily) -> [IPPrefix] {
        let texts = family == .v4 ? ["169.254.255.254/32"] : ["fdff:ffff:ffff:ffff::1/128", "fe80::ffff:1/128"]
        return texts.compactMap { IPPrefix($0) }
    }

    private func interfaces(_ application: ApplicationEnd, _ families: [IPFamily]) -> [NetlinkMessage] {
        let changes: [NetlinkMessage] = [
            .change(.name("lo"), LinkChange(isUp: true)),
            .change(.index(outer.index), LinkChange(address: application.mac)),
        ]
        let flags: AddressFlags = [.withoutDuplicateDetection, .withoutRoute]
        let own = families.flatMap { ProxyBox.ownAddress($0) }.map {
            NetlinkMessage.replace(InterfaceAddress($0, link: inner.index, flags: flags))
        }
        let theirs = application.addresses.flatMap { prefix in
            [
                NetlinkMessage.replace(InterfaceAddress(prefix, link: outer.index, flags: flags)),
                .replace(Neighbour(prefix.address, application.mac, link: inner.index)),
            ]
        }
        let routes = application.routes.map { route in
            var route = route
            route.link = outer.index
            return NetlinkMessage.replace(route)
        }
        return changes + own + theirs + routes
    }

    /// What it sends to the application's addresses goes there, though they are its own; other things go where the
    /// application's would; and all that comes is for itself.
    private func ways(_ application: ApplicationEnd, _ family: IPFamily) -> [NetlinkMessage] {
        let addresses = application.addresses.map(\.address).filter { $0.family == family }
        let own = ProxyBox.ownAddress(family).first?.address
        var messages: [NetlinkMessage] = []
        for address in addresses {
            let alone = IPPrefix(address)
            var route = Route(to: alone, link: inner.index, source: own)
            route.table = Table.application
            messages.append(.replace(route))
            messages.append(
                .add(RoutingRule(family, priority: 1, table: Table.application, to: alone, input: "lo")))
        }
        // The loopback interface is the first.
        var all = Route(to: .all(family), link: 1)
        (all.table, all.isLocal) = (Table.own, true)
        messages.append(.replace(all))
        let loopback = family == .v4 ? IPPrefix("127.0.0.0/8") : IPPrefix("::1/128")
        messages += [
            .add(RoutingRule(family, priority: 2, table: Table.own, to: loopback)),
            .add(RoutingRule(family, priority: 3, table: Table.main, input: "lo")),
            .add(RoutingRule(family, priority: 4, table: Table.own)),
            .delete(RoutingRule(family, priority: 0, table: Table.own)),
        ]
        return messages
    }

    // MARK: - Datagrams

    private var takesDatagrams: Bool {
        classifier.clauses.contains { $0.protocol == nil || $0.protocol == 17 }
    }

    private func leadDatagrams() throws(SwitchError) {
        let rules = """
            table inet sandbox_proxy {
                chain led {
                    type nat hook prerouting priority -100;
                    iifname "\(inner.name)" meta l4proto udp redirect
                }
            }
            """
        try Program("nft", package: "nftables").run(["-f", "-"], input: rules, in: namespace)
    }
}
