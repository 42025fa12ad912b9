import Glibc
import Testing

extension Integration {
    @Suite("IPv6 addresses by DHCP", .needsRoot, .needsProgram("dnsmasq"), .needsProgram("python3"))
    struct DynamicAddress6Tests {
        let box: Box
        let host: TestHost

        /// A host whose `v0` leads to a bridge with 10.73.0.1 and fd73::1.
        init() throws {
            box = try Box()
            host = try TestHost(box, "host")
            try host.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
            try host.ip("link", "add", "b0", "type", "bridge")
            try host.ip("link", "set", "v1", "master", "b0")
            // One that does not find out whether it is alone is ready at once.
            _ = try host.run(["sysctl", "-qw", "net.ipv6.conf.b0.accept_dad=0"])
            for link in ["v0", "v1", "b0"] { try host.ip("link", "set", link, "up") }
            try host.ip("address", "add", "10.73.0.1/24", "dev", "b0")
            try host.ip("address", "add", "fd73::1/64", "dev", "b0", "nodad")
        }

        private func start(_ words: [String], _ name: String, _ ready: String) throws -> Child {
            let child = try box.start(["nsenter", "--net=/run/netns/\(host.name)", "--"] + words, name: name)
            func said() -> String {
                (Files.read(box.file("\(name).out")) ?? "") + (Files.read(box.file("\(name).err")) ?? "")
            }
            guard Clock.waitUntil({ said().contains(ready) }) else { throw Failure(saying: "no server: \(said())") }
            return child
        }

        /// Servers of both families at b0, which are a router too, until the end of the test.
        private func serve() throws -> Child {
            try start(
                [
                    "dnsmasq", "--keep-in-foreground", "--conf-file=", "--pid-file", "--log-facility=-", "--port=0",
                    "--interface=b0", "--bind-interfaces", "--log-dhcp", "--no-ping", "--dhcp-authoritative",
                    "--dhcp-leasefile=\(box.file("leases"))", "--user=root", "--dhcp-range=10.73.0.20,10.73.0.29,2m",
                    "--dhcp-option=3,10.73.0.1", "--dhcp-option=6,10.73.0.53", "--dhcp-range=fd73::100,fd73::1ff,64,2m",
                    "--enable-ra", "--dhcp-option=option6:dns-server,[fd73::53]",
                ], "server", "sockets bound")
        }

        private var log: String { Files.read(box.file("server.err")) ?? "" }

        private func count(_ word: String) -> Int { log.split(separator: "\n").filter { $0.contains(word) }.count }

        private func stop(_ server: Child) {
            server.signal(SIGTERM)
            _ = server.wait()
        }

        private func network(_ attach: String, _ address: String = "dhcp6") -> [String] {
            attach == "veth"
                ? ["--switch", "lan", "--address", address]
                : ["--attach", attach, "--address", address] + set("network.device", "\"v0\"")
        }

        @Test(
            "a box has an address, a way out and name servers before its command begins; the lease goes with it",
            arguments: [("macvlan", "dhcp6"), ("physical", "dhcp6"), ("veth", "dhcp6"), ("veth", "dhcp,dhcp6")])
        func address(_ attach: String, _ address: String) throws {
            let server = try serve()
            defer {
                host.end(boxes: ["one"], switches: ["lan"])
                stop(server)
            }
            if attach == "veth" {
                try host.must("switch", "create", "lan", "--subnet", "none", "--uplink", "v0", "--force")
            }
            let script = """
                ip -br address show dev eth0 || ip -br address show dev v0; ip -6 route; cat /etc/resolv.conf
                ping -n -c 1 -W 2 fd73::1
                """
            let outcome = try host.sandbox(
                ["run", "--unshare", "net,mount,pid"] + network(attach, address) + ["--", "/bin/sh", "-c", script])
            #expect(outcome.succeeded && outcome.out.contains("fd73::1"), "\(outcome)\n\(log)")
            #expect(outcome.out.contains("default via fe80::"), "\(outcome)")
            #expect(outcome.out.contains("nameserver fd73::53"), "\(outcome)")
            #expect(!outcome.out.contains("tentative"), "\(outcome)")
            let hasBoth = outcome.out.contains("10.73.0.2") && outcome.out.contains("nameserver 10.73.0.53")
            #expect(hasBoth == address.contains("dhcp,"), "\(outcome)")
            if attach != "physical" {
                let own = address.contains(",") ? 2 : 1
                #expect(Clock.waitUntil { count("DHCPRELEASE") == own }, "\(log)")
            }
            #expect(count("DHCPREPLY") >= 1, "\(log)")
        }

