import Testing

extension Integration {
    /// What passes between ports, with real servers and clients.
    @Suite("Isolation and rules of ports", .needsRoot, .needsProgram("nft"), .needsProgram("python3"))
    struct FilterTests {
        let scene: SwitchScene
        let server: RunningSandbox

        init() throws {
            scene = try SwitchScene()
            try scene.create("lab", ["--subnet", "10.91.0.0/24", "--subnet", "fd91::/64"])
            server = try scene.startServer("server", ["--address", "10.91.0.7/24,fd91::7/64"])
        }

        private func client(_ rules: String..., name: String = "client") throws -> RunningSandbox {
            let list = rules.map { "\"\($0)\"" }.joined(separator: ", ")
            return try scene.start(name, ["--set", "network.allow=[\(list)]"])
        }

        @Test("without rules everything passes") func plain() throws {
            let client = try scene.start("client")
            for address in ["10.91.0.7", "fd91::7"] {
                #expect(try client.ask("tcp", address, 80) == "ok" && client.ask("udp", address, 53) == "ok")
                #expect(try client.ping(address))
            }
            #expect(try client.ping("10.91.0.1") && client.ping("fd91::1"))
        }

        @Test("to one port of one host: that and its answers, nothing else") func onePort() throws {
            let client = try client("tcp to 10.91.0.7:80")
            #expect(try client.ask("tcp", "10.91.0.7", 80) == "ok")
            #expect(try client.ask("tcp", "10.91.0.7", 81) == "TimeoutError")
            #expect(try client.ask("udp", "10.91.0.7", 53) == "TimeoutError")
            #expect(try client.ask("tcp", "fd91::7", 80) == "TimeoutError")
            #expect(try !client.ping("10.91.0.7"))
            #expect(try scene.port(of: "client")["filtered"].isTrue)
            #expect(try scene.show()["refused"].number ?? 0 > 0)
        }

        @Test("networks, ranges of ports, udp, icmp, IPv6") func kinds() throws {
            let client = try client("udp to 10.91.0.0/28:53-54", "tcp to [fd91::/64]:81", "icmp")
            #expect(try client.ask("udp", "10.91.0.7", 53) == "ok" && client.ask("udp", "10.91.0.7", 54) == "ok")
            #expect(try client.ask("tcp", "fd91::7", 81) == "ok")
            #expect(try client.ask("tcp", "fd91::7", 80) == "TimeoutError")
            #expect(try client.ask("tcp", "10.91.0.7", 81) == "TimeoutError")
            #expect(try client.ping("10.91.0.7") && client.ping("fd91::7"))
        }

        @Test("rules that cover one another wholly or in part") func overlapping() throws {
            let client = try client(
                "udp to any:53", "udp to 10.91.0.7:53", "tcp to 10.91.0.0/24:75-80", "tcp to 10.91.0.7:80-80",
                "tcp to 10.91.0.0/28:80-85")
            #expect(try client.ask("udp", "10.91.0.7", 53) == "ok" && client.ask("udp", "fd91::7", 53) == "ok")
            #expect(try client.ask("tcp", "10.91.0.7", 80) == "ok" && client.ask("tcp", "10.91.0.7", 81) == "ok")
            #expect(try client.ask("udp", "10.91.0.7", 54) == "TimeoutError")
            #expect(try client.ask("tcp", "fd91::7", 80) == "TimeoutError")
        }

        @Test("nothing at all") func nothing() throws {
            let client = try client()
            #expect(try !client.ping("10.91.0.7") && !client.ping("10.91.0.1"))
            #expect(try client.ask("tcp", "10.91.0.7", 80) == "TimeoutError")
        }

        @Test("from: who may begin, and on which port; the box itself begins nothing") func from() throws {
            let guarded = try scene.startServer(
                "guarded", ["--address", "10.91.0.9/24", "--set", "network.allow=[\"tcp from 10.91.0.16/28:80\"]"])
            let friend = try scene.start("friend", ["--address", "10.91.0.17/24"])
            let stranger = try scene.start("stranger", ["--address", "10.91.0.33/24"])
            #expect(try friend.ask("tcp", "10.91.0.9", 80) == "ok")
            #expect(try friend.ask("tcp", "10.91.0.9", 81) == "TimeoutError")
            #expect(try stranger.ask("tcp", "10.91.0.9", 80) == "TimeoutError")
            #expect(try guarded.ask("tcp", "10.91.0.7", 80) == "TimeoutError")
        }

        @Test("an answer's port is no way in: nobody begins from a port that the box may call")
        func answers() throws {
            let client = try scene.startServer(
                "client", ["--address", "10.91.0.9/24", "--set", "network.allow=[\"tcp to any:80\"]"])
            let script = """
                import socket; s = socket.socket(); s.settimeout(1)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("10.91.0.20", 80))
                try: s.connect(("10.91.0.9", 81)); print(s.recv(9).decode())
                except OSError as e: print(type(e).__name__)
                """
            let other = try scene.start("other", ["--address", "10.91.0.20/24"])
            expectOutput(try other.exec([], ["python3", "-c", script]), "TimeoutError")
            #expect(try client.ask("tcp", "10.91.0.7", 80) == "ok")
        }

        @Test("isolated ports reach the switch and who is not isolated, not each other") func isolation() throws {
            let (one, two) = (
                try scene.startServer("one", ["--address", "10.91.0.11/24", "--set", "network.isolated=true"]),
                try scene.startServer("two", ["--address", "10.91.0.12/24", "--set", "network.isolated=true"])
            )
            defer { for sandbox in [one, two] { sandbox.remove() } }
            #expect(try one.ask("tcp", "10.91.0.7", 80) == "ok" && two.ping("10.91.0.1"))
            #expect(try server.ask("tcp", "10.91.0.11", 80) == "ok")
            #expect(try one.ask("tcp", "10.91.0.12", 80) != "ok" && !two.ping("10.91.0.11"))
            #expect(try scene.port(of: "one")["isolated"].isTrue)
        }

        @Test("a switch of isolated ports") func isolatedSwitch() throws {
            try scene.create("apart", ["--subnet", "10.92.0.0/24", "--isolated"])
            let (one, two) = (
                try scene.startServer("one", on: "apart", ["--address", "10.92.0.11/24"]),
                try scene.start("two", on: "apart", ["--address", "10.92.0.12/24"])
            )
            #expect(try !two.ping("10.92.0.11") && one.ping("10.92.0.1"))
            defer { one.remove() }
            let open = try scene.start("open", on: "apart", ["--set", "network.isolated=false"])
            #expect(try open.ask("tcp", "10.92.0.11", 80) == "ok")
        }

        @Test("a switch of IPv6 alone") func onlyIPv6() throws {
            try scene.create("six", ["--subnet", "fd92::/64"])
            let one = try scene.startServer("one", on: "six", ["--address", "fd92::11/64"])
            let two = try scene.start("two", on: "six")
            #expect(try two.ask("tcp", "fd92::11", 80) == "ok" && two.ask("udp", "fd92::11", 53) == "ok")
            #expect(try one.ping("fd92::1"))
            expectOutput(try two.shell([], "ip -4 -o addr show dev eth0"), "")
        }
    }
}
