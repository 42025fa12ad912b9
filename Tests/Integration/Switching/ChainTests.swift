import Glibc
import Testing

extension Integration {
    /// Inline functions between ports and their switch, on real traffic.
    @Suite("Chains of inline functions", .needsRoot, .needsProgram("nft"), .needsProgram("python3"))
    struct ChainTests: ChainSuite {
        let scene: SwitchScene
        let server: RunningSandbox

        init() throws {
            scene = try SwitchScene()
            try scene.create("lab", ["--subnet", "10.91.0.0/24", "--subnet", "fd91::/64"])
            server = try scene.startServer("server", ["--address", "10.91.0.7/24,fd91::7/64"])
        }

        /// What nft and ip know of chains in the switch.
        private func leftovers() throws -> String {
            let namespace = scene.box.file("state/switches/lab/netns")
            let enter = ["nsenter", "--net=\(namespace)"]
            let tables = try scene.box.must(enter + ["nft", "list", "tables"]).lines.filter { $0.contains("netdev") }
            let links = try scene.box.must(enter + ["ip", "-o", "link", "show", "type", "ifb"]).lines
            return
                (tables + links.filter { !$0.isEmpty }
                + Files.list(scene.box.file("state/switches/lab/chains")).filter { $0 != "lock" })
                .joined(separator: "\n")
        }

        @Test("firewall:web passes the web both ways, drops all else and counts it") func firewall() throws {
            let client = try scene.startServer("client", ["--address", "10.91.0.8/24", "--chain", "firewall:web"])
            #expect(try client.ask("tcp", "10.91.0.7", 80) == "ok" && server.ask("tcp", "10.91.0.8", 80) == "ok")
            #expect(try client.ask("udp", "10.91.0.7", 53) == "ok" && client.ping("10.91.0.7"))
            #expect(try client.ask("tcp", "10.91.0.7", 81) == "TimeoutError")
            #expect(try client.ask("udp", "10.91.0.7", 54) == "TimeoutError")
            #expect(try server.ask("tcp", "10.91.0.8", 81) == "TimeoutError")
            #expect(try server.ask("udp", "10.91.0.8", 53) == "TimeoutError")
            let hop = try #require(try hops("client").first)
            #expect(hop["function"].text == "firewall:web" && hop["placement"].text == "inline")
            #expect(try #require(hop["toSwitch"]["dropped"].number) >= 2)
            #expect(try #require(hop["toApplication"]["dropped"].number) >= 2)
            #expect(hop["toSwitch"]["in"]["packets"].number ?? 0 > hop["toSwitch"]["out"]["packets"].number ?? .max)
        }

        @Test("firewall:none passes nothing, not even a ping; another preset IPv6 as well") func presets() throws {
            let closed = try scene.start("closed", ["--chain", "firewall:none"])
            #expect(try !closed.ping("10.91.0.7") && closed.ask("tcp", "10.91.0.7", 80) == "TimeoutError")
            let open = try scene.start("open", ["--chain", "firewall:web-client?peers=fd91::/64"])
            #expect(try open.ask("tcp", "fd91::7", 80) == "ok" && open.ask("tcp", "10.91.0.7", 80) == "TimeoutError")
        }

        @Test("a firewall of many entries") func many() throws {
            let ports = (1...60).map { "\($0 * 7 + 1000)" }.joined(separator: ",")
            let peers = (1...100).map { "10.91.0.\($0)" }.joined(separator: ",")
            let client = try scene.start(
                "client", ["--chain", "firewall?tcp-out=80,\(ports)&peers=\(peers)&icmp=false"])
            #expect(
                try client.ask("tcp", "10.91.0.7", 80) == "ok" && client.ask("tcp", "10.91.0.7", 81) == "TimeoutError")
        }

