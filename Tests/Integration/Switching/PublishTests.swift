import Glibc
import Testing

extension Integration {
    @Suite("Published ports", .needsRoot, .needsProgram("nft"), .needsProgram("python3")) struct PublishTests {
        @Test("From the host's loopback, its own address, a third host and another box", arguments: ["none", "nat"])
        func reached(uplink: String) throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink", uplink])
            try net.startBox(
                "web",
                [
                    "--switch", "lan", "--publish", "8080:80", "--publish", "5353:53/udp", "--publish",
                    "9000-9002:7000-7002",
                ], "tcp:0.0.0.0:80", "udp:0.0.0.0:53", "tcp:0.0.0.0:7000", "tcp:0.0.0.0:7002")
            for place in ["tcp:127.0.0.1:8080", "tcp:198.51.100.1:8080", "udp:127.0.0.1:5353", "tcp:127.0.0.1:9002"] {
                #expect(try net.ask(from: net.host, place).hasPrefix("web "), "\(place)")
            }
            // Who asks is seen where answers lead back through the switch.
            let seen = uplink == "nat" ? "web 198.51.100.2" : "web 10.77.0.1"
            for place in ["tcp:198.51.100.1:8080", "udp:198.51.100.1:5353", "tcp:198.51.100.1:9000"] {
                #expect(try net.ask(from: net.outside, place) == seen, "\(place)")
            }
            if uplink == "nat" {
                #expect(try net.ask(fromBoxOn: "lan", "tcp:198.51.100.1:8080").hasPrefix("web "))
            }
            // What is not published stays closed.
            #expect(try net.ask(from: net.outside, "tcp:198.51.100.1:80") == "refused")
            #expect(try net.ask(from: net.host, "tcp:10.77.0.2:7002").hasPrefix("web "), "it is let through")
            let before = try net.text(on: net.host, ["nft", "list", "map", "inet", "sandbox", "any4"])
            #expect(before.contains("8080"))
            try net.must(["rm", "-f", "web"])
            let after = try net.text(on: net.host, ["nft", "list", "map", "inet", "sandbox", "any4"])
            #expect(!after.contains("8080") && !after.contains("9002"), "\(after)")
            #expect(try net.ask(from: net.outside, "tcp:198.51.100.1:8080") == "refused")
        }

