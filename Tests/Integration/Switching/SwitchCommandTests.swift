import Glibc
import Testing

extension Integration {
    @Suite("Switches: made, listed, shown, deleted", .needsRoot, .needsProgram("nft"))
    struct SwitchCommandTests {
        let scene: SwitchScene
        var box: Box { scene.box }

        init() throws { scene = try SwitchScene() }

        @Test("create, list, show and delete, as text and as documents") func life() throws {
            expectOutput(try box.sandbox(["switch", "list", "--json"]), "[]")
            expectOutput(try box.sandbox(["switch", "create", "lab", "--subnet", "10.91.0.0/24", "--mtu", "9000"]), "")
            try scene.create("six", ["--subnet", "fd91::1/64", "--isolated"])
            let list = try box.sandbox(["switch", "list", "--json"]).document()
            #expect(list.items.map { $0["name"].text } == ["lab", "six"])
            #expect(list[0]["subnets"].texts == ["10.91.0.1/24"] && list[0]["mtu"].number == 9000)
            #expect(list[1]["isolated"].isTrue && list[1]["ports"].number == 0 && list[1]["uplink"].text == "none")
            let text = try box.sandbox(["switch", "list"])
            #expect(text.column(0) == ["NAME", "lab", "six"] && text.column(4) == ["PORTS", "0", "0"])
            let show = try box.sandbox(["switch", "show", "lab"])
            #expect(show.out.contains("lab  bridge") && show.out.contains("no ports"), "\(show)")
            #expect(show.lines.allSatisfy { $0.count <= 80 })
            expectOutput(try box.sandbox(["switch", "delete", "lab", "six"]), "")
            #expect(scene.switches.isEmpty && scene.mounts.isEmpty)
        }

        @Test("a sandbox's port is shown with whose it is, its addresses and what went through it") func port() throws {
            try scene.create()
            let web = try scene.start("web", ["--set", "network.isolated=true"])
            #expect(try web.ping("10.91.0.1"))
            let port = try scene.port(of: "web")
            #expect(port["interface"].text == "eth0" && port["addresses"].texts.count == 1 && port["isolated"].isTrue)
            #expect(port["sentPackets"].number ?? 0 >= 1 && port["receivedPackets"].number ?? 0 >= 1)
            // One queue each way from the start: to make more and leave them unused takes the kernel two grace periods.
            let link = try web.exec([], ["ip", "-d", "link", "show", "eth0"])
            #expect(link.out.contains("numtxqueues 1 numrxqueues 1"), "\(link)")
            let address = port["addresses"].texts.first ?? "?"
            let show = try box.sandbox(["switch", "show", "lab"]).out
            for word in ["p0", "web eth0", address, "isolated", port["mac"].text ?? "?"] {
                #expect(show.contains(word))
            }
            // The same from the sandbox's side.
            let entry = try box.sandbox(["ps", "--json"]).document()[0]["interfaces"][0]
            #expect(entry["switch"].text == "lab" && entry["attach"].text == "veth" && entry["name"].text == "eth0")
            #expect(entry["addresses"].texts == ["\(address)/24"] && entry["mac"].text == port["mac"].text)
            #expect(try box.sandbox(["ps"]).out.contains(address))
            let inspected = try web.inspection()["live"]["interfaces"].items.first { $0["name"].text == "eth0" }
            #expect(inspected?["addresses"].texts == ["\(address)/24"])
            let events = try box.sandbox(["events", "--since", "1h", "--no-follow", "--json"])
            #expect(events.out.contains("\"event\":\"port-added\",\"name\":\"\(web.name)\""), "\(events)")
            let own = try web.shell([], "ip -o link show dev eth0")
            #expect(own.out.contains(port["mac"].text ?? "?"), "\(own)")
        }

        @Test("one with ports stays unless it is forced; then its sandboxes go on without") func deleting() throws {
            try scene.create()
            let web = try scene.start("web")
            expectRefused(try box.sandbox(["switch", "delete", "lab"]), naming: "has a port", "--force")
            #expect(try scene.ports() == 1)
            expectOutput(try box.sandbox(["switch", "delete", "-f", "lab"]), "")
            #expect(scene.switches.isEmpty && scene.mounts.isEmpty)
            #expect(try Clock.waitUntil { try !web.shell([], "cat /proc/net/dev").out.contains("eth0") })
        }