        @Test("a rate of the port's own does not lead past the rules") func beside() throws {
            let client = try scene.start(
                "client", ["--chain", "firewall:web-client"] + set("network.rate.egress", "\"50mbit\""))
            #expect(
                try client.ask("tcp", "10.91.0.7", 80) == "ok" && client.ask("tcp", "10.91.0.7", 81) == "TimeoutError")
            #expect(try scene.port(of: "client")["egressRate"].number == 50_000_000)
            let other = try scene.start("other", set("network.rate.egress", "\"50mbit\""))
            #expect(try other.ask("tcp", "10.91.0.7", 81) == "ok")
            try must("insert", "other", "firewall:web-client")
            #expect(
                try other.ask("tcp", "10.91.0.7", 80) == "ok" && other.ask("tcp", "10.91.0.7", 81) == "TimeoutError")
            expectRefused(try chain("insert", "other", "shaper?rate=1mbit"), naming: "network.rate.egress")
            #expect(try hops("other").count == 1)
        }

        @Test("inserted, replaced, moved and removed; recorded, shown and told of") func commands() throws {
            let client = try scene.start("client")
            #expect(try client.ask("tcp", "10.91.0.7", 81) == "ok")
            try must("insert", "client", "counter")
            try must("insert", "client", "firewall:web-client", "--at", "1")
            #expect(
                try client.ask("tcp", "10.91.0.7", 81) == "TimeoutError" && client.ask("tcp", "10.91.0.7", 80) == "ok")
            let before = try hops("client")
            #expect(before.map { $0["name"].text } == ["firewall", "counter"])
            let counted = before[1]["toSwitch"]["in"]["packets"].number ?? 0
            #expect(counted > 0)
            try must("move", "client", "counter", "1")
            try must("replace", "client", "firewall", "firewall?tcp-out=81")
            #expect(
                try client.ask("tcp", "10.91.0.7", 81) == "ok" && client.ask("tcp", "10.91.0.7", 80) == "TimeoutError")
            let after = try hops("client")
            #expect(after[0]["toSwitch"]["in"]["packets"].number ?? 0 >= counted, "it goes on counting")
            let names = ["counter", "firewall?tcp-out=81"]
            let ps = try scene.box.sandbox(["ps", "--json"]).document().items.first { $0["name"].text == "client" }
            #expect(ps?["interfaces"][0]["chain"].texts == names)
            #expect(try client.inspection()["profile"]["network"]["chain"].texts == names)
            #expect(try scene.port(of: "client")["chain"].texts == names)
            let graph = try scene.box.sandbox(["switch", "graph", "lab", "--dot"])
            for name in names { #expect(graph.out.contains(name), "\(graph)") }
            #expect(try scene.box.sandbox(["events", "--no-follow", "--json"]).out.contains("chain-changed"))
            try must("remove", "client", "2")
            #expect(try client.ask("tcp", "10.91.0.7", 80) == "ok")
            #expect(try hops("client").count == 1)
        }

        @Test("each interface has a chain of its own, and a box that begins again has those of before")
        func interfaces() throws {
            try scene.create("back", ["--subnet", "10.93.0.0/24"])
            let sandbox = try scene.start(
                "client",
                ["--chain", "counter", "--set", "network.more=[{ switch = \"back\", chain = [\"firewall:none\"] }]"]
                    + ["--set", "lifecycle.restart=always", "--set", "lifecycle.restart-delay=1ms"])
            #expect(try sandbox.ping("10.91.0.7") && !sandbox.ping("10.93.0.1"))
            try must("remove", "client", "firewall", "--interface", "eth1")
            try must("insert", "client", "firewall:none", "--interface", "eth0")
            #expect(try !sandbox.ping("10.91.0.7") && sandbox.ping("10.93.0.1"))
            let first = sandbox.process
            kill(sandbox.command, SIGKILL)
            #expect(Clock.waitUntil { sandbox.process != first && sandbox.process > 0 })
            #expect(Clock.waitUntil { (try? sandbox.ping("10.93.0.1")) == true })
            #expect(try !sandbox.ping("10.91.0.7"))
            let shown = try chain("show", "client", "--json").document()["interfaces"]
            #expect(shown[0]["chain"].items.map { $0["function"].text } == ["counter", "firewall:none"])
            #expect(shown[1]["name"].text == "eth1" && shown[1]["chain"].items.isEmpty)
            sandbox.remove()
        }

        @Test("a command killed in the middle of a change leaves a chain that the next one mends") func killed() throws
        {
            let client = try scene.start("client", ["--chain", "counter"])
            let file = scene.box.file("steps")
            let whole = ["SANDBOX_CRASH": file + ":main:0"]
            #expect(
                try scene.box.sandbox(["chain", "insert", "client", "firewall:none"], environment: whole).succeeded)
            let steps = (Files.read(file) ?? "").split(separator: "\n").filter { $0.hasPrefix("main ") }
            let number = try #require(steps.firstIndex(of: "main install chain")) + 1
            try must("remove", "client", "firewall")
            let killed = try scene.box.sandbox(
                ["chain", "insert", "client", "firewall:none"],
                environment: ["SANDBOX_CRASH": file + ".2:main:\(number)"])
            #expect(!killed.succeeded)
            #expect(try !client.ping("10.91.0.7"), "the rules were in force")
            try must("insert", "client", "firewall:web-client")
            #expect(try hops("client").map { $0["name"].text } == ["counter", "firewall"])
            #expect(
                try client.ask("tcp", "10.91.0.7", 80) == "ok" && client.ask("tcp", "10.91.0.7", 81) == "TimeoutError")
            client.remove()
            #expect(try leftovers() == "")
        }

        @Test("nothing is left of chains: removed, killed, without a name") func clean() throws {
            let one = try scene.start("one", ["--chain", "firewall:web", "--chain", "shaper?rate=20mbit"])
            #expect(try !leftovers().isEmpty)
            try scene.box.must([scene.box.binary, "rm", "-f", "one"])
            #expect(try leftovers() == "")
            let two = try scene.start("two", ["--chain", "shaper?rate=20mbit"])
            try must("insert", "two", "counter")
            kill(two.process, SIGKILL)
            #expect(Clock.waitUntil { (try? scene.box.sandbox(["ps", "--json"]).out.contains("\"two\"")) == false })
            #expect(try leftovers() == "")
            let unnamed = ["run", "--unshare", "net", "--switch", "lab", "--chain", "shaper?rate=20mbit", "--", "true"]
            #expect(try scene.box.sandbox(unnamed).succeeded)
            #expect(Clock.waitUntil { (try? scene.ports()) == 1 })
            #expect(try !leftovers().isEmpty)
            #expect(try scene.box.sandbox(["gc"]).out.contains("chain of p"))
            #expect(try leftovers() == "")
            _ = one
        }

        @Test("rules that nft refuses leave the chain as it was") func refused() throws {
            try scene.box.folder("config/sandbox/profiles/functions", mode: 0o755)
            let file = scene.box.file("config/sandbox/profiles/functions/broken.toml")
            try Files.write(
                "[function]\nplacement = \"inline\"\nto-switch = [\"tcp dprt 80 drop\"]\n", to: file, mode: 0o644)
            let client = try scene.start("client", ["--chain", "firewall:web-client"])
            let own = ["XDG_CONFIG_HOME": scene.box.file("config")]
            for change in [["insert", "client", "broken"], ["replace", "client", "firewall", "broken"]] {
                let outcome = try scene.box.sandbox(["chain"] + change, environment: own)
                expectRefused(outcome, naming: "nft refuses the rule \"tcp dprt 80 drop\" of \"broken\"")
            }
            #expect(try hops("client").map { $0["function"].text } == ["firewall:web-client"])
            #expect(
                try client.ask("tcp", "10.91.0.7", 80) == "ok" && client.ask("tcp", "10.91.0.7", 81) == "TimeoutError")
            let before = try leftovers()
            let launch = ["run", "--unshare", "net", "--switch", "lab", "--chain", "broken", "--", "true"]
            expectRefused(try scene.box.sandbox(launch, environment: own), naming: "network.chain", "dprt")
            #expect(Clock.waitUntil { (try? scene.ports()) == 2 })
            #expect(try leftovers() == before)
        }

        @Test("what is wrong is said before anything starts") func badInput() throws {
            let sandbox = try scene.start("client")
            let cases: [([String], [String])] = [
                (["--chain", "firewal"], ["network.chain[0]", "did you mean \"firewall\""]),
                (["--chain", "firewall:wbe"], ["did you mean \"web\""]),
                (["--chain", "firewall?tcp=80"], ["tcp"]),
                (["--chain", "shaper"], ["holds nothing back"]),
                (["--chain", "mirror"], ["lacks the parameter \"to\""]),
                (["--chain", "mirror?to=nobody"], ["\"nobody\" has no port"]),
                (["--chain", "shaper?rate=1mbit"] + set("network.rate.egress", "\"2mbit\""), ["network.rate"]),
            ]
            for (words, texts) in cases {
                let outcome = try scene.box.sandbox(
                    ["run", "--unshare", "net", "--switch", "lab"] + words + ["--", "true"])
                for text in texts { expectRefused(outcome, naming: text) }
            }
            let profile = try scene.box.profile(
                "[namespaces]\nunshare = [\"net\"]\n[network]\nswitch = \"lab\"\nchain = [\n\"counter\",\n\"conter\",\n]\n",
                name: "typo.toml")
            let outcome = try scene.box.sandbox(["run"] + profile + ["--", "true"])
            expectRefused(outcome, naming: "typo.toml:7:1: network.chain[1]", "did you mean \"counter\"")
            expectRefused(try chain("remove", "client", "counter"), naming: "no function \"counter\"", "it is empty")
            expectRefused(try chain("insert", "client", "counter", "--at", "3"), naming: "no position 3")
            expectRefused(
                try chain("insert", "client", "counter", "--interface", "eth7"), naming: "no interface \"eth7\"", "eth0"
            )
            expectRefused(try chain("insert", "nobody", "counter"), naming: "nobody")
            _ = sandbox
        }

        @Test("a mirror's copies come to the other sandbox") func mirror() throws {
            let spy = try scene.start("spy", [], ["python3", "-c", Self.listener])
            #expect(Clock.waitUntil { spy.log.contains("ready") })
            let client = try scene.start("client", ["--chain", "mirror?to=spy"])
            #expect(try client.ask("udp", "10.91.0.7", 53) == "ok")
            #expect(Clock.waitUntil { spy.log.contains("question") && spy.log.contains("answer") }, "\(spy.log)")
        }

        private static let listener = """
            import socket
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); s.bind(("eth0", 0))
            print("ready", flush=True)
            while True:
                f = s.recv(2000)
                if f[12:14] == b"\\x08\\x00" and f[23] == 17:
                    if f[36:38] == b"\\x00\\x35": print("question", flush=True)
                    if f[34:36] == b"\\x00\\x35": print("answer", flush=True)
            """
    }

    @Suite("Chains under traffic", .needsRoot, .needsProgram("iperf3"), .needsProgram("nft"))
    struct ChainTrafficTests {
        let scene: SwitchScene
        let server: RunningSandbox

        init() throws {
            scene = try SwitchScene()
            try scene.create("lab", ["--subnet", "10.92.0.0/24"])
            server = try scene.start("server", ["--address", "10.92.0.7/24"], ["iperf3", "-s"])
        }

        private func rate(_ client: RunningSandbox, _ options: [String]) throws -> Double {
            let outcome = try client.exec(
                [], ["iperf3", "-c", "10.92.0.7", "-t", "3", "-O", "1", "-f", "m"] + options)
            let words = (outcome.lines.last { $0.contains("receiver") } ?? "").split(separator: " ")
            guard let unit = words.firstIndex(of: "Mbits/sec"), let rate = Double(words[unit - 1]) else {
                throw Failure(saying: "\(outcome)")
            }
            return rate
        }

        @Test("a shaper holds its rates, from the start and changed in between, and the firewall beside it holds")
        func shaper() throws {
            let client = try scene.start(
                "client", ["--chain", "firewall?tcp-out=5201", "--chain", "shaper?egress=20mbit&ingress=40mbit"])
            #expect((17.0...21.5).contains(try rate(client, [])))
            #expect((35.0...43.0).contains(try rate(client, ["-R"])))
            try scene.box.must([scene.box.binary, "chain", "replace", "client", "shaper", "shaper?rate=60mbit"])
            #expect((52.0...64.0).contains(try rate(client, [])))
            #expect((52.0...64.0).contains(try rate(client, ["-R"])))
            #expect(try !client.exec([], ["nc", "-z", "-w", "1", "10.92.0.7", "22"]).succeeded)
            try scene.box.must([scene.box.binary, "chain", "remove", "client", "shaper"])
            #expect(try rate(client, []) > 100 && rate(client, ["-R"]) > 100)
        }

        @Test("twenty times inserted, replaced and removed: no ping is lost, and a stream goes on")
        func hitless() throws {
            let client = try scene.start("client")
            let stream = try client.start([], ["iperf3", "-c", "10.92.0.7", "-t", "60", "-b", "200m"], name: "stream")
            let flood = try client.start([], ["ping", "-i", "0.001", "-w", "60", "-q", "10.92.0.7"], name: "flood")
            defer { for child in [stream, flood] { child.signal(SIGKILL) } }
            func change(_ words: String...) throws { try scene.box.must([scene.box.binary, "chain"] + words) }
            for _ in 0..<20 {
                try change("insert", "client", "counter")
                try change("insert", "client", "firewall?tcp-in=5201&tcp-out=5201", "--at", "1")
                try change("replace", "client", "firewall", "firewall:all")
                try change("insert", "client", "shaper?rate=900mbit")
                try change("replace", "client", "shaper", "shaper?rate=800mbit")
                try change("remove", "client", "shaper")
                try change("remove", "client", "firewall")
                try change("remove", "client", "counter")
            }
            #expect(stream.wait(timeout: 0.1) == nil, "the stream goes on")
            let (said, line, numbers) = scene.endFlood(flood)
            #expect(numbers.count >= 2 && numbers[0] > 500)
            // The last may be on its way still when it is stopped.
            #expect(numbers.count >= 2 && numbers[0] - numbers[1] <= 1, "\(said)")
            #expect(line.contains(" 0% packet loss") || numbers[0] - numbers[1] <= 1, "\(said)")
        }
    }
}
