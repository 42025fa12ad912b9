import Glibc
import Testing

extension Integration {
    /// The function `nat`, on real traffic.
    @Suite("An application's addresses translated", .needsRoot, .needsProgram("nft"), .needsProgram("python3"))
    struct NatTests: ChainSuite {
        let scene: SwitchScene
        let server: RunningSandbox

        init() throws {
            scene = try SwitchScene()
            try scene.create("lab", ["--subnet", "10.98.0.0/24", "--subnet", "fd98::/64"])
            server = try scene.startServer(
                "server", ["--address", "10.98.0.7/24", "--address", "fd98::7/64"], ProxyScripts.server)
        }

        /// One that sends as .9 and is called as .9 and .10 too.
        private func client(_ options: [String] = [], _ command: [String] = ["sleep", "1000"]) throws -> RunningSandbox
        {
            let addresses = ["10.98.0.9/24", "10.98.0.10/24", "fd98::9/64", "fd98::a/64"]
            return try scene.start("client", addresses.flatMap { ["--address", $0] } + options, command)
        }

        private static let both = "nat?from=10.98.0.9,fd98::9&to=10.98.0.10,fd98::a"

        /// As whom one is taken there.
        private func heard(_ from: RunningSandbox, _ transport: String, _ address: String, _ port: Int) throws -> String
        {
            let said = try from.exec([], ["python3", "-c", ProxyScripts.ask, transport, address, "\(port)"]).text
            return said.split(separator: " ").first.map { String($0) } ?? ""
        }

        /// Binds to the address that is not to be seen first.
        private func heard(bound address: String, _ client: RunningSandbox, _ server: String) throws -> String {
            try client.exec(
                [],
                [
                    "python3", "-c",
                    """
                    import socket, sys
                    s = socket.create_connection((sys.argv[2], 80), 3, source_address=(sys.argv[1], 0))
                    s.sendall(b"x\\n"); print(s.makefile().readline().split()[0])
                    """, address, server,
                ]
            ).text
        }

        @Test(
            "what the application sends from one address comes from the other, over TCP, UDP and ICMP",
            arguments: [("10.98.0.7", "10.98.0.9", "10.98.0.10"), ("fd98::7", "fd98::9", "fd98::a")])
        func source(server: String, inner: String, outer: String) throws {
            let client = try client()
            #expect(try heard(bound: inner, client, server) == inner)
            try must("insert", "client", NatTests.both)
            #expect(try heard(bound: inner, client, server) == outer)
            #expect(try heard(bound: outer, client, server) == outer)
            #expect(try client.exec([], ["ping", "-n", "-c", "2", "-W", "2", "-I", inner, server]).succeeded)
            let hop = try #require(try hops("client").first)
            #expect(hop["placement"].text == "sandbox" && hop["state"].text == "running")
            #expect(hop["toSwitch"]["in"]["packets"].number ?? 0 >= 4)
            try must("remove", "client", "nat")
            #expect(try heard(bound: inner, client, server) == inner)
        }

        @Test("ports of the address that is seen lead to the other one; or all of them do")
        func forwarded() throws {
            let here = """
                import socket, sys
                for a, p in (("10.98.0.9", 80), ("fd98::9", 80), ("10.98.0.9", 81)):
                    s = socket.create_server((a, p), family=socket.AF_INET6 if ":" in a else socket.AF_INET)
                    import threading
                    def serve(s=s):
                        while True:
                            c, who = s.accept(); c.sendall((c.getsockname()[0] + " " + who[0]).encode()); c.close()
                    threading.Thread(target=serve, daemon=True).start()
                print("ready", flush=True); threading.Event().wait()
                """
            let client = try client([], ["python3", "-c", here])
            #expect(Clock.waitUntil { client.log.contains("ready") })
            func call(_ address: String, _ port: Int) throws -> String {
                let script = """
                    import socket, sys
                    try: print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).makefile().read())
                    except OSError as e: print(type(e).__name__)
                    """
                return try server.exec([], ["python3", "-c", script, address, "\(port)"]).text
            }
            #expect(try call("10.98.0.10", 8080) == "ConnectionRefusedError")
            try must("insert", "client", NatTests.both + "&tcp=8080&tcp-to=80")
            #expect(try call("10.98.0.10", 8080) == "10.98.0.9 10.98.0.7")
            #expect(try call("fd98::a", 8080) == "fd98::9 fd98::7")
            #expect(try call("10.98.0.10", 81) == "ConnectionRefusedError")
            // The address itself is still reached by who knows it.
            #expect(try call("10.98.0.9", 80) == "10.98.0.9 10.98.0.7")
            try must("replace", "client", "nat", NatTests.both + "&one-to-one=true")
            #expect(try call("10.98.0.10", 81) == "10.98.0.9 10.98.0.7")
            #expect(try call("10.98.0.10", 80) == "10.98.0.9 10.98.0.7")
        }

        @Test("connections keep what they began with: before it, through other changes, and while it is taken out")
        func established() throws {
            let client = try client()
            let before = try Talk(client, "before", to: "10.98.0.7")
            #expect(try before.say("one") == "10.98.0.9 low one")
            try must("insert", "client", NatTests.both)
            #expect(try before.say("two") == "10.98.0.9 low two", "it began before")
            let translated = try Talk(client, "translated", to: "10.98.0.7")
            #expect(try translated.say("three") == "10.98.0.10 low three")
            for words in [["insert", "client", "counter", "--at", "1"], ["move", "client", "counter", "2"]] {
                try scene.box.must([scene.box.binary, "chain"] + words)
                #expect(try translated.say("on") == "10.98.0.10 low on", "\(words)")
            }
            let removal = try scene.box.start([scene.box.binary, "chain", "remove", "client", "nat"], name: "removal")
            #expect(
                Clock.waitUntil { (try? heard(client, "tcp", "10.98.0.7", 80)) == "10.98.0.9" },
                "what begins is as it is without it")
            #expect(try translated.say("four") == "10.98.0.10 low four", "it is drained")
            #expect(try before.say("five") == "10.98.0.9 low five")
            translated.end()
            #expect(removal.wait() == .exited(0))
            #expect(try before.say("six") == "10.98.0.9 low six")
            before.end()
        }

        @Test("given at the start it translates from the first packet on, and what makes no sense starts nothing")
        func start() throws {
            let addresses = ["10.98.0.9/24", "10.98.0.10/24"].flatMap { ["--address", $0] }
            func run(_ chain: String) throws -> Outcome {
                try scene.box.sandbox(
                    ["run", "--unshare", "net", "--switch", "lab"] + addresses + [
                        "--chain", chain, "--", "python3", "-c", ProxyScripts.ask, "tcp", "10.98.0.7", "80",
                    ])
            }
            let good = try run("nat?from=10.98.0.9&to=10.98.0.10")
            #expect(good.text == "10.98.0.10 low", "\(good)")
            for (reference, reason) in [
                ("nat?from=10.98.0.9&to=fd98::a", "from has addresses of IPv4, and to has none"),
                ("nat?from=10.98.0.9&to=10.98.0.10,10.98.0.11", "several addresses of IPv4"),
                ("nat?from=10.98.0.9", "lacks the parameter \"to\""),
                ("nat?from=10.98.0.9&to=10.98.0.10@all", "tracks the connections of one application"),
            ] {
                let refused = try run(reference)
                #expect(refused.status == 125 && refused.err.contains(reason), "\(refused)")
            }
            #expect(
                Clock.waitUntil {
                    (try? scene.box.sandbox(["ps", "-a", "--json"]).document().items.compactMap { $0["name"].text })
                        == ["server"]
                })
        }
    }
}
