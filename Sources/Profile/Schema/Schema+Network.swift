import Addresses

extension Schema {
    /// Those of a further interface.
    private static let interface = Array(network.dropLast())

    static let network: [Key] = [
        Key(
            "attach", .string(.choice(words(Profile.Interface.Attach.allCases))),
            "veth: a port of a switch; macvlan: one that shares a device; macvtap: the same for a program that speaks "
                + "Ethernet itself, such as a virtual machine's, by /dev/tapN (N: the interface's index); physical: a device of the host's, "
                + "moved in and given back; user: by the caller's own sockets, without root; host: the caller's "
                + "network; none: loopback only. All but host need a net namespace of the box's own",
            example: "\"veth\"", fallback: "veth with a switch; else none with a new net namespace, host otherwise"),
        Key(
            "switch", .string(.switchName), "The switch to attach to; made on first use, gone with its last port",
            example: "\"lan\""),
        Key(
            "name", .string(.interfaceName), "The interface's name in the box", example: "\"eth0\"",
            fallback: "eth0, eth1 and so on; a physical one keeps its own"),
        Key(
            "device", .string(.interfaceName), "The host's device: a parent without a switch, or the one that is moved",
            example: "\"enp3s0\""),
        Key(
            "mode", .string(.choice(words(Profile.Interface.Mode.allCases))), "Who reaches whom on one parent",
            example: "\"bridge\"", fallback: "bridge", basis: "ip-link(8), macvlan"),
        Key(
            "sources", .list(.string(.mac([]))), "Hardware addresses let in, in mode source",
            example: "[\"02:00:00:00:00:01\"]", fallback: "[]"),
        Key(
            "address", .oneOrMore(.address(["auto", "none", "dhcp", "dhcp6"])),
            "auto: one of each of the switch's subnets; none; dhcp, dhcp6: what a DHCP server gives, IPv4 and IPv6, alone "
                + "or both in a list, asked before the command begins and renewed while it runs; or addresses with their "
                + "networks' lengths",
            example: "[\"10.1.0.5/24\", \"fd00:1::5/64\"]", fallback: "auto"),
        Key(
            "mac", .string(.mac(["auto", "random"])),
            "The hardware address: auto: the same for the same name; random; or as given", example: "\"auto\"",
            fallback: "auto"),
        Key("mtu", .integer(68...65535), "Largest packet, in bytes", example: "1500", fallback: "the switch's"),
        Key("vlan", .integer(1...4094), "The VLAN that the port belongs to, untagged", example: "10"),
        Key(
            "trunk", .list(.integer(1...4094)), "VLANs that pass with their tags", example: "[10, 20]", fallback: "[]"),
        Key(
            "isolated", .boolean,
            "Whether other isolated ports are out of reach; of a macvlan: all others (mode private)", example: "true",
            fallback: "the switch's", basis: "bridge(8)"),
        Key(
            "gateway", .string(.addressOr(["auto", "none"])),
            "Where all else goes. auto: to the switch where it has an uplink; with dhcp as the DHCP server says, with "
                + "dhcp6 as routers on the network say", example: "\"auto\"", fallback: "auto"),
        Key(
            "routes", .list(.string(.route)), "Further routes", example: "[\"10.9.0.0/16 via 10.1.0.254\"]",
            fallback: "[]"),
        Key(
            "dns", .vector(.string(.addressOr(["auto"]))),
            "Name servers, put into the box's /etc/resolv.conf; auto: the switch's where it has one, and those that DHCP "
                + "servers tell. Needs a mount "
                + "namespace; auto without one changes nothing", example: "[\"auto\"]",
            fallback: "[\"auto\"]", basis: "resolv.conf(5)"),
        Key(
            "publish", .list(.string(.publication)),
            "Ports of the host that lead to the box: [ADDRESS:]PORT[-PORT]:PORT[-PORT][/tcp|/udp]; without an address, "
                + "those of all the host's addresses. Beside allow it is as if \"from any\" were there for each",
            example: "[\"8080:80/tcp\", \"[::1]:8443:443\"]", fallback: "[]"),
        Key("rate", .table(rate), "Most bits per second", basis: "tc(8)"),
        Key(
            "chain", .list(.string(.functionReference)),
            "Service functions between the port and the switch, in order from the application: "
                + "NAME[:PRESET][?PARAMETER=VALUE&...][@INSTANCE]. Functions are profiles with a section [function], in "
                + "folders functions beside those of profiles; a list's values have commas between. @INSTANCE is one "
                + "that several applications share", example: "[\"firewall:web\", \"shaper?rate=10mbit\"]",
            fallback: "[]", basis: "sandbox-chain(1)"),
        Key(
            "spoofing", .string(.choice(words(Profile.Permission.allCases))),
            "Whether frames may have other source addresses than the interface's own. What keeps one of kind macvlan or "
                + "macvtap from that lies in the box: it holds where security.capabilities.keep is given, without "
                + "NET_ADMIN, or process.user names another than root; elsewhere such an interface may, and deny is "
                + "refused. A box that keeps NET_RAW then has neither io_uring nor sockets of AF_XDP, whose frames "
                + "nothing would see",
            example: "\"deny\"",
            fallback: "deny, where that holds"),
        Key(
            "allow", .list(.string(.trafficRule)),
            "What passes, all else being dropped: tcp, udp, icmp or any, alone or with to or from and an address, a "
                + "network, a name or any, with :PORT or :PORT-PORT. Answers pass too. A name of the DNS stands for it "
                + "and the names below it, on a switch with a name server that asks others: an address passes from "
                + "the moment at which that server tells it, until an hour without packets to it, and so do other "
                + "names' servers at that address; all names can be asked for",
            example: "[\"tcp to 10.1.0.0/16:443\", \"icmp\"]", fallback: "everything"),
        Key(
            "more", .records(interface, identity: ["name", "switch", "device"]),
            "Further interfaces, each with the keys of this section",
            example: "[{ switch = \"backend\", name = \"eth1\" }]",
            fallback: "[]"),
    ]

