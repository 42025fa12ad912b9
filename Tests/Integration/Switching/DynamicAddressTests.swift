import Glibc
import Testing

extension Integration {
    @Suite("Addresses by DHCP", .needsRoot, .needsProgram("dnsmasq"), .needsProgram("python3"))
    struct DynamicAddressTests {
        let box: Box
        let host: TestHost

        /// A host whose `v0` leads to a bridge with 10.73.0.1.
        init() throws {
            box = try Box()
            host = try TestHost(box, "host")
            try host.addOutside("10.73.0.1/24")
        }

        /// A DHCP server at b0 until the end of the test.
        private func serve(_ range: String = "10.73.0.20,10.73.0.29") throws -> Child {
            let child = try box.start(
                [
                    "nsenter", "--net=/run/netns/\(host.name)", "--", "dnsmasq", "--keep-in-foreground", "--conf-file=",
                    "--pid-file", "--log-facility=-", "--port=0", "--interface=b0", "--bind-interfaces", "--log-dhcp",
                    "--no-ping", "--dhcp-authoritative", "--dhcp-leasefile=\(box.file("leases"))", "--user=root",
                    "--dhcp-range=\(range),2m", "--dhcp-option=3,10.73.0.1",
                ], name: "server")
            guard Clock.waitUntil({ (Files.read(box.file("server.err")) ?? "").contains("sockets bound") }) else {
                throw Failure(saying: "no server: \(Files.read(box.file("server.err")) ?? "")")
            }
            return child
        }

        private var log: String { Files.read(box.file("server.err")) ?? "" }

        private func count(_ word: String) -> Int { log.split(separator: "\n").filter { $0.contains(word) }.count }

        private func stop(_ server: Child) {
            server.signal(SIGTERM)
            _ = server.wait()
        }

        private func network(_ attach: String) -> [String] {
            switch attach {
            case "veth": ["--switch", "lan", "--address", "dhcp"]
            case "switch of kind macvlan": ["--switch", "wire", "--address", "dhcp"]
            default: ["--attach", attach, "--address", "dhcp"] + set("network.device", "\"v0\"")
            }
        }

        @Test(
            "a box has an address, a route and a neighbour before its command begins; the lease goes with it",
            arguments: ["macvlan", "physical", "veth", "switch of kind macvlan"])
        func address(_ attach: String) throws {
            let server = try serve()
            defer {
                host.end(boxes: ["one"], switches: ["lan", "wire"])
                stop(server)
            }
            if attach == "veth" {
                try host.must("switch", "create", "lan", "--subnet", "none", "--uplink", "v0", "--force")
            } else if attach == "switch of kind macvlan" {
                try host.must("switch", "create", "wire", "--kind", "macvlan", "--parent", "v0", "--subnet", "none")
            }
            let script = "ip -4 -br address; ip -4 route; ping -n -c 1 -W 2 10.73.0.1"
            let outcome = try host.inBox(network(attach), ["/bin/sh", "-c", script])
            #expect(outcome.succeeded && outcome.out.contains("10.73.0.2"), "\(outcome)\n\(log)")
            #expect(outcome.out.contains("default via 10.73.0.1"), "\(outcome)")
            // A device that is given back may be so before its lease is.
            if attach != "physical" { #expect(Clock.waitUntil { count("DHCPRELEASE") == 1 }, "\(log)") }
            #expect(count("DHCPACK") == 1, "\(log)")
        }

        @Test("a lease is renewed while the box runs, through a guarded port with rules, by nobody of power")
        func renewal() throws {
            let server = try script("usual")
            defer {
                host.end(boxes: ["one"], switches: ["lan"])
                stop(server)
            }
            try host.must("switch", "create", "lan", "--subnet", "none", "--uplink", "v0", "--force")
            try host.sleeper("one", network("veth") + set("network.allow", "[\"icmp\"]"))
            #expect(Clock.waitUntil { said().split(separator: "\n").contains("REQUEST 10.73.0.40") }, "\(said())")
            #expect(try host.pings("one", "10.73.0.1"))
            // No other address than the lease's leaves the port.
            _ = try host.exec("one", ["ip", "address", "add", "10.73.0.99/24", "dev", "eth0"])
            let ping = ["ping", "-n", "-c", "1", "-W", "1", "-I", "10.73.0.99", "10.73.0.1"]
            #expect(try !host.exec("one", ping).succeeded)
            // Without the server the lease runs out, and the address with it.
            server.signal(SIGTERM)
            #expect(
                Clock.waitUntil(timeout: 20) {
                    (try? host.exec("one", ["ip", "-4", "address", "show", "eth0"]).out.contains("10.73.0.40")) == false
                })
        }

        @Test("a macvlan that is held to its lease sends from nothing else, and renews it", .needsProgram("nft"))
        func guarded() throws {
            let server = try script("usual")
            defer {
                host.end(boxes: ["one"])
                stop(server)
            }
            try host.sleeper("one", network("macvlan") + set("security.capabilities.keep", "[\"NET_RAW\"]"))
            #expect(Clock.waitUntil { said().split(separator: "\n").contains("REQUEST 10.73.0.40") }, "\(said())")
            #expect(try host.pings("one", "10.73.0.1"))
            let frame = Frames.udp("10.73.0.99", "10.73.0.1", to: "ff:ff:ff:ff:ff:ff", from: "02:00:00:00:00:99")
            // It is said that there is no room for it.
            _ = try host.exec("one", ["python3", "-c", PortScripts.frames, frame])
            let place = "--net=/proc/\(box.recorded("process", of: "one")?.pid ?? 0)/ns/net"
            let counted = try box.must(["nsenter", place, "nft", "list", "counters", "table", "netdev", "sandbox"])
            #expect(counted.out.contains("eth0_spoofed") && counted.out.contains("packets 1 "), "\(counted)")
        }

