import Addresses
import Testing

@testable import Profile

struct NetworkTests {
    @Test func everyKeyReachesTheModel() throws {
        let profile = try load(
            """
            namespaces.unshare = ["net"]
            [network]
            switch = "lan"
            name = "lan0"
            address = ["10.1.0.5/24", "fd00:1::5/64"]
            mac = "02:00:00:00:00:05"
            mtu = 1400
            vlan = 10
            trunk = [20, 30]
            isolated = true
            gateway = "10.1.0.1"
            routes = ["10.9.0.0/16 via 10.1.0.254"]
            dns = ["10.1.0.53", "auto"]
            publish = ["127.0.0.1:8080:80", "9000-9001:9000-9001/udp"]
            rate = { egress = "1.5mbit", ingress = "2gbit", burst = "64K" }
            spoofing = "allow"
            allow = ["tcp to 10.1.0.0/16:443", "icmp"]
            more = [{ attach = "macvlan", device = "eth7", mode = "source", sources = ["02:00:00:00:00:06"] }]
            """
        ).profile
        var first = Profile.Interface()
        first.switchName = "lan"
        first.name = "lan0"
        first.address = .fixed([try prefix("10.1.0.5/24"), try prefix("fd00:1::5/64")])
        first.hardwareAddress = .fixed(try #require(MACAddress("02:00:00:00:00:05")))
        first.mtu = 1400
        first.vlan = 10
        first.trunk = [20, 30]
        first.isolated = true
        first.gateway = .address(try #require(IPAddress("10.1.0.1")))
        first.routes = [.init(to: try prefix("10.9.0.0/16"), via: try #require(IPAddress("10.1.0.254")))]
        first.nameServers = [.address(try #require(IPAddress("10.1.0.53"))), .auto]
        first.publish = [
            Publication(address: IPAddress("127.0.0.1"), ports: 8080...8080, target: 80, transport: .tcp),
            Publication(address: nil, ports: 9000...9001, target: 9000, transport: .udp),
        ]
        first.rate.egress = 1_500_000
        first.rate.ingress = 2_000_000_000
        first.rate.burst = 65536
        first.spoofing = .allow
        first.allow = [
            try #require(TrafficRule("tcp to 10.1.0.0/16:443")), try #require(TrafficRule("icmp to any")),
        ]
        var second = Profile.Interface()
        second.attach = .macvlan
        second.device = "eth7"
        second.mode = .source
        second.sources = [try #require(MACAddress("02:00:00:00:00:06"))]
        #expect(profile.network.interface == first)
        #expect(profile.network.more == [second])
        #expect(profile.network.interfaces.map(\.kind) == [.veth, .macvlan])
    }

    private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

    @Test func whatHoldsWithoutThem() throws {
        #expect(try load("[network]").profile.network == Profile.Network())
        let network = try load("namespaces.unshare = [\"net\"]\nnetwork.switch = \"lan\"").profile.network
        #expect(network.attach == .veth && network.interface.address == .auto && network.interface.allow == nil)
    }

    @Test(arguments: [
        ("8080:80", "8080:80/tcp"), ("80/udp", "80:80/udp"), ("[::1]:8443:443/tcp", "[::1]:8443:443/tcp"),
        ("10.0.0.1:1-3:5-7", "10.0.0.1:1-3:5-7/tcp"),
    ])
    func publications(text: String, whole: String) {
        #expect(Publication(text)?.description == whole)
        #expect(Publication(whole)?.description == whole)
    }

    @Test(arguments: [
        "", "0", "65536", "80:", ":80", "80:80:80", "1-3:5-6", "3-1", "::1:80:80", "80/sctp", "[1.2.3.4]:1:1",
    ])
    func noPublications(text: String) { #expect(Publication(text) == nil) }

    @Test(arguments: [
        ("icmp", "icmp"), ("any from 10.0.0.0/8", "any from 10.0.0.0/8"), ("tcp to fd00::1", "tcp to fd00::1"),
        ("tcp to [fd00::]:22", "tcp to [fd00::]:22"), ("udp to *:53", "udp to any:53"),
        ("tcp to Example.ORG:1-2", "tcp to example.org:1-2"), ("tcp from any:80", "tcp from any:80"),
    ])
    func rules(text: String, whole: String) {
        #expect(TrafficRule(text)?.description == whole)
        #expect(TrafficRule(whole)?.description == whole)
    }

    @Test(arguments: [
        "", "sctp", "tcp 10.0.0.1", "tcp to", "icmp to any:80", "tcp to 10.0.0.1/8", "tcp to 10.0.0.999:80",
        "tcp to 10.0.0.1:0", "tcp from example.org:80", "tcp to a b", "tcp to any:99999",
    ])
    func noRules(text: String) { #expect(TrafficRule(text) == nil) }

    @Test(arguments: [
        ("vlan = 5000", "a.toml:3:8: network.vlan: 5000 is out of range; use 1 to 4094"),
        (
            "name = \"abcdefghijklmnop\"",
            "a.toml:3:8: network.name: \"abcdefghijklmnop\" is longer than 15 bytes; the kernel takes no longer names"
        ),
        (
            "address = \"10.1.0.5\"",
            "a.toml:3:11: network.address: \"10.1.0.5\" lacks its network's length; write it like \"10.1.0.5/24\""
        ),
        (
            "address = [\"10.1.0.0/24\"]",
            "a.toml:3:12: network.address: \"10.1.0.0/24\" is the network's own address, no host's; "
                + "take one from 10.1.0.1 to 10.1.0.254"
        ),
        (
            "address = [\"auto\", \"10.1.0.4/24\"]",
            "a.toml:3:12: network.address: \"auto\" stands alone; take it or the others out"
        ),
        (
            "mac = \"03:00:00:00:00:01\"",
            "a.toml:3:7: network.mac: \"03:00:00:00:00:01\" stands for a group; "
                + "make the first byte even: no interface can have it"
        ),
        (
            "rate = { egress = \"10mb\" }",
            "a.toml:3:19: network.rate.egress: \"10mb\" is no rate; write it like \"10mbit\" (bit, kbit, mbit, gbit)"
        ),
        (
            "publish = [\"x:80\"]",
            "a.toml:3:12: network.publish: \"x:80\" names no port; "
                + "write it like \"8080:80/tcp\", each port from 1 to 65535"
        ),
        (
            "allow = [\"tcp to 10.0.0.300\"]",
            "a.toml:3:10: network.allow: \"tcp to 10.0.0.300\" names no address; "
                + "write an address, a network, a name of the DNS or \"any\""
        ),
    ])
    func badValues(line: String, message: String) {
        #expect(problem("namespaces.unshare = [\"net\"]\n[network]\n\(line)\nswitch = \"lan\"") == message)
    }
}