    private static let rate: [Key] = [
        Key("egress", .string(.bitRate), "What the box sends", example: "\"10mbit\""),
        Key("ingress", .string(.bitRate), "What the box receives", example: "\"50mbit\""),
        Key(
            "burst", .size(minimum: 1600), "Bytes that may pass at once", example: "\"64K\"",
            fallback: "fifty milliseconds' worth up to 64K, ten beyond"),
    ]
}

extension Quantity {
    /// Bits per second: `10mbit`, `1.5gbit`, `800kbit`, `5000bit`, each a thousand of the next (tc(8)).
    static func bitRate(_ text: String) -> UInt64? {
        for (suffix, unit) in [("kbit", 1_000), ("mbit", 1_000_000), ("gbit", 1_000_000_000), ("bit", 1)]
            as [(String, UInt64)]
        where text.hasSuffix(suffix) {
            let parts = text.dropLast(suffix.utf8.count).split(separator: ".", omittingEmptySubsequences: false)
            guard let whole = parts.first.flatMap(plain), whole <= 1_000_000, parts.count <= 2 else { return nil }
            var bits = whole * unit
            if parts.count == 2 {
                guard parts[1].utf8.count <= 3, let part = plain(parts[1]) else { return nil }
                var scale: UInt64 = 1
                for _ in parts[1].utf8 { scale *= 10 }
                bits += part * unit / scale
            }
            return bits
        }
        return nil
    }

    /// The shortest text of it.
    static func bitRateText(_ bits: UInt64) -> String {
        for (suffix, unit) in [("gbit", 1_000_000_000), ("mbit", 1_000_000), ("kbit", 1_000)] as [(String, UInt64)]
        where bits % unit == 0 && bits > 0 {
            return "\(bits / unit)\(suffix)"
        }
        return "\(bits)bit"
    }
}

extension Profile.Interface.Route {
    /// `10.9.0.0/16 via 10.1.0.254`.
    init?(text: String) {
        let words = text.split(separator: " ")
        guard words.count == 3, words[1] == "via", let to = IPPrefix(String(words[0])), to.isNetwork,
            let via = IPAddress(String(words[2])), via.family == to.family
        else { return nil }
        self.init(to: to, via: via)
    }

    /// As the profile language writes it.
    public var text: String { "\(to) via \(via)" }
}

