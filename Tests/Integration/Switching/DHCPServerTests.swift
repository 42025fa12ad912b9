import Glibc
import Testing

extension Integration {
    @Suite(
        "DHCP on a switch", .needsRoot, .needsProgram("dnsmasq"), .needsProgram("busybox"), .needsProgram("python3"))
    struct DHCPServerTests {
        private static let both = ["--dhcp", "--subnet", "10.77.1.0/24", "--subnet", "fd77::/64"]

        /// What udhcpc(8) tells: the address, the router and the name server.
        private func hook(_ lan: NamedSwitch) throws -> String {
            let path = lan.box.file("hook")
            try Files.write(
                "#!/bin/sh\n[ $1 = bound ] && echo \"ip=$ip mask=$mask router=$router dns=$dns domain=$domain\"; true\n",
                to: path, mode: 0o755)
            return path
        }

        /// A client that forgets what the box has and asks.
        private func asking(_ lan: NamedSwitch, tries: Int = 5) throws -> String {
            """
            ip -o address show dev eth0 | sed -n 's|.*inet6* \\([0-9a-f.:]*\\)/.*|had=\\1|p'
            ip -4 address flush dev eth0
            busybox udhcpc -i eth0 -n -q -f -t \(tries) -T 1 -s \(try hook(lan))
            """
        }

        @Test("a client of its own in a box gets the very address of its port, twice the same") func client() throws {
            let lan = try NamedSwitch(DHCPServerTests.both)
            defer { lan.end() }
            let outcome = try lan.shell(try asking(lan) + "\n" + asking(lan))
            let had = outcome.lines.first { $0.hasPrefix("had=10.77.1.") }.map { String($0.dropFirst(4)) }
            let address = try #require(had, "\(outcome)")
            let told = outcome.lines.filter { $0.hasPrefix("ip=") }
            // No way leads out of this switch.
            let expected = "ip=\(address) mask=24 router= dns=10.77.1.1 domain=lan"
            #expect(told == [expected, expected], "\(outcome)\n\(log(lan))")
            #expect(try lan.show()["nameServer"].text == "running")
        }

        @Test("with a way out the switch is the router; rules of a port let the question pass") func router() throws {
            let lan = try NamedSwitch([
                "--dhcp", "--subnet", "10.77.31.0/24", "--uplink", "nat", "--resolver", "192.0.2.1",
            ])
            defer { lan.end() }
            let outcome = try lan.shell(try asking(lan), set("network.allow", "[\"icmp\"]"))
            #expect(outcome.out.contains("router=10.77.31.1 dns=10.77.31.1"), "\(outcome)\n\(log(lan))")
        }

        @Test("IPv6: a client gets the address of its port from its own address on the link, and learns the network")
        func v6() throws {
            let lan = try NamedSwitch(DHCPServerTests.both)
            defer { lan.end() }
            let script = """
                ip -o address show dev eth0 | sed -n 's|.*inet6 \\([0-9a-f:]*\\)/.*|had=\\1|p'
                ip -6 address flush dev eth0
                python3 -c '\(DHCPServerTests.client6)'
                for n in 1 2 3 4 5 6 7 8 9 10; do ip -6 route | grep -q fd77::/64 && break; sleep 0.3; done; ip -6 route
                """
            let outcome = try lan.shell(script)
            let had = outcome.lines.first { $0.hasPrefix("had=fd77::") }.map { String($0.dropFirst(4)) }
            let address = try #require(had, "\(outcome)")
            #expect(outcome.lines.contains("got=\(address)"), "\(outcome)\n\(log(lan))")
            #expect(outcome.out.contains("fd77::/64 dev eth0") && !outcome.out.contains("default"), "\(outcome)")
        }

