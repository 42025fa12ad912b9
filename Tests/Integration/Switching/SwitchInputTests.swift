import Glibc
import Testing

extension Integration {
    /// One clear line each, and nothing half-made.
    @Suite("Bad input to switches and ports", .needsRoot, .needsProgram("nft"))
    struct SwitchInputTests {
        let scene: SwitchScene
        var box: Box { scene.box }

        init() throws {
            scene = try SwitchScene()
            try scene.create("lab", ["--subnet", "10.91.0.0/24"])
        }

        private func expectNothing(_ outcome: Outcome, _ words: String..., at place: SourceLocation = #_sourceLocation)
            throws
        {
            expectRefused(outcome, sourceLocation: place)
            for word in words { #expect(outcome.err.contains(word), "\(outcome)", sourceLocation: place) }
            #expect(scene.switches == ["lab"], sourceLocation: place)
            #expect(Clock.waitUntil { (try? scene.ports()) == 0 }, sourceLocation: place)
            #expect(scene.mounts.count == 1, "\(scene.mounts)", sourceLocation: place)
            #expect(Files.list(box.file("state/switches")) == ["lab"], sourceLocation: place)
            #expect(Files.list(box.file("state/sandboxes")).isEmpty, sourceLocation: place)
        }

        private func run(_ options: [String]) throws -> Outcome {
            try box.launch("", ["--unshare", "net", "--switch", "lab"] + options, ["true"])
        }

        @Test(
            "addresses that cannot be",
            arguments: [
                ("10.92.0.5/24", "is not in 10.91.0.0/24"), ("10.91.0.1/24", "the address of the switch"),
                ("10.91.0.5/16", "another length"), ("10.91.0.5", "length"), ("fd00::5/64", "is not in"),
                ("10.91.0.0/24", "network's own address"), ("10.91.0.255/24", "network's own address"),
                ("dhpc", "is no address"), ("224.0.0.1/24", "no interface's address"),
            ])
        func addresses(_ address: String, _ problem: String) throws {
            try expectNothing(run(["--address", address]), problem, "network.address")
        }

        @Test("an address that another has, whoever it is") func taken() throws {
            let web = try scene.start("web", ["--address", "10.91.0.5/24"])
            let outcome = try run(["--address", "10.91.0.5/24"])
            expectRefused(outcome, naming: "10.91.0.5 is taken by the sandbox \"web\"", "network.address")
            #expect(Clock.waitUntil { (try? scene.ports()) == 1 })
            web.remove()
        }

        @Test(
            "keys of an interface",
            arguments: [
                ("network.vlan=5000", "4094"), ("network.vlan=10", "does not filter by VLAN"),
                ("network.name=abcdefghijklmnop", "longer than 15 bytes"),
                ("network.name=lo", "no name of an interface"),
                ("network.name=a/b", "no name of an interface"), ("network.mac=01:00:5e:00:00:01", "group"),
                ("network.switch=../lab", "no name of a switch"), ("network.switch=/etc", "no name of a switch"),
                ("network.mtu=5", "68"), ("network.allow=[\"frob\"]", "no protocol"),
                ("network.routes=[\"10.9.0.0/16\"]", "no route"), ("network.attach=macvlan", "veth"),
            ])
        func keys(_ setting: String, _ problem: String) throws {
            try expectNothing(run(["--set", setting]), problem, String(setting.prefix { $0 != "=" }))
        }

        @Test(
            "switches that cannot be made",
            arguments: [
                (["--subnet", "10.91.0.128/25"], "overlaps 10.91.0.0/24 of the switch \"lab\""),
                (["--subnet", "127.0.0.0/8"], "holds no hosts"), (["--subnet", "frob"], "no network"),
                (["--subnet", "10.92.0.0/24", "--subnet", "10.93.0.0/24"], "second one"),
                (["--kind", "macvlan"], "needs a device"), (["--parent", "eth0"], "bridge has none"),
                (["--kind", "frob"], "frob"), (["--mtu", "70000"], "68 to 65535"), (["--mtu", "x"], "x"),
            ])
        func switches(_ options: [String], _ problem: String) throws {
            try expectNothing(box.sandbox(["switch", "create", "new"] + options), problem)
        }

        @Test("a subnet that the host has a way to") func hostRoute() throws {
            let routes = try box.must(["ip", "-4", "-o", "route", "show"]).lines
            let networks = routes.compactMap { $0.split(separator: " ").first }.filter { $0.contains("/") }
            guard let network = networks.first else { return }
            try expectNothing(
                box.sandbox(["switch", "create", "new", "--subnet", String(network)]), "overlaps the host's route")
        }

        @Test("a macvlan on a device that is not there") func parent() throws {
            try box.must([
                box.binary, "switch", "create", "mac", "--kind", "macvlan", "--parent", "nowhere0", "--subnet",
                "10.95.0.0/24",
            ])
            let outcome = try box.launch("", ["--unshare", "net", "--switch", "mac"], ["true"])
            expectRefused(outcome, naming: "nowhere0")
            try box.must([box.binary, "switch", "delete", "mac"])
        }

        @Test(
            "names that are none",
            arguments: ["nowhere", "/", "..", ".", "../lab", "-x", "a b", "", String(repeating: "x", count: 300)])
        func names(name: String) throws {
            for words in [["show"], ["delete"], ["delete", "-f"], ["stats"], ["graph"], ["capture"]] {
                let outcome = try box.sandbox(["switch"] + words + ["--", name])
                try expectNothing(outcome)
                #expect(outcome.err.utf8.count < 400)
            }
            if name != "nowhere" { try expectNothing(box.sandbox(["switch", "create", "--", name]), "no name") }
        }

        @Test("twice the same name") func twice() throws {
            try expectNothing(box.sandbox(["switch", "create", "lab"]), "already", "delete lab")
        }

        /// In the switch's namespace, as somebody's hands would.
        private func inside(_ words: [String]) throws {
            try box.must(["nsenter", "--net=" + box.file("state/switches/lab/netns")] + words)
        }

        @Test("a bridge deleted by hand") func bridge() throws {
            try inside(["ip", "link", "delete", "br0"])
            for outcome in [try run([]), try box.sandbox(["switch", "show", "lab"])] {
                expectRefused(outcome, naming: "lost its bridge", "delete -f lab")
            }
            let list = try box.sandbox(["switch", "list"])
            #expect(list.status == 125 && list.errorLines.count == 1 && list.lines.first?.hasPrefix("NAME") == true)
            try box.must([box.binary, "switch", "delete", "-f", "lab"])
            #expect(scene.switches.isEmpty && scene.mounts.isEmpty)
        }

        @Test("rules deleted by hand: no port without its guard") func rules() throws {
            try inside(["nft", "delete", "table", "bridge", "switch"])
            expectRefused(try run([]), naming: "network")
            #expect(
                try Clock.waitUntil {
                    try box.must(["nsenter", "--net=" + box.file("state/switches/lab/netns"), "ip", "-o", "link"]).out
                        .contains("p0") == false
                })
        }

        @Test("a namespace unmounted by hand") func namespace() throws {
            try box.must(["umount", box.file("state/switches/lab/netns")])
            for outcome in [try run([]), try box.sandbox(["switch", "show", "lab"])] {
                expectRefused(outcome, naming: "lost its network namespace", "delete -f lab")
            }
            expectRefused(try box.sandbox(["switch", "delete", "lab"]), naming: "delete -f lab")
            try box.must([box.binary, "switch", "delete", "-f", "lab"])
            #expect(scene.switches.isEmpty)
        }

        @Test(
            "a declaration that is damaged",
            arguments: [
                "", "{\"kind\": \"frob\"}\n", "\u{0}\u{1}\u{ff}", "{\"kind\": [\n",
                String(repeating: "a", count: 100_000),
            ])
        func damaged(text: String) throws {
            try Files.write(text, to: box.file("state/switches/lab/switch.json"), mode: 0o600)
            for outcome in [try run([]), try box.sandbox(["switch", "show", "lab"])] {
                expectRefused(outcome, naming: "damaged", "delete -f lab")
            }
            let list = try box.sandbox(["switch", "list", "--json"])
            #expect(list.status == 125 && list.errorLines.count == 1, "\(list)")
            try box.must([box.binary, "switch", "delete", "-f", "lab"])
            #expect(scene.switches.isEmpty && scene.mounts.isEmpty)
        }

        @Test("an ordinary user is told what needs root", .needsUserNamespaces) func ordinaryUser() throws {
            let user = try Box(as: Box.user)
            expectRefused(try user.sandbox(["switch", "create", "lab"]), naming: "needs root")
            expectRefused(
                try user.launch("", ["--unshare", "user,net", "--switch", "lab"], ["true"]), naming: "needs root")
            expectRefused(try user.sandbox(["switch", "capture", "lab"]), naming: "needs root")
            expectOutput(try user.sandbox(["switch", "list", "--json"]), "[]")
            #expect(Files.list(user.file("state/switches")).isEmpty)
        }
    }
}
