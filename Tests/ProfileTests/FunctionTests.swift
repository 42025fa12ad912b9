import Testing

@testable import Profile

@Suite("Functions of chains")
struct FunctionTests {
    static let gate = """
        [function]
        placement = "inline"
        classifier = "tcp dport $ports"
        to-switch = [
            "ip daddr $peers.ipv4 tcp dport $ports accept", "ip6 daddr $peers.ipv6 accept", "$loud log", "dup to $to",
            "tcp dport vmap { 1 : accept, 2 : drop }", "drop",
        ]
        rate = { egress = "$up or $rate", ingress = "$rate" }
        [function.parameters]
        ports = { type = "ports", default = "80" }
        peers = { type = "addresses" }
        loud = { type = "boolean" }
        to = { type = "sandbox" }
        rate = { type = "rate" }
        up = { type = "rate" }
        [function.presets]
        web = { ports = "80,443", loud = "true" }
        """

    private func resolve(_ references: [String], _ files: [String: String] = [:]) throws(ProfileError)
        -> [ResolvedFunction]
    {
        var all = [
            "/user/functions/gate.toml": FunctionTests.gate.replacing("classifier = \"tcp dport $ports\"\n", with: "")
        ]
        for (name, text) in files { all["/system/functions/\(name).toml"] = text }
        return try store(all).resolve(references, key: "network.chain")
    }

    private func message(_ references: [String], _ files: [String: String] = [:]) -> String {
        do throws(ProfileError) {
            _ = try resolve(references, files)
            return "no error"
        } catch {
            return error.message
        }
    }