        /// Gives eth0 an address on the link, and asks for another from there.
        private static let client6 = """
            import fcntl, ipaddress, os, socket, struct
            mac = fcntl.ioctl(socket.socket(), 0x8927, struct.pack("256s", b"eth0"))[18:24]
            local = ipaddress.ip_address(bytes.fromhex("fe80000000000000") + bytes([mac[0] ^ 2]) + mac[1:3] + b"\\xff\\xfe" + mac[3:])
            os.system("ip address add %s/64 dev eth0 nodad" % local)
            link = socket.if_nametoindex("eth0")
            s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            s.bind((str(local), 546, 0, link)); s.settimeout(1)
            def opt(code, value): return struct.pack("!HH", code, len(value)) + value
            def ask(kind, extra):
                for i in range(5):
                    s.sendto(bytes([kind]) + b"abc" + opt(1, b"\\0\\3\\0\\1" + mac) + opt(8, b"\\0\\0") + extra, ("ff02::1:2", 547, 0, link))
                    try: r = s.recv(2000)
                    except socket.timeout: continue
                    options, at = {}, 4
                    while at + 4 <= len(r):
                        code, length = struct.unpack("!HH", r[at:at + 4]); options[code] = r[at + 4:at + 4 + length]; at += 4 + length
                    return options
            o = ask(1, opt(3, bytes(12)))
            o = ask(3, opt(2, o[2]) + opt(3, bytes(12) + o[3][12:40]))
            print("got=%s" % ipaddress.ip_address(o[3][16:32]))
            """

