import Glibc
import Testing

extension Integration {
    /// Functions that are sandboxes, between ports and their switch, on real traffic.
    @Suite(
        "Functions that are sandboxes", .needsRoot, .needsProgram("nft"), .needsProgram("python3"),
        .needsProgram("tcpdump"))
    struct FunctionTests: ChainSuite {
        let scene: SwitchScene
        let server: RunningSandbox

        init() throws {
            scene = try SwitchScene()
            try scene.create("lab", ["--subnet", "10.94.0.0/24"])
            server = try scene.startServer("server", ["--address", "10.94.0.7/24"])
        }

        private func enter(_ words: [String]) throws -> Outcome {
            try scene.box.must(["nsenter", "--net=\(scene.box.file("state/switches/lab/netns"))"] + words)
        }

        /// What of chains is in the switch, but for the ports themselves.
        private func leftovers() throws -> [String] {
            let links = try enter(["ip", "-br", "link"]).lines.filter { line in
                ["f", "g", "i", "k", "o"].contains(line.prefix(1))
            }
            let tables = try enter(["nft", "list", "tables"]).lines.filter { $0.contains("netdev") }
            return links + tables + Files.list(scene.box.file("state/switches/lab/chains")).filter { $0 != "lock" }
        }

        /// A function for tests, in the user's own directory.
        private func write(_ name: String, _ text: String) throws -> [String: String] {
            try scene.box.folder("config/sandbox/profiles/functions", mode: 0o755)
            try Files.write(
                text, to: scene.box.file("config/sandbox/profiles/functions/\(name).toml"), mode: 0o644)
            return ["XDG_CONFIG_HOME": scene.box.file("config")]
        }

        @Test("a box in the way passes all, is a sandbox like others, and goes with its application")
        func bridge() throws {
            let client = try scene.start("client", ["--chain", "bridge"])
            #expect(try client.ask("tcp", "10.94.0.7", 80) == "ok" && server.ping(try address(client)))
            #expect(try names() == ["client", "client.bridge", "server"])
            let function = try RunningSandbox(joining: "client.bridge", of: scene.box)
            let links = try function.exec([], ["ip", "-br", "link"]).out
            #expect(links.contains("in0") && links.contains("out0"))
            let hop = try #require(try hops("client").first)
            #expect(hop["placement"].text == "sandbox" && hop["state"].text == "running")
            #expect(hop["sandbox"].text == "client.bridge")
            for way in ["toSwitch", "toApplication"] {
                #expect(hop[way]["in"]["packets"].number ?? 0 >= 4 && hop[way]["out"]["packets"].number ?? 0 >= 4)
            }
            client.remove()
            #expect(try names() == ["server"])
            #expect(Clock.waitUntil { (try? leftovers()) == [] })
        }

        @Test("a function that is asked for twice is there twice") func twice() throws {
            let client = try scene.start(
                "client", ["--chain", "bridge", "--chain", "counter", "--chain", "bridge", "--chain", "counter"])
            #expect(try client.ask("tcp", "10.94.0.7", 80) == "ok")
            #expect(try hops("client").map { $0["name"].text } == ["bridge", "counter", "bridge", "counter"])
            for hop in try hops("client") {
                #expect(hop["toSwitch"]["in"]["packets"].number ?? 0 >= 4, "\(hop)")
            }
            #expect(try names().count == 4)
            client.remove()
            #expect(try names() == ["server"])
        }

        @Test("the switch keeps rules for a port as long as its chain has a function with some") func tables() throws {
            func tables() throws -> Int {
                try enter(["nft", "list", "tables"]).lines.filter { $0.contains("netdev") }.count
            }
            let client = try scene.start("client", ["--chain", "bridge"])
            #expect(try tables() == 0)
            for function in ["counter", "shaper?rate=10mbit"] {
                try scene.box.must([scene.box.binary, "chain", "insert", "client", function, "--at", "1"])
                #expect(try tables() == 1 && client.ask("tcp", "10.94.0.7", 80) == "ok")
                try scene.box.must([scene.box.binary, "chain", "remove", "client", "1"])
                #expect(try tables() == 0 && client.ask("tcp", "10.94.0.7", 80) == "ok")
            }
        }

