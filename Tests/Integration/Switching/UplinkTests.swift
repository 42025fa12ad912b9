import Glibc
import Testing

extension Integration {
    @Suite("Uplinks", .needsRoot, .needsProgram("nft"), .needsProgram("python3")) struct UplinkTests {
        @Test("nat: boxes reach what is behind the host with the host's address, and are not reached from there")
        func nat() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink", "nat"])
            try net.serve(on: net.outside, "world", "tcp:198.51.100.2:80", "udp:198.51.100.2:53")
            #expect(try net.ask(fromBoxOn: "lan", "tcp:198.51.100.2:80") == "world 198.51.100.1")
            #expect(try net.ask(fromBoxOn: "lan", "udp:198.51.100.2:53") == "world 198.51.100.1")

            try net.startBox(
                "web", ["--switch", "lan", "--address", "10.77.0.9/24"], "tcp:10.77.0.9:80")
            try net.script(on: net.outside, "ip route add 10.77.0.0/24 via 198.51.100.1")
            #expect(try net.ask(from: net.outside, "tcp:10.77.0.9:80") == "silent")
            #expect(try net.ask(from: net.host, "tcp:10.77.0.9:80") == "silent", "the host reaches what is published")
            #expect(try net.ask(fromBoxOn: "lan", "tcp:10.77.0.9:80").hasPrefix("web 10.77.0."))
        }