extension Form {
    /// What a switch can be called: it is part of file and interface names.
    public static func isSwitchName(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, bytes.count <= 32, first != 0x2d, first != 0x2e else { return false }
        return bytes.allSatisfy { DocumentPath.isBare($0) || $0 == 0x2e }
    }

    static func switchNameProblem(_ text: String) -> Problem? {
        isSwitchName(text)
            ? nil
            : Problem(
                "\(quote(text)) is no name of a switch",
                mend: "use letters, digits, \".\", \"_\" and \"-\", at most 32, not beginning with \".\" or \"-\"")
    }

    /// dev_valid_name() of the kernel, and nothing that could be an option.
    static func interfaceNameProblem(_ text: String) -> Problem? {
        if text.utf8.count > 15 {
            return Problem("\(quote(text)) is longer than 15 bytes", mend: "the kernel takes no longer names")
        }
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x3A }
        if isPlain, !text.isEmpty, text != ".", text != "..", text != "lo", !text.hasPrefix("-") { return nil }
        return Problem("\(quote(text)) is no name of an interface", mend: "write one such as \"eth0\"")
    }

    /// Whether all are words of ``addressProblem(_:or:)`` that go with one another.
    static func areCompany(_ items: [Value]) -> Bool {
        items.allSatisfy { item in
            guard case .string(let text) = item else { return false }
            return text == "dhcp" || text == "dhcp6"
        }
    }

    static func addressProblem(_ text: String, or words: [String]) -> Problem? {
        if words.contains(text) { return nil }
        let mend = "write \(either(words)), or an address with its network's length such as \"10.1.0.5/24\""
        guard let prefix = IPPrefix(text) else { return Problem("\(quote(text)) is no address", mend: mend) }
        if !text.contains("/") {
            return Problem("\(quote(text)) lacks its network's length", mend: "write it like \"\(text)/24\"")
        }
        let address = prefix.address
        if address.isMulticast || address.isLoopback || address.isUnspecified {
            return Problem("\(quote(text)) is no interface's address", mend: mend)
        }
        if !prefix.hosts.contains(address) {
            return Problem(
                "\(quote(text)) is the network's own address, no host's",
                mend: "take one from \(prefix.hosts.lowerBound) to \(prefix.hosts.upperBound)")
        }
        return nil
    }

    static func plainAddressProblem(_ text: String, or words: [String]) -> Problem? {
        if words.contains(text) || IPAddress(text) != nil { return nil }
        return Problem("\(quote(text)) is no address", mend: "write \(either(words)) or an IPv4 or IPv6 address")
    }

    static func macProblem(_ text: String, or words: [String]) -> Problem? {
        if words.contains(text) { return nil }
        guard let address = MACAddress(text), address != .zero else {
            return Problem("\(quote(text)) is no hardware address", mend: "write it like \"02:00:00:00:00:01\"")
        }
        return address.isMulticast
            ? Problem("\(quote(text)) stands for a group", mend: "make the first byte even: no interface can have it")
            : nil
    }

    static func routeProblem(_ text: String) -> Problem? {
        Profile.Interface.Route(text: text) == nil
            ? Problem("\(quote(text)) is no route", mend: "write it like \"10.9.0.0/16 via 10.1.0.254\"") : nil
    }

    static func bitRateProblem(_ text: String) -> Problem? {
        guard let bits = Quantity.bitRate(text) else {
            return Problem("\(quote(text)) is no rate", mend: "write it like \"10mbit\" (bit, kbit, mbit, gbit)")
        }
        return bits >= 8000 ? nil : Problem("\(quote(text)) is too little", mend: "use 8kbit or more")
    }

    static func publicationProblem(_ text: String) -> Problem? {
        do throws(NotRead) { _ = try Publication(reading: text) } catch { return error.problem(of: text) }
        return nil
    }

    static func trafficRuleProblem(_ text: String) -> Problem? {
        do throws(NotRead) { _ = try TrafficRule(reading: text) } catch { return error.problem(of: text) }
        return nil
    }
}

extension NotRead {
    fileprivate func problem(of text: String) -> Form.Problem {
        Form.Problem("\(Form.quote(text)) \(problem)", mend: mend)
    }
}