        @Test("an address is another's at once when its box has ended, though the client has given nothing back")
        func reuse() throws {
            let lan = try NamedSwitch(["--dhcp", "--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            for name in ["one", "two"] {
                let (client, own) = (try asking(lan), ["--address", "10.77.1.9/24"] + set("network.mac", "\"random\""))
                var outcome = try lan.shell(client, own)
                // A network namespace goes a moment after its last process.
                _ = Clock.waitUntil {
                    if outcome.err.contains("is taken"), let next = try? lan.shell(client, own) { outcome = next }
                    return !outcome.err.contains("is taken")
                }
                #expect(outcome.out.contains("ip=10.77.1.9 "), "\(name): \(outcome)\n\(log(lan))")
            }
            // One that comes back has its old hardware address and another address.
            for address in ["10.77.1.20", "10.77.1.21"] {
                let outcome = try lan.shell(try asking(lan), ["-n", "same", "--address", "\(address)/24"])
                #expect(outcome.out.contains("ip=\(address) "), "\(outcome)\n\(log(lan))")
                try lan.box.must([lan.box.binary, "rm", "-f", "same"])
            }
            #expect(try lan.show()["nameServer"].text == "running")
            let swept = try lan.box.sandbox(["gc"])
            #expect(swept.succeeded && swept.out.contains("/dhcp/"), "\(swept)")
            #expect(Files.list(lan.box.file("state/switches/lan/dhcp")).isEmpty)
        }

        @Test("a guarded port asks as itself alone, and nothing else leaves it without an address") func guarded()
            throws
        {
            let lan = try NamedSwitch(["--dhcp", "--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            try lan.start("victim", ["--address", "10.77.1.9/24"])
            try lan.start("box", ["--address", "10.77.1.8/24"])
            func send(_ kind: String) throws {
                let outcome = try lan.box.sandbox(["exec", "box", "--", "python3", "-c", DHCPServerTests.sender, kind])
                #expect(outcome.succeeded, "\(outcome)")
            }
            func spoofed() throws -> String { "\(try lan.show()["spoofed"])" }
            for kind in ["other-client", "other-mac", "other-port", "unicast", "other-source", "server", "refusal"] {
                let before = try spoofed()
                try send(kind)
                let isCounted = try Clock.waitUntil { try spoofed() != before }
                #expect(isCounted, "\(kind)")
            }
            #expect(!log(lan).contains("DHCPDISCOVER"), "\(log(lan))")
            let before = try spoofed()
            try send("own")
            #expect(Clock.waitUntil { log(lan).contains("DHCPOFFER(br0) 10.77.1.8") }, "\(log(lan))")
            let after = try spoofed()
            #expect(after == before)
        }

        /// Sends one frame from eth0: a question of DHCP that is its own, or differs in one thing.
        private static let sender = """
            import fcntl, socket, struct, sys
            kind = sys.argv[1]
            mac = fcntl.ioctl(socket.socket(), 0x8927, struct.pack("256s", b"eth0"))[18:24]
            other = bytes.fromhex("020000000099")
            frame, client = (other if kind == "other-mac" else mac), (other if kind in ("other-client", "refusal") else mac)
            source = "10.77.1.9" if kind == "other-source" else "10.77.1.8" if kind in ("server", "refusal") else "0.0.0.0"
            target = "10.77.1.1" if kind in ("unicast", "refusal") else "255.255.255.255"
            ports = (68, 69) if kind == "other-port" else (67, 68) if kind == "server" else (68, 67)
            what = 4 if kind == "refusal" else 1
            m = bytes([2 if kind == "server" else 1, 1, 6, 0]) + b"abcd" + bytes(20) + client + bytes(202) + b"c\\x82Sc" + bytes([53, 1, what, 255])
            m += bytes(300 - len(m))
            udp = struct.pack("!HHHH", *ports, 8 + len(m), 0) + m
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(target))
            total = sum(struct.unpack("!10H", head)); total = (total & 0xffff) + (total >> 16); total = ~(total + (total >> 16)) & 0xffff
            head = head[:10] + struct.pack("!H", total) + head[12:]
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            s.bind(("eth0", 0x0800)); s.send(bytes([255] * 6) + frame + b"\\x08\\x00" + head + udp)
            """

        private func log(_ lan: NamedSwitch) -> String {
            (try? lan.box.sandbox(["logs", lan.server]).out) ?? ""
        }

        @Test("address = \"dhcp\" is what the switch gives anyway; a client's name is no name of the switch's")
        func names() throws {
            let lan = try NamedSwitch(["--dhcp", "--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            let given = try lan.shell("ip -4 -o address show dev eth0", ["--address", "dhcp"])
            #expect(given.out.contains("10.77.1."), "\(given)")
            try lan.start("box")
            let ask = "busybox udhcpc -i eth0 -n -q -f -t 5 -T 1 -s /bin/true -x hostname:bank -F bank"
            let outcome = try lan.box.sandbox(["exec", "box", "--", "/bin/sh", "-c", ask])
            #expect(outcome.succeeded, "\(outcome)")
            #expect(try lan.ask("bank").isEmpty && lan.ask("bank.lan").isEmpty)
            #expect(try !lan.ask("box").isEmpty)
        }

        @Test("the server has what DHCP needs, and no more") func confined() throws {
            for (subnets, capabilities) in [
                (["--subnet", "10.77.1.0/24"], "0000000000001400"),
                (["--subnet", "10.77.1.0/24", "--subnet", "fd77::/64"], "0000000000003400"),
            ] {
                let lan = try NamedSwitch(["--dhcp"] + subnets)
                defer { lan.end() }
                #expect(Processes.status(lan.serverProcess, "CapBnd") == capabilities)
                #expect(Processes.status(lan.serverProcess, "Uid") == "65534 65534 65534 65534")
                #expect(Processes.status(lan.serverProcess, "Seccomp") == "2")
                #expect(Files.list("/proc/\(lan.serverProcess)/root/run").sorted() == ["leases", "names"])
            }
        }

        @Test("what cannot be is an error, and nothing is left") func refused() throws {
            let box = try Box()
            let host = try TestHost(box, "host")
            try host.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
            func expect(_ options: [String], _ reason: String) throws {
                expectRefused(
                    try host.sandbox(["switch", "create", "lan", "--dhcp"] + options), naming: "DHCP", reason)
            }
            try expect(["--kind", "macvlan", "--parent", "v0", "--subnet", "10.77.1.1/24"], "another server answers")
            try expect(["--uplink", "v0"], "another server may answer")
            try expect(["--vxlan", "7", "--peer", "192.0.2.1"], "several servers")
            expectRefused(
                try host.sandbox(["switch", "create", "lan", "--dhcp", "--subnet", "none"]), naming: "subnet")
            #expect(Files.list(box.file("state/switches")).isEmpty)
        }
    }
}