        @Test("without a default route of the routers' where the profile says so, and with its own name servers")
        func gateway() throws {
            let server = try serve()
            defer { stop(server) }
            let outcome = try host.sandbox(
                ["run", "--unshare", "net,mount"] + network("macvlan") + set("network.gateway", "\"none\"")
                    + set("network.dns", "[\"192.0.2.1\"]")
                    + ["--", "/bin/sh", "-c", "ip -6 route; cat /etc/resolv.conf; ping -n -c 1 -W 2 fd73::1"])
            #expect(outcome.succeeded && !outcome.out.contains("default"), "\(outcome)")
            #expect(outcome.out.contains("nameserver 192.0.2.1") && !outcome.out.contains("fd73::53"), "\(outcome)")
        }

        /// Speaks DHCP for IPv6 at b0 as its arguments say, and tells what it hears.
        private func script(_ mode: String, seconds: Int = 9) throws -> Child {
            try start(["python3", "-c", DynamicAddress6Tests.server, mode, "\(seconds)"], "script", "ready")
        }

        private var heard: [String] {
            (Files.read(box.file("script.out")) ?? "").split(separator: "\n").map(String.init)
        }

        private static let server = """
            import ipaddress, socket, struct, sys
            mode, valid = sys.argv[1], int(sys.argv[2])
            link = socket.if_nametoindex("b0")
            s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"b0")
            group = ipaddress.ip_address("ff02::1:2").packed + struct.pack("@I", link)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
            s.bind(("", 547)); print("ready", flush=True)
            kinds = {1: "SOLICIT", 3: "REQUEST", 5: "RENEW", 6: "REBIND", 8: "RELEASE", 9: "DECLINE"}
            def opt(code, value): return struct.pack("!HH", code, len(value)) + value
            number, renewals = 0x40, 0
            while True:
                m, who = s.recvfrom(2000)
                kind, options, at = kinds.get(m[0], "?"), {}, 4
                while at + 4 <= len(m):
                    code, length = struct.unpack("!HH", m[at:at + 4])
                    options[code] = m[at + 4:at + 4 + length]; at += 4 + length
                asked = options.get(3, b"")
                print(kind, ipaddress.ip_address(asked[16:32]) if len(asked) >= 40 else "-", flush=True)
                if kind in ("?", "RELEASE") or (mode == "deaf" and kind in ("RENEW",)): continue
                if kind == "DECLINE": number += 1
                ia = asked[:4] + struct.pack("!II", 1, 4)
                given = ipaddress.ip_address("fd73::%x" % number).packed + struct.pack("!II", valid, valid)
                if mode == "none": ia += opt(13, struct.pack("!H", 2) + b"all gone")
                elif mode == "forgets" and kind == "RENEW": ia += opt(13, struct.pack("!H", 3))
                elif mode == "takes" and kind == "RENEW": ia += opt(5, given[:16] + bytes(8))
                else: ia += opt(5, given)
                r = bytes([2 if kind == "SOLICIT" else 7]) + m[1:4] + opt(1, options[1]) + opt(2, b"\\0\\2\\0\\0\\0\\1srv")
                if kind != "DECLINE": r += opt(3, ia)
                s.sendto(r, who)
            """

        private func hasAddress(_ text: String) -> Bool {
            (try? host.exec("one", ["ip", "-6", "address", "show", "eth0"]).out.contains(text)) == true
        }

        @Test(
            "a lease is renewed through a guarded port: by its server, by any, and anew by one that has forgotten it",
            arguments: [("usual", "RENEW"), ("deaf", "REBIND"), ("forgets", "REQUEST")])
        func renewal(_ mode: String, _ word: String) throws {
            let server = try script(mode)
            defer {
                host.end(boxes: ["one"], switches: ["lan"])
                stop(server)
            }
            try host.must("switch", "create", "lan", "--subnet", "none", "--uplink", "v0", "--force")
            try host.sleeper("one", network("veth") + set("network.allow", "[\"icmp\"]"))
            func words(_ word: String) -> Int { heard.filter { $0.hasPrefix(word) }.count }
            let before = words(word)
            #expect(Clock.waitUntil(timeout: 20) { words(word) >= before + 2 }, "\(heard)")
            #expect(hasAddress("fd73::40/128"))
            // No other address than the lease's leaves the port.
            try host.ip("-6", "route", "add", "fd73::99/128", "dev", "b0")
            _ = try host.exec("one", ["ip", "address", "add", "fd73::99/64", "dev", "eth0", "nodad"])
            let ping = ["ping", "-n", "-c", "1", "-W", "1", "-I"]
            #expect(try !host.exec("one", ping + ["fd73::99", "fd73::1"]).succeeded)
            // Between a lease that is forgotten and the next one there is none.
            #expect(Clock.waitUntil { (try? host.exec("one", ping + ["fd73::40", "fd73::1"]).succeeded) == true })
            // Without the server the lease runs out, and the address with it.
            server.signal(SIGKILL)
            #expect(Clock.waitUntil(timeout: 25) { !hasAddress("fd73::40/128") })
        }

