import Glibc
import Testing

extension Integration {
    @Suite(
        "Filter of names", .needsRoot, .needsProgram("dnsmasq"), .needsProgram("nft"), .needsProgram("python3"))
    struct NameFilterTests {
        let lan: NamedSwitch

        init() throws {
            lan = try NamedSwitch(["--subnet", "10.77.3.0/24", "--subnet", "fd79::/64"])
            try lan.start("good", ["--address", "10.77.3.40/24"])
            try lan.start("bad", ["--address", "10.77.3.41/24"])
            try lan.start("x.bad", ["--address", "10.77.3.42/24"])
            // Somebody who would tell everything.
            try lan.start(
                "traitor", ["--address", "10.77.3.50/24", "--address", "fd79::50/64"],
                [
                    "dnsmasq", "-k", "-C", "/dev/null", "--no-hosts", "--no-resolv", "--address=/#/192.0.2.66", "-u",
                    "root",
                    "--pid-file=",
                ])
            try lan.start("client")
            #expect(try Clock.waitUntil { try ask("udp", "10.77.3.50", "bad.lan") == "192.0.2.66" })
        }

        private func ask(_ transport: String, _ server: String, _ name: String, _ type: Int = 1) throws -> String {
            try lan.box.sandbox(
                ["exec", "client", "--", "python3", "-c", NameFilterTests.question, transport, server, name, "\(type)"]
            ).text
        }

        private func change(_ words: String...) throws { try lan.box.must([lan.box.binary, "chain"] + words) }

        @Test("denied names do not exist, whomever the application asks, over UDP and TCP") func deny() throws {
            try change("insert", "client", "dns-filter?deny=bad.lan")
            for transport in ["udp", "tcp"] {
                for server in ["10.77.3.1", "10.77.3.50", "fd79::50", "fd79::1"] {
                    #expect(try ask(transport, server, "good.lan") == "10.77.3.40", "\(transport) \(server)")
                    for name in ["bad.lan", "x.bad.lan", "BAD.lan"] {
                        #expect(try ask(transport, server, name) == "no such name", "\(transport) \(server) \(name)")
                    }
                    // TXT, which could carry anything.
                    #expect(try ask(transport, server, "bad.lan", 16) == "no such name")
                }
            }
            #expect(
                try lan.box.sandbox(["exec", "client", "--", "getent", "ahostsv4", "good"]).out.contains("10.77.3.40"))
            try change("remove", "client", "dns-filter")
            #expect(try ask("udp", "10.77.3.50", "bad.lan") == "192.0.2.66")
            lan.end()
        }

        @Test("with a list of allowed names all others are refused, of any type") func allow() throws {
            try change("insert", "client", "dns-filter?allow=good.lan,*.bad.lan")
            for transport in ["udp", "tcp"] {
                for server in ["10.77.3.1", "10.77.3.50"] {
                    #expect(try ask(transport, server, "good.lan") == "10.77.3.40")
                    #expect(try ask(transport, server, "x.bad.lan") == "10.77.3.42")
                    for (name, type) in [("bad.lan", 1), ("traitor.lan", 1), ("xgood.lan", 1), ("example.org", 16)] {
                        #expect(try ask(transport, server, name, type) == "refused", "\(transport) \(server) \(name)")
                    }
                }
            }
            // Who is asked can be told; of what is denied nobody is.
            try change("replace", "client", "dns-filter", "dns-filter?servers=10.77.3.50&deny=good.lan")
            #expect(try ask("udp", "10.77.3.1", "bad.lan") == "192.0.2.66")
            #expect(try ask("udp", "10.77.3.1", "good.lan") == "no such name")
            lan.end()
        }

        /// Words: `udp` or `tcp`, a server, a name, the type of what is asked for.
        private static let question = """
            import socket, struct, sys
            kind, server, name, type = sys.argv[1:5]
            labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
            ask = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, int(type), 1)
            family = socket.AF_INET6 if ":" in server else socket.AF_INET
            try:
                if kind == "udp":
                    s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(3); s.connect((server, 53)); s.send(ask)
                    got = s.recv(999)
                else:
                    s = socket.create_connection((server, 53), 3); s.settimeout(3)
                    s.sendall(struct.pack(">H", len(ask)) + ask); got = s.recv(999)[2:]
                answer = socket.inet_ntoa(got[-4:]) if got[7] else "nothing"
                print({0: answer, 3: "no such name", 5: "refused"}.get(got[3] & 15, "an error"))
            except OSError as e: print(e.__class__.__name__)
            """
    }
}