        private func address(_ sandbox: RunningSandbox) throws -> String {
            let text = try scene.port(of: sandbox.name)["addresses"].texts.first ?? ""
            return String(text.split(separator: "/")[0])
        }

        @Test("inline functions and boxes keep their order, and no frame passes one twice or not at all")
        func order() throws {
            let client = try scene.start("client")
            let chains: [[String]] = [
                ["counter", "bridge"], ["bridge", "counter"], ["counter", "bridge", "counter", "bridge", "counter"],
                ["counter", "counter", "bridge", "bridge", "counter"],
            ]
            for references in chains {
                for reference in references { try must("insert", "client", reference) }
                #expect(try client.exec([], ["ping", "-n", "-c", "20", "-i", "0.01", "10.94.0.7"]).succeeded)
                let before = try hops("client")
                let pinged = try client.exec([], ["ping", "-n", "-q", "-c", "100", "-i", "0.002", "10.94.0.7"])
                #expect(pinged.out.contains(" 0% packet loss"), "\(pinged)")
                let after = try hops("client")
                for (hop, old) in zip(after, before) {
                    for way in ["toSwitch", "toApplication"] {
                        let count = (hop[way]["in"]["packets"].number ?? 0) - (old[way]["in"]["packets"].number ?? 0)
                        // Of neighbours' questions there may be some.
                        #expect((100...106).contains(count), "\(references): \(hop) after \(old)")
                    }
                }
                for position in references.indices.reversed() { try must("remove", "client", "\(position + 1)") }
            }
            #expect(try hops("client").isEmpty && names() == ["client", "server"])
            #expect(try client.ping("10.94.0.7"))
        }

        @Test("what a firewall drops comes to no function behind it, on either side") func firewall() throws {
            let client = try scene.start("client")
            for (chain, isSeen) in [
                (["firewall?tcp-out=80", "capture"], false), (["capture", "firewall?tcp-out=80"], true),
            ] {
                for reference in chain { try must("insert", "client", reference) }
                let reference = chain.first { $0.hasPrefix("capture") } ?? ""
                #expect(reference == "capture")
                let before = try hops("client")
                #expect(try client.ask("tcp", "10.94.0.7", 81) == "TimeoutError")
                let after = try hops("client")
                let place = chain.firstIndex(of: "capture") ?? 0
                let seen =
                    (after[place]["toSwitch"]["in"]["packets"].number ?? 0)
                    - (before[place]["toSwitch"]["in"]["packets"].number ?? 0)
                #expect(isSeen ? seen >= 1 : seen <= 2, "\(seen)")
                #expect(after[1 - place]["toSwitch"]["dropped"].number ?? 0 >= 1)
                #expect(try client.ask("tcp", "10.94.0.7", 80) == "ok")
                for _ in chain { try must("remove", "client", "1") }
            }
        }

        @Test("a function that ends at once is told of, and the chain is as it was") func ends() throws {
            let own = try write(
                "broken",
                "[function]\nplacement = \"sandbox\"\n[process]\ncommand = [\"sh\", \"-c\", \"echo no license; exit 3\"]\n"
            )
            let client = try scene.start("client", ["--chain", "counter"])
            for change in [["insert", "client", "broken"], ["replace", "client", "counter", "broken"]] {
                let outcome = try scene.box.sandbox(["chain"] + change, environment: own)
                expectRefused(outcome, naming: "the function \"broken\" ended at once: no license")
            }
            #expect(try hops("client").map { $0["function"].text } == ["counter"])
            #expect(try client.ask("tcp", "10.94.0.7", 80) == "ok" && names() == ["client", "server"])
            let launch = ["run", "--unshare", "net", "--switch", "lab", "--chain", "broken", "--", "true"]
            expectRefused(try scene.box.sandbox(launch, environment: own), naming: "ended at once")
            #expect(try names() == ["client", "server"])
        }