        @Test("a switch made on first use goes with its last port", arguments: [true, false])
        func firstUse(isDetached: Bool) throws {
            let options = ["--unshare", "net", "--switch", "own"]
            if isDetached {
                let (one, two) = (try scene.start("one", on: "own"), try scene.start("two", on: "own"))
                #expect(try scene.show("own")["transient"].isTrue && scene.ports("own") == 2)
                one.remove()
                #expect(scene.switches == ["own"])
                two.remove()
            } else {
                let seen = try box.launch("", options + ["-n", "one"], ["ip", "-o", "-4", "addr", "show", "eth0"])
                #expect(seen.out.contains("10.88."), "\(seen)")
                #expect(try box.sandbox(["ps"]).succeeded)
            }
            #expect(Clock.waitUntil { scene.switches.isEmpty })
            #expect(scene.mounts.isEmpty)
        }

        @Test("it does not wait for network namespaces of sandboxes that are over") func lateNamespace() throws {
            let (one, two) = (try scene.start("one", on: "own"), try scene.start("two", on: "own"))
            // As the kernel does, which takes a namespace down some time later.
            let file = open("/proc/\(one.process)/ns/net", O_RDONLY | O_CLOEXEC)
            #expect(file >= 0)
            defer { close(file) }
            one.remove()
            #expect(try scene.ports("own") == 2)
            two.remove()
            #expect(Clock.waitUntil { scene.switches.isEmpty })
            #expect(scene.mounts.isEmpty)
        }

        @Test("one made by a sandbox without a name is swept by gc, and the address is free again") func unnamed()
            throws
        {
            let options = ["--unshare", "net", "--switch", "own", "--address", "10.91.0.9/24"]
            for _ in 0..<2 {
                let seen = try box.launch("", options, ["ip", "-o", "-4", "addr", "show", "eth0"])
                #expect(seen.out.contains("10.91.0.9/24"), "\(seen)")
                #expect(scene.switches == ["own"])
                #expect(Clock.waitUntil { (try? scene.ports("own")) == 0 })
            }
            #expect(try box.sandbox(["gc"]).succeeded)
            #expect(scene.switches.isEmpty && scene.mounts.isEmpty)
        }

        @Test("one made by a command stays when its last port goes, gc or not") func permanent() throws {
            try scene.create()
            try scene.start("web").remove()
            #expect(try box.sandbox(["gc"]).succeeded)
            #expect(scene.switches == ["lab"])
        }