        @Test("an address that the server takes back is gone") func takenBack() throws {
            let server = try script("takes", seconds: 900)
            defer {
                host.end(boxes: ["one"])
                stop(server)
            }
            try host.sleeper("one", network("macvlan"))
            #expect(Clock.waitUntil(timeout: 20) { !hasAddress("fd73::40/128") }, "\(heard)")
        }

        @Test("an address that another has is declined, and another taken") func conflict() throws {
            let server = try script("usual", seconds: 900)
            defer { stop(server) }
            try host.ip("address", "add", "fd73::40/64", "dev", "b0", "nodad")
            let outcome = try host.inBox(network("macvlan"), ["ip", "-br", "address", "show", "dev", "eth0"])
            #expect(outcome.out.contains("fd73::41/128"), "\(outcome) \(heard)")
            #expect(heard.contains("DECLINE fd73::40"), "\(heard)")
        }

        @Test("what cannot be is an error, and nothing is left") func refused() throws {
            let silent = try host.inBox(network("macvlan"), ["touch", box.file("begun")])
            expectRefused(silent, naming: "network.address", "no DHCP server for IPv6 answers on eth0")
            let server = try script("none")
            defer { stop(server) }
            let none = try host.inBox(network("macvlan"), ["touch", box.file("begun")])
            expectRefused(none, naming: "network.address", "NoAddrsAvail: all gone")
            #expect(!Files.exists(box.file("begun")))
            // The address on the link is another's.
            try host.ip("address", "add", "fe80::ff:fe00:7/64", "dev", "b0", "nodad")
            let twin = try host.inBox(
                network("macvlan") + set("network.mac", "\"02:00:00:00:00:07\""), ["touch", box.file("begun")])
            expectRefused(twin, naming: "network.mac", "fe80::ff:fe00:7")
            for list in ["[\"dhcp6\", \"auto\"]", "[\"dhcp\", \"10.1.0.5/24\"]", "[\"dhcp\", \"dhcp\"]"] {
                let mixed = try host.inBox(
                    ["--attach", "macvlan"] + set("network.device", "\"v0\"") + set("network.address", list), ["true"])
                expectRefused(mixed, naming: "network.address", "stands alone")
            }
            #expect(try !host.run(["ip", "-br", "link"]).out.contains("eth0"))
        }

        @Test("what IPv4's server has given is given back when IPv6's gives nothing") func half() throws {
            let server = try start(
                [
                    "dnsmasq", "--keep-in-foreground", "--conf-file=", "--pid-file", "--log-facility=-", "--port=0",
                    "--interface=b0", "--bind-interfaces", "--log-dhcp", "--no-ping", "--user=root",
                    "--dhcp-leasefile=\(box.file("leases"))", "--dhcp-range=10.73.0.20,10.73.0.29,2m",
                ], "server", "sockets bound")
            defer { stop(server) }
            let outcome = try host.inBox(network("macvlan", "dhcp,dhcp6"), ["true"])
            expectRefused(outcome, naming: "network.address", "no DHCP server for IPv6")
            #expect(Clock.waitUntil { count("DHCPRELEASE") == 1 }, "\(log)")
        }

        @Test("who renews is nobody, sees nothing, and may do nothing else") func confined() throws {
            let server = try serve()
            defer {
                host.end(boxes: ["one"])
                stop(server)
            }
            try host.sleeper("one", network("macvlan", "dhcp,dhcp6") + ["--env", "KEEPER=\(box.mark)"])
            let keepers = Processes.all.filter {
                Processes.command($0).contains("KEEPER=\(box.mark)")
                    && Processes.status($0, "Uid") == "65534 65534 65534 65534"
            }
            let keeper = try #require(keepers.first)
            #expect(keepers.count == 1)
            for set in ["CapPrm", "CapEff"] {
                #expect(Processes.status(keeper, set) == "0000000000001000", "\(set)")
            }
            for set in ["CapInh", "CapBnd", "CapAmb"] {
                #expect(Processes.status(keeper, set) == "0000000000000000", "\(set)")
            }
            #expect(Processes.status(keeper, "NoNewPrivs") == "1" && Processes.status(keeper, "Seccomp") == "2")
            #expect(Processes.status(keeper, "Groups") == "")
            #expect(Files.list("/proc/\(keeper)/root").isEmpty && Files.list("/proc/\(keeper)/cwd").isEmpty)
            // Sockets, the box's namespace and process, and /dev/null.
            #expect(Files.list("/proc/\(keeper)/fd").count <= 10)
            // Of its own; how much of the executable counts as its depends on who else runs just then.
            let rollup = Files.read("/proc/\(keeper)/smaps_rollup") ?? ""
            let size = rollup.split(separator: "\n").first { $0.hasPrefix("Pss_Anon:") }?.split(separator: " ")
                .dropFirst()
                .first
            #expect(size.flatMap { Int($0) }.map { (1..<4096).contains($0) } == true, "\(rollup)")
        }
    }
}