        @Test("IPv6, its loopback too", .needsSingleForwarding) func ipv6() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "fd77::/64", "--uplink", "nat"])
            try net.startBox(
                "web", ["--switch", "lan", "--publish", "8080:80,[::1]:8081:80,[2001:db8:1::1]:8082:53/udp"],
                "tcp::::80", "udp::::53")
            #expect(try net.ask(from: net.host, "tcp:::1:8080").hasPrefix("web "))
            #expect(try net.ask(from: net.host, "tcp:::1:8081").hasPrefix("web "))
            #expect(try net.ask(from: net.host, "tcp:2001:db8:1::1:8080").hasPrefix("web "))
            #expect(try net.ask(from: net.outside, "tcp:2001:db8:1::1:8080") == "web 2001:db8:1::2")
            #expect(try net.ask(from: net.outside, "udp:2001:db8:1::1:8082") == "web 2001:db8:1::2")
            #expect(try net.ask(from: net.outside, "tcp:2001:db8:1::1:8081") == "refused", "on ::1 alone")
            #expect(try net.ask(fromBoxOn: "lan", "tcp:2001:db8:1::1:8080").hasPrefix("web "))
            // The loopback itself is as it was.
            try net.serve(on: net.host, "own", "tcp:::1:90")
            #expect(try net.ask(from: net.host, "tcp:::1:90") == "own ::1")
        }

        @Test("On one address it is not reached by another, the loopback not from outside") func address() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink", "nat"])
            try net.startBox(
                "web", ["--switch", "lan", "--publish", "127.0.0.1:8080:80,198.51.100.1:8081:80"], "tcp:0.0.0.0:80")
            #expect(try net.ask(from: net.host, "tcp:127.0.0.1:8080").hasPrefix("web "))
            #expect(try net.ask(from: net.host, "tcp:127.0.0.1:8081") == "refused")
            #expect(try net.ask(from: net.outside, "tcp:198.51.100.1:8081").hasPrefix("web "))
            #expect(try net.ask(from: net.outside, "tcp:198.51.100.1:8080") == "refused")
            // A neighbour that sends to 127.0.0.1 over the wire.
            try net.script(
                on: net.outside,
                """
                ip address delete 127.0.0.1/8 dev lo
                ip route flush table local root 127.0.0.0/8
                sysctl -qw net.ipv4.conf.all.route_localnet=1
                ip route add 127.0.0.0/8 via 198.51.100.1
                """)
            #expect(try net.ask(from: net.outside, "tcp:127.0.0.1:8080") == "silent")
        }

        @Test("Beside rules it is let in") func rules() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink", "nat"])
            try net.startBox(
                "web", ["--switch", "lan", "--publish", "8080:80", "--set", "network.allow=[\"icmp\"]"],
                "tcp:0.0.0.0:80", "tcp:0.0.0.0:81")
            #expect(try net.ask(from: net.outside, "tcp:198.51.100.1:8080") == "web 198.51.100.2")
            #expect(try net.ask(fromBoxOn: "lan", "tcp:10.77.0.2:81", ["--address", "10.77.0.77/24"]) == "silent")
        }

        @Test("A switch made on first use, and its way to the host, go with the sandbox") func transient() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            let before = try net.settledState()
            try net.startBox("web", ["--switch", "own", "--publish", "8080:80"], "tcp:0.0.0.0:80")
            #expect(try net.ask(from: net.outside, "tcp:198.51.100.1:8080").hasPrefix("web "))
            try net.must(["rm", "-f", "web"])
            #expect(try net.hostState() == before)
            #expect(Files.list(box.file("state/switches")).isEmpty)
        }

        @Test(
            "What cannot be published is refused before anything starts",
            arguments: [
                ("8080:80", "8080/tcp leads to the sandbox \"web\" already"),
                ("127.0.0.1:8080:80", "8080/tcp leads to the sandbox \"web\" already"),
                ("90:80", "90/tcp is in use by a program of the host's"),
                ("91:80/udp", "91/udp is in use by a program of the host's"),
                ("198.51.100.77:92:80", "198.51.100.77 is no address of the host's"),
                ("[::1]:93:80", "needs an IPv6 address of the box"), ("94:80,127.0.0.1:94:81", "are the same"),
                ("10000-11000:10000-11000", "more than 1000 ports"),
            ]) func refused(spec: String, reason: String) throws
        {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24"])
            try net.startBox("web", ["--switch", "lan", "--publish", "8080:80"], "tcp:0.0.0.0:80")
            try net.serve(on: net.host, "own", "tcp:127.0.0.1:90", "udp:0.0.0.0:91")
            let table = ["nft", "list", "table", "inet", "sandbox"]
            let before = try net.text(on: net.host, table)
            let outcome = try net.sandbox([
                "run", "--unshare", "net", "--switch", "lan", "--publish", spec, "--", "touch", box.file("started"),
            ])
            #expect(outcome.status == 125 && outcome.errorLines.count == 1, "\(outcome)")
            #expect(outcome.err.contains(reason), "\(outcome)")
            #expect(!Files.exists(box.file("started")))
            #expect(try net.text(on: net.host, table) == before)
            #expect(try net.ask(from: net.host, "tcp:127.0.0.1:8080").hasPrefix("web "))
        }

        @Test("A switch whose uplink is a device has no way to the host") func device() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.script(on: net.host, "ip link add lan0 type veth peer name other")
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink", "lan0"])
            let outcome = try net.sandbox([
                "run", "--unshare", "net", "--switch", "lan", "--publish", "8080:80", "--", "true",
            ])
            #expect(outcome.status == 125 && outcome.err.contains("network.publish"), "\(outcome)")
        }

        @Test("Gone after a launch that failed") func failed() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24"])
            let second = "network.more=[{ switch = \"lan\", address = \"10.77.0.2/24\" }]"
            for options in [
                ["-d", "-n", "web", "--", "/does/not/exist"], ["-n", "web", "--", "/does/not/exist"],
                ["-n", "web", "--address", "10.77.0.2/24", "--set", second, "--", "true"],
            ] {
                let outcome = try net.sandbox(
                    ["run", "--unshare", "net", "--switch", "lan", "--publish", "8080:80"] + options)
                #expect(!outcome.succeeded, "\(outcome)")
                // Who became the command in place is cleared away by the next command that looks.
                if !options.contains("-d") { try net.must(["ps", "-a"]) }
                #expect(try net.published() == "", "\(options)")
            }
        }

        @Test("Gone after the kill of everything: by gc, or by who wants the port next", arguments: [true, false])
        func killed(byGC: Bool) throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24"])
            try net.startBox(
                "web", ["--switch", "lan", "--publish", "8080:80", "--address", "10.77.0.9/24"], "tcp:0.0.0.0:80")
            let pid = try #require(box.recorded("process", of: "web")?.pid)
            kill(pid, SIGKILL)
            try #require(Clock.waitUntil { Processes.status(pid, "State")?.first.map { $0 == "Z" } ?? true })
            if byGC {
                try net.must(["gc"])
                #expect(try net.published() == "")
            } else {
                // The kernel takes a namespace down a moment after its last process.
                let taken = try Clock.waitUntil {
                    try net.sandbox(
                        [
                            "run", "-d", "-n", "next", "--unshare", "net", "--switch", "lan", "--publish", "8080:81",
                            "--address", "10.77.0.9/24", "--",
                        ] + net.serverWords("next", ["tcp:0.0.0.0:81", "tcp:0.0.0.0:80"])
                    ).succeeded
                }
                try #require(taken)
                // The first one's end is recorded, and leaves the next one's alone.
                try net.must(["gc"])
                let answer = try Clock.waitUntil {
                    try net.ask(from: net.host, "tcp:127.0.0.1:8080") == "next 10.77.0.1"
                }
                #expect(answer)
                #expect(try net.ask(from: net.host, "tcp:10.77.0.9:80") == "silent", "the first one's port is closed")
            }
        }

        @Test("A foreground sandbox without a record leaves nothing that stays") func foreground() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24"])
            let words = ["run", "--unshare", "net", "--switch", "lan", "--publish", "8080:80", "--", "true"]
            for _ in 0..<3 {
                let ran = try Clock.waitUntil { try net.sandbox(words).succeeded }
                #expect(ran)
            }
            let swept = try Clock.waitUntil {
                try net.must(["gc"])
                return try net.published() == ""
            }
            #expect(swept)
        }

        @Test("A switch with ports is not deleted; by force its published ports go too") func deletion() throws {
            let box = try Box()
            let net = try OuterNetwork(box)
            defer { net.end() }
            let before = try net.settledState()
            try net.must(["switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink", "nat"])
            try net.startBox("web", ["--switch", "lan", "--publish", "8080:80"], "tcp:0.0.0.0:80")
            let refused = try net.sandbox(["switch", "delete", "lan"])
            #expect(refused.status == 125 && refused.err.contains("has a port"), "\(refused)")
            #expect(try net.ask(from: net.host, "tcp:127.0.0.1:8080").hasPrefix("web "))
            try net.must(["switch", "delete", "-f", "lan"])
            #expect(try net.hostState() == before)
            try net.must(["rm", "-f", "web"])
        }
    }
}

extension OuterNetwork {
    /// The elements of the host's maps.
    func published() throws -> String {
        var found = ""
        for map in ["any4", "any6", "at4", "at6"] {
            let text = try text(on: host, ["nft", "list", "map", "inet", "sandbox", map])
            if text.contains("elements") { found += text }
        }
        return found
    }
}