        @Test("several interfaces, on several switches, under names of their own") func several() throws {
            try scene.create()
            let toml = """
                [namespaces]
                unshare = ["net"]
                [network]
                switch = "lab"
                name = "front0"
                more = [{ switch = "back", name = "back0" }, { switch = "back" }]
                """
            let web = try RunningSandbox(box, toml, [], name: "web")
            let inside = try web.shell([], "ip -o link").out
            for name in ["back0", "eth0", "front0"] { #expect(inside.contains("\(name)@"), "\(inside)") }
            #expect(try scene.ports("lab") == 1 && scene.ports("back") == 2)
            let interfaces = try box.sandbox(["ps", "--json"]).document()[0]["interfaces"]
            #expect(interfaces.items.compactMap { $0["name"].text }.sorted() == ["back0", "eth0", "front0"])
            let dot = try box.sandbox(["switch", "graph", "--dot"]).out
            #expect(dot.contains("s0 -- b0") && dot.contains("s1 -- b0"))
        }

        @Test("the picture as text, SVG, Graphviz's and Mermaid's language") func graph() throws {
            try scene.create()
            let web = try scene.start("web")
            defer { web.remove() }
            #expect(try box.sandbox(["switch", "graph"]).out == box.sandbox(["switch", "show", "lab"]).out)
            let svg = try box.sandbox(["switch", "graph", "lab", "--svg"]).out
            #expect(svg.hasPrefix("<?xml") && svg.contains(">web</text>") && svg.hasSuffix("</svg>\n"))
            #expect(try box.sandbox(["switch", "graph", "--mermaid"]).out.hasPrefix("flowchart LR\n"))
            expectRefused(try box.sandbox(["switch", "graph", "nowhere"]), naming: "no switch \"nowhere\"")
        }

        @Test("a launch that fails leaves no port, and no switch that it made") func failures() throws {
            try scene.create()
            let net = ["--unshare", "net", "--switch", "lab"]
            for options in [net, net + ["-n", "a"], net + ["-d", "-n", "a"]] {
                let outcome = try box.launch("", options, ["/no/such/command"])
                #expect(outcome.status == 127 && outcome.errorLines.count == 1, "\(outcome)")
            }
            expectRefused(
                try box.launch("", net + ["--set", "filesystem.bind=[{from=\"/no/such\",to=\"/x\"}]"], ["true"]))
            #expect(Clock.waitUntil { (try? scene.ports()) == 0 })
            #expect(try box.launch("", ["--unshare", "net", "--switch", "new"], ["/no/such"]).status == 127)
            #expect(Clock.waitUntil { (try? scene.ports("new")) == 0 || scene.switches == ["lab"] })
            #expect(try box.sandbox(["gc"]).succeeded)
            #expect(scene.switches == ["lab"])
        }

        @Test("what features there are is tried, and doctor agrees") func features() throws {
            let features = try box.sandbox(["switch", "features", "--json"]).document().items
            let works = Dictionary(
                uniqueKeysWithValues: features.map { ($0["feature"].text ?? "?", $0["works"].isTrue) })
            #expect(works["veth"] == true && works["bridge"] == true && works["nft-bridge-sets"] == true, "\(features)")
            for feature in features where !feature["works"].isTrue { #expect(feature["reason"].text != nil) }
            let text = try box.sandbox(["switch", "features"])
            #expect(text.column(0).contains("vlan-filtering") && text.column(1).contains("yes"), "\(text)")
            let doctor = try JSONDocument(box.sandbox(["doctor", "--json"]).out)
            for finding in doctor["findings"].items where finding["section"].text == "network" {
                guard let known = works[finding["id"].text ?? ""] else { continue }
                #expect((finding["state"].text == "ok") == known, "\(finding)")
            }
            let before = try box.must(["ip", "-o", "link"]).lines.count
            #expect(try box.sandbox(["switch", "features"]).succeeded)
            #expect(try box.must(["ip", "-o", "link"]).lines.count == before)
        }

        @Test("features, as an ordinary user", .needsUserNamespaces) func featuresAsUser() throws {
            let user = try Box(as: Box.user)
            let features = try user.sandbox(["switch", "features", "--json"]).document().items
            #expect(features.contains { $0["feature"].text == "bridge" && $0["works"].isTrue }, "\(features)")
        }

        @Test("statistics: rates and totals, a table, a document, a line for each interval") func statistics() throws {
            try scene.create()
            let web = try scene.start("web")
            let table = try box.sandbox(["switch", "stats", "--interval", "0.1"])
            #expect(table.lines.first?.hasPrefix("PORT") == true && table.column(1).contains("web"), "\(table)")
            #expect(table.lines.allSatisfy { $0.count <= 80 })
            #expect(try web.ping("10.91.0.1"))
            let document = try box.sandbox(["switch", "stats", "lab", "--json", "--interval", "0.1"]).document()
            let port = document[0]["ports"][0]
            #expect(port["sentPackets"].number ?? 0 >= 1 && !port["sentBytesPerSecond"].isNull, "\(document)")
            let stream = try box.start(
                [box.binary, "switch", "stats", "lab", "--json", "--stream", "--interval", "0.1"], name: "stream")
            #expect(Clock.waitUntil { box.output("stream").split(separator: "\n").count >= 2 })
            web.remove()
            try box.must([box.binary, "switch", "delete", "lab"])
            #expect(stream.wait() == .exited(0))
            expectRefused(try box.sandbox(["switch", "stats", "lab"]), naming: "no switch \"lab\"")
            expectRefused(try box.sandbox(["switch", "stats", "--stream", "--no-stream"]), naming: "not both")
        }

        /// The process that stands for a sandbox, its waiter or the launcher, killed: in no way a port is left.
        @Test("whoever is killed, the port goes", arguments: ["process", "application", "launcher"])
        func killed(key: String) throws {
            try scene.create()
            let toml = "[namespaces]\nunshare = [\"net\", \"pid\", \"mount\"]\n[network]\nswitch = \"lab\"\n"
            let web = try RunningSandbox(box, toml, [], name: "web")
            let before = try scene.port(of: "web")["addresses"].texts
            if let found = web.recorded(key) { kill(found.pid, SIGKILL) }
            if key == "launcher" {
                // The waiter's end does not end the sandbox.
                #expect(try box.sandbox(["kill", "-s", "KILL", "web"]).succeeded)
            }
            #expect(Clock.waitUntil { (try? scene.ports()) == 0 })
            #expect(try box.sandbox(["gc"]).succeeded)
            // Its address is free.
            let next = try scene.start("next", ["--address", "\(before.first ?? "?")/24"])
            #expect(try scene.port(of: "next")["addresses"].texts == before)
            next.remove()
        }
    }
}