        @Test("nat: IPv6 the same", .needsSingleForwarding) func ipv6() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "fd77::/64", "--uplink", "nat"])
            try net.serve(on: net.outside, "world", "tcp:2001:db8:1::2:80", "udp:2001:db8:1::2:53")
            #expect(try net.ask(fromBoxOn: "lan", "tcp:2001:db8:1::2:80") == "world 2001:db8:1::1")
            #expect(try net.ask(fromBoxOn: "lan", "udp:2001:db8:1::2:53") == "world 2001:db8:1::1")
        }

        @Test("nat: boxes do not reach the host's own services, a ping apart", .needsSingleForwarding) func guarded()
            throws
        {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must([
                "switch", "create", "lan", "--subnet", "10.77.0.0/24", "--subnet", "fd77::/64", "--uplink", "nat",
            ])
            try net.serve(on: net.host, "own", "tcp:0.0.0.0:80", "udp:0.0.0.0:53", "tcp::::80")
            #expect(try net.ask(from: net.outside, "tcp:198.51.100.1:80") == "own 198.51.100.2")
            for place in ["tcp:198.51.100.1:80", "tcp:169.254.64.1:80", "udp:198.51.100.1:53", "tcp:2001:db8:1::1:80"] {
                #expect(try net.ask(fromBoxOn: "lan", place) == "refused", "\(place)")
            }
            let ping = try net.sandbox([
                "run", "--unshare", "net", "--switch", "lan", "--", "ping", "-c1", "-W5", "198.51.100.1",
            ])
            #expect(ping.succeeded, "\(ping)")
        }

        @Test("nat: the host forwards nothing else for it") func noRouter() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.script(
                on: net.host,
                """
                ip netns exec \(net.host) true
                ip link add dmz type veth peer name far
                ip address add 203.0.113.1/24 dev dmz
                ip link set dmz up
                ip link set far up
                """)
            let neighbour = box.mark + "-n"
            try box.must(["ip", "netns", "add", neighbour])
            defer { _ = try? box.run(["ip", "netns", "delete", neighbour]) }
            try net.script(on: net.host, "ip link set far netns \(neighbour)")
            try net.script(
                on: neighbour,
                """
                ip address add 203.0.113.2/24 dev far
                ip link set far up
                ip route add default via 203.0.113.1
                """)
            try net.script(on: net.outside, "ip route add 203.0.113.0/24 via 198.51.100.1")
            try net.serve(on: neighbour, "inner", "tcp:203.0.113.2:80")
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink", "nat"])
            #expect(try net.ask(from: net.outside, "tcp:203.0.113.2:80") == "silent")
            // The same is forwarded where the table is not in the way: the question is a good one.
            try net.script(
                on: net.host, "nft delete table inet sandbox && sysctl -qw net.ipv4.conf.all.forwarding=1")
            #expect(try net.ask(from: net.outside, "tcp:203.0.113.2:80") == "inner 198.51.100.2")
        }

        @Test("nat: settings, table and link go with the last switch") func restored() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            let before = try net.settledState()
            try net.must(["switch", "create", "one", "--subnet", "10.77.1.0/24", "--uplink", "nat"])
            try net.must(["switch", "create", "two", "--subnet", "10.77.2.0/24", "--uplink", "nat"])
            #expect(try net.text(on: net.host, ["sysctl", "-n", "net.ipv4.conf.wan.forwarding"]) == "1")
            #expect(try net.text(on: net.host, ["sysctl", "-n", "net.ipv4.conf.all.forwarding"]) == "0")
            try net.must(["switch", "delete", "one"])
            try net.serve(on: net.outside, "world", "tcp:198.51.100.2:80")
            #expect(try net.ask(fromBoxOn: "two", "tcp:198.51.100.2:80") == "world 198.51.100.1")
            try net.must(["switch", "delete", "two"])
            #expect(try net.hostState() == before)
            #expect(Files.list(box.file("state/switches")).isEmpty)
            #expect(!Files.exists(box.file("state/host-settings")))
        }

        @Test("nat: a host whose tables were emptied gets them again") func emptied() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "one", "--subnet", "10.77.1.0/24", "--uplink", "nat"])
            try net.script(on: net.host, "nft flush ruleset")
            try net.must(["switch", "create", "two", "--subnet", "10.77.2.0/24", "--uplink", "nat"])
            try net.serve(on: net.outside, "world", "tcp:198.51.100.2:80")
            for name in ["one", "two"] {
                #expect(try net.ask(fromBoxOn: name, "tcp:198.51.100.2:80") == "world 198.51.100.1")
            }
        }

        @Test("nat: a firewall of the host's that is in the way is told of, with what lets the switch pass")
        func firewall() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.script(
                on: net.host,
                """
                nft add table ip filter
                nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'
                """)
            let outcome = try net.sandbox(["switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink", "nat"])
            #expect(outcome.succeeded && outcome.err.contains("table ip filter, chain FORWARD"), "\(outcome)")
            try net.serve(on: net.outside, "world", "tcp:198.51.100.2:80")
            #expect(try net.ask(fromBoxOn: "lan", "tcp:198.51.100.2:80") == "silent")
            for direction in ["iifname", "oifname"] {
                try net.script(on: net.host, "nft insert rule ip filter FORWARD \(direction) sb-lan accept")
            }
            #expect(try net.ask(fromBoxOn: "lan", "tcp:198.51.100.2:80") == "world 198.51.100.1")
        }

        @Test("A device of the host's becomes a port, and comes back as it was") func device() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            let far = box.mark + "-f"
            try box.must(["ip", "netns", "add", far])
            defer { _ = try? box.run(["ip", "netns", "delete", far]) }
            try net.script(
                on: net.host,
                """
                ip link add lan0 type veth peer name eth0 netns \(far)
                ip address add 10.77.0.3/24 dev lan0
                ip link set lan0 up
                """)
            try net.script(on: far, "ip address add 10.77.0.2/24 dev eth0; ip link set eth0 up")
            let before = try net.text(on: net.host, ["ip", "-br", "-4", "address", "show", "lan0"])
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.1/24", "--uplink", "lan0"])
            #expect(!(try net.text(on: net.host, ["ip", "link"]).contains("lan0")))
            try net.serve(on: far, "far", "tcp:10.77.0.2:80")
            #expect(
                try net.ask(fromBoxOn: "lan", "tcp:10.77.0.2:80", ["--address", "10.77.0.9/24"]) == "far 10.77.0.9")
            try net.must(["switch", "delete", "lan"])
            #expect(try net.text(on: net.host, ["ip", "-br", "-4", "address", "show", "lan0"]) == before)
            #expect(before.contains("10.77.0.3/24"))
        }

        @Test(
            "A device that cannot be an uplink is refused, and stays as it is",
            arguments: [
                ("wan", "the host reaches others by \"wan\""), ("lo", "loopback"), ("none0", "no interface \"none0\""),
                ("used", "is a port of another bridge"), ("br9", "is of kind bridge"),
            ]) func refused(device: String, reason: String) throws
        {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.script(
                on: net.host,
                """
                ip link add br9 type bridge
                ip link add used type veth peer name other
                ip link set used master br9
                """)
            let before = try net.settledState()
            let outcome = try net.sandbox([
                "switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink", device,
            ])
            #expect(outcome.status == 125 && outcome.errorLines.count == 1, "\(outcome)")
            #expect(outcome.err.contains(reason), "\(outcome)")
            #expect(try net.hostState() == before)
            #expect(Files.list(box.file("state/switches")).isEmpty)
        }

        @Test("The host's own way out is taken by force only, and comes back") func forced() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink", "wan", "--force"])
            #expect(!(try net.text(on: net.host, ["ip", "link"]).contains("wan")))
            try net.must(["switch", "delete", "lan"])
            #expect(try net.text(on: net.host, ["ip", "address"]).contains("198.51.100.1/24"))
        }
    }
}

extension OuterNetwork {
    /// The same, once the kernel has found out which links have somebody at their other end.
    func settledState() throws -> String {
        var last = ""
        _ = try Clock.waitUntil {
            let before = last
            Clock.pause(0.05)
            last = try hostState()
            return last == before && !last.contains("linkdown")
        }
        return last
    }

    /// All that a switch could change about the host.
    func hostState() throws -> String {
        try script(
            on: host,
            """
            ip -br link | sort
            ip route show table all
            ip -6 route show table all
            nft list ruleset
            sysctl -a 2>/dev/null | grep -E '^net[.]ipv[46][.]conf.*(forwarding|route_localnet|accept_ra) ' | sort
            """)
    }
}