        @Test(
            "a function that dies stops the traffic, or is passed by, is told of, and comes back",
            arguments: [false, true])
        func failure(opens: Bool) throws {
            let fail = opens ? "open" : "closed"
            let own = try write(
                "weak",
                "[function]\nplacement = \"sandbox\"\nfail = \"\(fail)\"\n[process]\ncommand = [\"sleep\", \"1000\"]\n"
                    + "[lifecycle]\nrestart = \"on-failure\"\nrestart-delay = \"1500ms\"\n")
            let client = try scene.start("client")
            let outcome = try scene.box.sandbox(["chain", "insert", "client", "weak"], environment: own)
            #expect(outcome.succeeded, "\(outcome)")
            #expect(try client.ping("10.94.0.7"))
            kill(try RunningSandbox(joining: "client.weak", of: scene.box).command, SIGKILL)
            #expect(
                Clock.waitUntil {
                    (try? scene.box.sandbox(["events", "--no-follow"]).out.contains("chain-failed")) == true
                })
            #expect(try client.ping("10.94.0.7") == opens)
            #expect(Clock.waitUntil { (try? hops("client").first?["state"].text) == "running" })
            #expect(Clock.waitUntil { (try? client.ping("10.94.0.7")) == true })
            let seen = try hops("client").first?["toSwitch"]["in"]["packets"].number ?? 0
            #expect(seen >= 1, "it is led to again")
        }

        @Test("one function for several applications, with interfaces for each") func shared() throws {
            let one = try scene.start("one", ["--chain", "bridge@all"])
            let two = try scene.start("two")
            try must("insert", "two", "bridge@all")
            #expect(try names() == ["bridge.all", "one", "server", "two"])
            #expect(try one.ping("10.94.0.7") && two.ping("10.94.0.7") && two.ping(try address(one)))
            one.remove()
            #expect(try names() == ["bridge.all", "server", "two"] && two.ping("10.94.0.7"))
            try must("remove", "two", "bridge")
            #expect(try names() == ["server", "two"] && two.ping("10.94.0.7"))
        }

        /// A change, the chain before it and the one after it.
        struct KilledChange: CustomTestStringConvertible, Sendable {
            let words: [String]
            let before: [String]
            let after: [String]
            var testDescription: String { words.joined(separator: " ") }
        }

        private static let killedChanges = [
            KilledChange(words: ["insert", "client", "bridge"], before: ["counter"], after: ["counter", "bridge"]),
            KilledChange(
                words: ["replace", "client", "bridge", "bridge"], before: ["counter", "bridge"],
                after: ["counter", "bridge"]),
            KilledChange(
                words: ["move", "client", "bridge", "1"], before: ["counter", "bridge"], after: ["bridge", "counter"]),
            KilledChange(
                words: ["move", "client", "firewall", "2"], before: ["firewall:all", "counter"],
                after: ["counter", "firewall:all"]),
            KilledChange(words: ["remove", "client", "bridge"], before: ["counter", "bridge"], after: ["counter"]),
        ]

        /// What frames pass, as the functions count them, is what is shown.
        private func expectTrue(_ client: RunningSandbox, _ step: String, _ chains: [[String]]) throws {
            let before = try hops("client")
            let known = before.compactMap { $0["function"].text }
            #expect(chains.contains(known), "after \(step): \(known)")
            #expect(try client.exec([], ["ping", "-n", "-q", "-c", "20", "-i", "0.002", "10.94.0.7"]).succeeded)
            for (hop, old) in zip(try hops("client"), before) {
                let count =
                    (hop["toSwitch"]["in"]["packets"].number ?? 0) - (old["toSwitch"]["in"]["packets"].number ?? 0)
                #expect((20...24).contains(count), "after \(step): \(hop) after \(old)")
                #expect(hop["state"].text == "running", "after \(step)")
            }
        }