    private static let stand = #"""
        [function]
        placement = "proxy"
        classifier = "tcp dport $ports"
        drain = "2m"
        [function.parameters]
        ports = { type = "ports", default = "80" }
        names = { type = "names" }
        [namespaces]
        unshare = ["mount"]
        [process]
        command = ["proxy", "$names"]
        [[filesystem.files]]
        path = "/run/x"
        content = """
        host $names.hosts[]
        below .$names.domains[]
        all $names[]
        """
        """#

    @Test("names of hosts and of domains have lines of their own, and are names") func names() throws {
        let files = ["stand": FunctionTests.stand]
        let function = try resolve(["stand?names=Example.org,*.debian.org"], files)[0]
        #expect(function.placement == .proxy && function.mode == .proxy && function.drain == 120_000)
        #expect(function.classifier == "tcp dport { 80 }")
        guard case .array(let items)? = function.box?["filesystem"]?["files"],
            case .string(let text)? = items[0]["content"]
        else {
            Issue.record("no file")
            return
        }
        #expect(text == "host example.org\nbelow .debian.org\nall example.org\nall *.debian.org\n")
        for wrong in ["a..b", "-a.org", "*.*.org", "a/b", "a b", "*", "a.org.", String(repeating: "a", count: 64)] {
            #expect(message(["stand?names=\(wrong)"], files).contains("\"names\""), "\(wrong)")
        }
        let mixed = FunctionTests.stand.replacing("all $names[]", with: "$names.hosts[] $names.domains[]")
        #expect(message(["stand"], ["stand": mixed]).contains("two lists, $names.hosts[] and $names.domains[]"))
        let other = FunctionTests.stand.replacing("all $names[]", with: "$ports.hosts[]")
        #expect(message(["stand"], ["stand": other]).contains("no list of hosts"))
    }

    @Test("a proxy is one application's, says what it stands for, and only a proxy is drained") func proxies() {
        let files = ["stand": FunctionTests.stand]
        #expect(message(["stand@all"], files).contains("shares an instance of a proxy"))
        let all = FunctionTests.stand.replacing("classifier = \"tcp dport $ports\"\n", with: "")
        #expect(message(["stand"], ["stand": all]).contains("is no part of a chain"))
        let box = FunctionTests.stand.replacing("\"proxy\"\n", with: "\"sandbox\"\n")
        #expect(message(["stand"], ["stand": box]).contains("function.drain"))
    }

    @Test("a box that tracks connections is one application's bridge, and is drained") func tracking() throws {
        let box = """
            [function]
            placement = "sandbox"
            tracking = true
            drain = "3s"
            """
        let function = try resolve(["nat"], ["nat": box])[0]
        #expect(function.tracksConnections && function.drain == 3000 && function.knowsApplication)
        #expect(message(["nat@all"], ["nat": box]).contains("tracks the connections of one application"))
        for (old, new) in [("\"sandbox\"", "\"proxy\""), ("\"sandbox\"", "\"sandbox\"\nmode = \"tap\"")] {
            let other = box.replacing(old, with: new)
            #expect(message(["nat"], ["nat": other]).contains("function.tracking"), "\(new)")
        }
        for wire in ["direct", "none"] {
            let other = box.replacing("tracking = true", with: "tracking = true\nwire = \"\(wire)\"")
            #expect(message(["nat"], ["nat": other]).contains("function.wire"), "\(wire)")
        }
        let inline = box.replacing("\"sandbox\"", with: "\"inline\"")
        #expect(message(["nat"], ["nat": inline]).contains("function.tracking"))
    }

    @Test("parameters are put in; a rule goes where one of its own is empty")
    func rules() throws {
        let plain = try resolve(["gate?rate=1mbit"])[0]
        #expect(plain.toSwitch == ["tcp dport vmap { 1 : return, 2 : drop }", "drop"])
        #expect(plain.limits.egress == 1_000_000 && plain.limits.ingress == 1_000_000)
        let full = try resolve(["gate:web?peers=10.0.0.0/8,fd00::/8&peers=10.9.0.1&to=spy&up=2mbit"])[0]
        #expect(
            full.toSwitch == [
                "ip daddr { 10.0.0.0/8, 10.9.0.1/32 } tcp dport { 80, 443 } return", "ip6 daddr { fd00::/8 } return",
                "log", "dup to \u{1}spy\u{1}", "tcp dport vmap { 1 : return, 2 : drop }", "drop",
            ])
        #expect(full.limits.egress == 2_000_000 && full.limits.ingress == nil)
        #expect(full.name == "gate" && full.placement == .inline)
    }

    @Test("a reference's values go before its preset's, and those before defaults")
    func precedence() throws {
        let own = try resolve(["gate:web?ports=1&peers=10.0.0.1"])[0]
        #expect(own.toSwitch[0] == "ip daddr { 10.0.0.1/32 } tcp dport { 1 } return")
        let usual = try resolve(["gate?peers=10.0.0.1"])[0]
        #expect(usual.toSwitch[0] == "ip daddr { 10.0.0.1/32 } tcp dport { 80 } return")
    }

    @Test(
        "what is wrong with a reference",
        arguments: [
            ("gaet", "unknown function \"gaet\"; did you mean \"gate\"?"),
            ("gate:wbe", "\"gate:wbe\" names the preset \"wbe\", which gate has not; did you mean \"web\"?"),
            (
                "gate?prots=1",
                "\"gate?prots=1\" gives a parameter \"prots\", which gate has not; did you mean \"ports\"?"
            ),
            (
                "gate?ports=x",
                "\"gate?ports=x\" gives \"ports\" the value \"x\"; write ports such as \"80,443,8000-8009\""
            ),
            (
                "gate?rate=fast",
                "\"gate?rate=fast\" gives \"rate\" the value \"fast\"; write a rate such as \"10mbit\", 8kbit or more"
            ),
            (
                "gate?ports=80 drop; flush",
                "\"gate?ports=80 drop; flush\" gives \"ports\" the value \"80 drop; flush\"; "
                    + "write ports such as \"80,443,8000-8009\""
            ),
            ("gate?rate=1mbit&rate=2mbit", "\"gate?rate=1mbit&rate=2mbit\" gives \"rate\" twice; take one of them out"),
            (
                "gate@shared",
                "\"gate@shared\" shares an instance of an inline function, which has none; take \"@…\" out"
            ),
        ])
    func badReferences(reference: String, expected: String) {
        #expect(message(["gate?peers=10.0.0.1", reference]) == "network.chain[1]: " + expected)
    }

    @Test("a loop, what is no function, what is required")
    func badFunctions() {
        func nested(_ name: String) -> String {
            "[function]\nplacement = \"sandbox\"\n[namespaces]\nunshare = [\"net\"]\n"
                + "[network]\nswitch = \"x\"\nchain = [\"\(name)\"]"
        }
        #expect(
            message(["one"], ["one": nested("two"), "two": nested("one")])
                == "network.chain[0]: a loop: one -> two -> one; take one of them out")
        #expect(message(["plain"], ["plain": "description = \"x\""]).contains("is no function"))
        let needs =
            "[function]\nplacement = \"inline\"\nto-switch = [\"dup to $to\"]\n"
            + "parameters = { to = { type = \"sandbox\", required = true } }"
        #expect(message(["copy"], ["copy": needs]).contains("lacks the parameter \"to\"; write copy?to=…"))
    }

    @Test(
        "what is wrong with a function itself",
        arguments: [
            ("[function]\nfail = \"open\"", "a.toml:1:2: function: does not say where the function is"),
            (
                "[function]\nplacement = \"inline\"\nfail = \"open\"",
                "a.toml:3:8: function.fail: has no meaning for an inline function; take it out"
            ),
            (
                "[function]\nplacement = \"inline\"\n[process]\nnice = 3",
                "a.toml:3:2: process: an inline function has no"
            ),
            (
                "[function]\nplacement = \"inline\"\nto-switch = [\"drop; drop\"]",
                "a.toml:3:14: function.to-switch: \"drop; drop\" is not one rule"
            ),
            (
                "[function]\nplacement = \"inline\"\nto-switch = [\"tcp dport $prt drop\"]",
                "a.toml:1:2: function: has a rule with $prt, which is no parameter; it takes none"
            ),
            (
                "[function]\nplacement = \"sandbox\"\nto-switch = [\"drop\"]",
                "a.toml:3:13: function.to-switch: only goes with placement = \"inline\""
            ),
            (
                "[function]\nplacement = \"inline\"\npresets = { web = { a = \"1\" } }",
                "a.toml:3:19: function.presets.web: gives a parameter \"a\""
            ),
            (
                "[function]\nplacement = \"inline\"\nparameters = { a = { type = \"port\", default = \"x\" } }",
                "a.toml:3:47: function.parameters.a.default: \"x\" is not a port"
            ),
        ])
    func badProfiles(text: String, beginning: String) {
        #expect(problem(text).hasPrefix(beginning), "\(problem(text))")
    }

    @Test("a classifier is turned round for the other way")
    func classifier() throws {
        var function = ResolvedFunction("x", name: "x", .inline)
        function.classifier = "ip daddr 10.0.0.1 tcp dport { 80, 443 }"
        #expect(function.turnedClassifier == "ip saddr 10.0.0.1 tcp sport { 80, 443 }")
    }

    @Test("a profile's check looks into its chains, and tells the place")
    func check() {
        let profile = "[namespaces]\nunshare = [\"net\"]\n[network]\nswitch = \"x\"\nchain = [\"gate\", \"nothing\"]"
        let files = ["/user/a.toml": profile, "/user/functions/gate.toml": "[function]\nplacement = \"inline\""]
        let findings = store(files).check(["a"])
        #expect(findings.contains { $0.message.hasPrefix("/user/a.toml:5:18: network.chain[1]: unknown function") })
    }
}