        @Test("an address that the server refuses to renew is gone, though its lease has long to run")
        func refusedRenewal()
            throws
        {
            let server = try script("nak", seconds: 900)
            defer {
                host.end(boxes: ["one"])
                stop(server)
            }
            try host.sleeper("one", network("macvlan"))
            #expect(
                Clock.waitUntil(timeout: 20) {
                    (try? host.exec("one", ["ip", "-4", "address", "show", "eth0"]).out.contains("10.73.0.40")) == false
                }, "\(said())")
        }

        @Test("an address that another has is declined, in the words of RFC 2131") func declined() throws {
            let server = try script("usual", seconds: 900)
            defer { stop(server) }
            try host.ip("address", "add", "10.73.0.40/24", "dev", "b0")
            let outcome = try host.inBox(network("macvlan"), ["ip", "-br", "address", "show", "dev", "eth0"])
            #expect(outcome.out.contains("10.73.0.41/24"), "\(outcome) \(said())")
            #expect(said().contains("DECLINE 0.0.0.0 10.73.0.40"), "\(said())")
        }

        /// Starts ``shortLeases``.
        private func script(_ mode: String, seconds: Int = 9) throws -> Child {
            let server = try box.start(
                [
                    "nsenter", "--net=/run/netns/\(host.name)", "--", "python3", "-c", DynamicAddressTests.shortLeases,
                    mode, "\(seconds)",
                ], name: "short")
            guard Clock.waitUntil({ said().contains("ready") }) else { throw Failure(saying: "no server") }
            return server
        }

        private func said() -> String { Files.read(box.file("short.out")) ?? "" }

        /// Gives 10.73.0.40 for nine seconds, to be renewed after one, and says what it is asked, and by whom.
        private static let shortLeases = """
            import socket, struct, sys
            kinds = {1: 2, 3: 5}; mode, valid, number = sys.argv[1], int(sys.argv[2]), 40
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"b0"); s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.bind(("", 67)); print("ready", flush=True)
            while True:
                m, who = s.recvfrom(2000)
                kind = m[m.index(b"c\\x82Sc") + 6]
                asked = m.find(bytes([50, 4])); asked = " " + socket.inet_ntoa(m[asked + 2:asked + 6]) if kind == 4 else ""
                print({1: "DISCOVER", 3: "REQUEST", 4: "DECLINE", 7: "RELEASE"}.get(kind), who[0] + asked, flush=True)
                if kind == 4: number += 1
                if kind not in kinds: continue
                kinds[3] = 6 if mode == "nak" and who[0] != "0.0.0.0" else 5
                mine = bytes([10, 73, 0, number]); me = bytes([10, 73, 0, 1])
                r = bytes([2, 1, 6, 0]) + m[4:8] + bytes(8) + mine + me + bytes(4) + m[28:44] + bytes(192) + b"c\\x82Sc"
                r += bytes([53, 1, kinds[kind], 54, 4]) + me + bytes([1, 4, 255, 255, 255, 0, 51, 4, 0, 0]) + struct.pack("!H", valid) + bytes([58, 4, 0, 0, 0, 1, 59, 4, 0, 0, 0, 6, 255])
                s.sendto(r, (who[0] if who[0] != "0.0.0.0" else "255.255.255.255", 68))
            """

        @Test("an address that another has is given back, and another taken") func conflict() throws {
            let server = try serve("10.73.0.20,10.73.0.21")
            defer { stop(server) }
            // Somebody who has both but one, whatever the server gives first.
            let holder = try TestHost(box, "holder")
            try host.ip("link", "add", "w0", "type", "veth", "peer", "name", "w1", "netns", holder.name)
            try host.ip("link", "set", "w0", "master", "b0", "up")
            try holder.ip("link", "set", "w1", "up")
            try holder.ip("address", "add", "10.73.0.20/24", "dev", "w1")
            let outcome = try host.inBox(
                network("macvlan") + set("network.mac", "\"02:00:00:00:00:05\""), ["ip", "-br", "a"])
            #expect(outcome.out.contains("10.73.0.21/24"), "\(outcome)\n\(log)")
        }

        @Test("without an answer nothing begins, and nothing is left") func silence() throws {
            let outcome = try host.inBox(network("macvlan"), ["touch", box.file("begun")])
            expectRefused(outcome, naming: "network.address", "no DHCP server answers")
            #expect(!Files.exists(box.file("begun")))
            #expect(try !host.run(["ip", "-br", "link"]).out.contains("eth0"))
            expectRefused(
                try host.inBox(["--switch", "fresh", "--address", "dhcp"], ["true"]), naming: "network.address",
                "first use")
            #expect(!Files.exists(box.file("state/switches/fresh")))
        }
    }
}