        @Test(
            "a change that is killed at any step leaves the old or the new chain whole, as it is shown, and gc clears up",
            arguments: killedChanges)
        func killed(change: KilledChange) throws {
            let client = try scene.start("client", change.before.flatMap { ["--chain", $0] })
            let file = scene.box.file("steps")
            let whole = ["SANDBOX_CRASH": file + ":main:0"]
            #expect(try scene.box.sandbox(["chain"] + change.words, environment: whole).succeeded)
            let steps = (Files.read(file) ?? "").split(separator: "\n").filter { $0.hasPrefix("main ") }
            #expect(steps.contains("main prepare chain") && steps.contains("main steer chain"), "\(steps)")
            for number in 1...max(1, steps.count) {
                // The same word at another place is mostly about another file.
                try restore(change.before)
                let killed = try scene.box.sandbox(
                    ["chain"] + change.words, environment: ["SANDBOX_CRASH": "\(file).\(number):main:\(number)"])
                let step = "step \(number), \(steps[number - 1])"
                if killed.succeeded {
                    // How often a box that ends is looked at, and so the number of steps, differs a little.
                    #expect(number > steps.count - 6, "only \(number) of \(steps.count) steps")
                    break
                }
                #expect(try client.ping("10.94.0.7"), "after \(step)")
                try expectTrue(client, step, [change.before, change.after])
                #expect(try scene.box.sandbox(["gc"]).succeeded)
                try expectTrue(client, step + " and gc", [change.before, change.after])
                let boxes = try hops("client").compactMap { $0["sandbox"].text }
                #expect(try names() == (["client", "server"] + boxes).sorted(), "after \(step)")
            }
            client.remove()
            #expect(try scene.box.sandbox(["gc"]).succeeded)
            let isClean = Clock.waitUntil { (try? leftovers()) == [] }
            let left = try leftovers()
            #expect(isClean, "\(left)")
        }

        /// Makes the client's chain what it was.
        private func restore(_ chain: [String]) throws {
            let now = try hops("client").compactMap { $0["function"].text }
            if now == chain { return }
            for _ in now { try must("remove", "client", "1") }
            for reference in chain { try must("insert", "client", reference) }
        }

        @Test("the end of a function is told at once, though nobody looks, and before its return") func told() throws {
            let own = try write(
                "weak",
                "[function]\nplacement = \"sandbox\"\n[process]\ncommand = [\"sleep\", \"1000\"]\n"
                    + "[lifecycle]\nrestart = \"on-failure\"\nrestart-delay = \"100ms\"\n")
            let client = try scene.start("client", ["--chain", "bridge"])
            #expect(try scene.box.sandbox(["chain", "insert", "client", "weak"], environment: own).succeeded)
            // No command is run meanwhile that could find it out.
            func events() -> [String] {
                (Files.read(scene.box.file("state/events")) ?? "").split(separator: "\n").compactMap { line in
                    let text = String(line)
                    guard text.contains("\"name\":\"client.") else { return nil }
                    return text.split(separator: "\"").map(String.init).drop { $0 != "event" }.dropFirst(2).first
                }
            }
            let before = events().count
            kill(try RunningSandbox(joining: "client.weak", of: scene.box).command, SIGKILL)
            #expect(Clock.waitUntil { events().dropFirst(before).contains("chain-restored") }, "\(events())")
            let told = events().dropFirst(before).filter { $0.hasPrefix("chain-") }
            #expect(told == ["chain-failed", "chain-restored"], "\(told)")
            // One that nothing brings back.
            let count = events().count
            kill(try RunningSandbox(joining: "client.bridge", of: scene.box).command, SIGKILL)
            #expect(Clock.waitUntil { events().dropFirst(count).contains("chain-failed") }, "\(events())")
            #expect(try hops("client").map { $0["state"].text } == ["failed", "running"])
            #expect(try !client.ping("10.94.0.7"))
            let drawn = try scene.box.sandbox(["switch", "show", "lab"]).out
            #expect(drawn.contains("├┤ 1 bridge ├ in client.bridge") && drawn.contains("└┤ 2 weak ├ in client.weak"))
            try must("remove", "client", "bridge")
            #expect(try client.ping("10.94.0.7"))
        }

        @Test("what is killed leaves functions that a look ends") func orphans() throws {
            let client = try scene.start("client", ["--chain", "bridge"])
            kill(client.process, SIGKILL)
            #expect(
                Clock.waitUntil {
                    (try? scene.box.sandbox(["gc"]).succeeded) == true
                        && (try? names().contains("client.bridge")) == false
                })
            #expect(Clock.waitUntil { (try? leftovers()) == [] })
        }
    }
}

extension Integration {
    /// Issue 5's first and second show, and what a chain of both kinds loses: nothing.
    @Suite(
        "Chains of both kinds under traffic", .needsRoot, .needsProgram("iperf3"), .needsProgram("nft"),
        .needsProgram("tcpdump"))
    struct MixedChainTests {
        let scene: SwitchScene
        let server: RunningSandbox

        init() throws {
            scene = try SwitchScene()
            try scene.create("lab", ["--subnet", "10.95.0.0/24"])
            server = try scene.start("server", ["--address", "10.95.0.7/24"], ["sh", "-c", "iperf3 -s -p 80"])
        }

        private func change(_ words: String...) throws { try scene.box.must([scene.box.binary, "chain"] + words) }

        private func rate(_ client: RunningSandbox, _ options: [String] = []) throws -> Double {
            let outcome = try client.exec(
                [], ["iperf3", "-c", "10.95.0.7", "-p", "80", "-t", "3", "-O", "1", "-f", "m"] + options)
            let words = (outcome.lines.last { $0.contains("receiver") } ?? "").split(separator: " ")
            guard let unit = words.firstIndex(of: "Mbits/sec"), let rate = Double(words[unit - 1]) else {
                throw Failure(saying: "\(outcome)")
            }
            return rate
        }

        @Test("firewall, capture and shaper: allowed traffic passes at its rate, denied is counted, the file holds it")
        func show() throws {
            let directory = scene.box.file("pcap")
            let client = try scene.start(
                "client",
                [
                    "--chain", "firewall:web", "--chain", "capture?directory=\(directory)", "--chain",
                    "shaper?rate=20mbit",
                ])
            #expect((17.0...21.5).contains(try rate(client)))
            #expect((17.0...21.5).contains(try rate(client, ["-R"])))
            #expect(try !client.exec([], ["nc", "-z", "-w", "1", "10.95.0.7", "22"]).succeeded)
            let shown = try scene.box.sandbox(["chain", "show", "client", "--json"]).document()
            let hops = shown["interfaces"][0]["chain"].items
            #expect(hops.map { $0["name"].text } == ["firewall", "capture", "shaper"])
            #expect(hops[0]["toSwitch"]["dropped"].number ?? 0 >= 1)
            let (passed, copied) = (
                hops[0]["toSwitch"]["out"]["packets"].number, hops[1]["toSwitch"]["in"]["packets"].number
            )
            #expect(passed ?? 0 > 1000 && copied ?? 0 > passed ?? .max, "both ways are copied")
            try change("remove", "client", "capture")
            let file = "\(directory)/client.capture.pcap0"
            let http = try scene.box.must(["tcpdump", "-n", "-r", file, "tcp port 80"]).lines
            #expect(http.count > 1000)
            let denied = try scene.box.must(["tcpdump", "-n", "-r", file, "tcp port 22"]).lines.filter { !$0.isEmpty }
            #expect(denied.isEmpty, "the firewall is before it")
            #expect((17.0...21.5).contains(try rate(client)))
        }

        @Test("a firewall and a box inserted, moved, replaced and removed ten times: no ping of 1 ms is lost")
        func hitless() throws {
            let client = try scene.start("client")
            let stream = try client.start(
                [], ["iperf3", "-c", "10.95.0.7", "-p", "80", "-t", "90", "-b", "200m"], name: "stream")
            let flood = try client.start([], ["ping", "-i", "0.001", "-w", "90", "-q", "10.95.0.7"], name: "flood")
            defer { for child in [stream, flood] { child.signal(SIGKILL) } }
            for _ in 0..<10 {
                try change("insert", "client", "bridge")
                try change("insert", "client", "firewall:all", "--at", "1")
                try change("insert", "client", "counter")
                try change("replace", "client", "bridge", "bridge")
                try change("move", "client", "firewall", "2")
                try change("move", "client", "firewall", "1")
                try change("remove", "client", "bridge")
                try change("remove", "client", "firewall")
                try change("remove", "client", "counter")
            }
            #expect(stream.wait(timeout: 0.1) == nil, "the stream goes on")
            let (said, _, numbers) = scene.endFlood(flood)
            #expect(numbers.count >= 2 && numbers[0] > 500)
            // The last may be on its way still when it is stopped.
            #expect(numbers.count >= 2 && numbers[0] - numbers[1] <= 1, "\(said)")
            #expect(!said.contains("duplicates"), "\(said)")
        }
    }
}
