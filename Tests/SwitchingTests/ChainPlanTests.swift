import Profile
import Testing

@testable import Switching

@Suite("Chains as they are planned")
struct ChainPlanTests {
    private func function(_ reference: String, _ change: (inout ResolvedFunction) -> Void = { _ in })
        -> ResolvedFunction
    {
        let name = String(reference.prefix { $0 != ":" && $0 != "?" })
        var function = ResolvedFunction(reference, name: name, .inline)
        change(&function)
        return function
    }

    private func plan(_ references: String...) throws -> ChainPlan { try ChainPlan(references.map { function($0) }) }

    @Test("insert, remove, replace and move; what stays keeps its number")
    func changes() throws {
        var plan = try plan("firewall:web", "counter", "counter?only=ip")
        try plan.insert(function("first"), at: 1)
        try plan.insert(function("last"), at: nil)
        #expect(plan.references == ["first", "firewall:web", "counter", "counter?only=ip", "last"])
        #expect(plan.hops.map(\.id) == [4, 1, 2, 3, 5])
        try plan.remove("firewall")
        try plan.replace("counter?only=ip", with: function("shaper"))
        #expect(plan.hops.map(\.id) == [4, 2, 6, 5])
        try plan.move("last", to: 1)
        try plan.move("2", to: 4)
        #expect(plan.references == ["last", "counter", "shaper", "first"])
    }

    @Test("what cannot be changed says why, and changes nothing")
    func refused() throws {
        let plan = try plan("counter?only=ip", "counter?only=arp")
        func message(_ change: (inout ChainPlan) throws(SwitchError) -> Void) -> String {
            var changed = plan
            do throws(SwitchError) { try change(&changed) } catch {
                #expect(changed == plan)
                return error.text
            }
            return "no error"
        }
        let twice = message { (plan) throws(SwitchError) in try plan.remove("counter") }
        #expect(twice == "\"counter\" is in the chain 2 times; write the whole of it, or its position: 1, 2")
        let none = message { (plan) throws(SwitchError) in try plan.remove("x") }
        #expect(none.hasPrefix("no function \"x\" in the chain; it has counter?only=ip, "))
        let far = message { (plan) throws(SwitchError) in try plan.move("1", to: 3) }
        #expect(far == "the chain has no position 3; use 1 to 2")
        var box = function("ids")
        (box.placement, box.classifier) = (.sandbox, "ether type ip")
        let placed = box
        let sandbox = message { (plan) throws(SwitchError) in try plan.replace("1", with: placed) }
        #expect(sandbox.contains("\"ether\" is no word of a classifier"))
    }

    private func layout(_ plan: ChainPlan) -> [[Int?]] {
        plan.layout.segments.map { segment in [segment.before] + segment.hops.map(\.id) }
    }

    @Test("inline functions before a box are apart, and on the way to another chain none is missed") func layouts()
        throws
    {
        func box(_ name: String) -> ResolvedFunction { ResolvedFunction(name, name: name, .sandbox) }
        let plan = try ChainPlan([
            function("a"), box("x"), function("b"), function("c"), box("y"), box("z"), function("d"),
        ])
        #expect(layout(plan) == [[2, 1], [5, 3, 4], [nil, 7]])
        var moved = plan
        try moved.move("a", to: 7)
        #expect(layout(moved) == [[5, 3, 4], [nil, 7, 1]])
        let joined = plan.layout.joined(to: moved.layout)
        // Who is led by the old way passes it before the box, who is led by the new one at the switch.
        #expect(joined.segments.map { [$0.before] + $0.hops.map(\.id) } == [[5, 3, 4], [nil, 7, 1], [2, 1]])
        let back = moved.layout.joined(to: plan.layout)
        #expect(back.segments.map { [$0.before] + $0.hops.map(\.id) } == [[2, 1], [5, 3, 4], [nil, 1, 7]])
        var without = plan
        try without.remove("d")
        #expect(plan.layout.joined(to: without.layout) == without.layout, "what goes may go at once")
    }

    @Test("the least of the rates counts, and the sum of the delays")
    func limits() throws {
        let plan = try ChainPlan([
            function("a") { ($0.limits.egress, $0.limits.delay) = (5_000_000, 3) },
            function("b") { ($0.limits.egress, $0.limits.burst, $0.limits.delay) = (2_000_000, 9000, 4) },
        ])
        #expect(plan.limit(.toSwitch) == ChainLimit(rate: 2_000_000, burst: 9000, delay: 7))
        #expect(plan.limit(.toApplication) == ChainLimit(rate: nil, burst: nil, delay: 7))
    }

    @Test("rules go in order on the way out, turned round on the way in, and lead to what is behind them")
    func rules() throws {
        let plan = try ChainPlan([
            function("gate") { ($0.classifier, $0.toSwitch) = ("tcp dport 80", ["drop"]) },
            function("copy") { ($0.toApplication, $0.limits.egress) = (["dup to \u{1}spy\u{1}"], 1_000_000) },
        ])
        var rules = InlineRules(port: "p7", plan: plan, gone: [9])
        rules.ports = ["spy": "p3"]
        let lines = rules.lines.map(\.text)
        let sent = lines.filter { $0.hasPrefix("add rule netdev p7 ingress ") }.map { $0.dropFirst(27) }
        #expect(sent == ["tcp dport 80 jump h1s", "jump h2s", "fwd to \"k7\""])
        let received = lines.filter { $0.hasPrefix("add rule netdev p7 egress ") }.map { $0.dropFirst(26) }
        #expect(received == ["jump h2a", "tcp sport 80 jump h1a"])
        (rules.isQueued, rules.isSteered) = (true, true)
        #expect(
            rules.lines.map(\.text).filter { $0.hasPrefix("add rule netdev p7 egress meta mark") }.map {
                $0.dropFirst(26)
            } == [
                "meta mark & 0x20000000 == 0x20000000 meta mark set meta mark & 0xdfffffff return",
                "meta mark 185466882 return",
            ])
        #expect(lines.contains("add rule netdev p7 h2a dup to \"p3\""))
        #expect(lines.contains("delete counter netdev p7 h9a_dropped") && lines.contains("flush chain netdev p7 h1s"))
        #expect(!lines.contains("flush chain netdev p7 steer"))
        #expect(InlineRules.sandboxes(plan) == ["spy"])
    }

    @Test("what is dropped is counted, what is looked up stands once for all rules, and texts are left alone")
    func ruleTexts() throws {
        func text(_ rule: String) -> RuleText { RuleText(rule, drop: "end", counter: "lost") }
        let plain = text("tcp dport 80 ip daddr 10.0.0.1 return")
        #expect(plain.text == "tcp dport 80 ip daddr 10.0.0.1 return" && !plain.drops && plain.sets.isEmpty)
        #expect(text("log prefix \"drop it\" drop").text == "log prefix \"drop it\" goto end")
        #expect(
            text("tcp dport vmap { 1 : return, 2 : drop, 3 : drop }").text
                == "tcp dport vmap { 1 : return, 2 : goto end, 3 : goto end }")
        #expect(
            text("ip protocol udp udp dport { 1-65535 } ip daddr { 0.0.0.0/0 } return").text
                == "ip protocol udp return")
        #expect(
            text("meta l4proto tcp tcp sport { 1-65535 } ip6 saddr { ::/0 } return").text
                == "meta l4proto tcp meta protocol ip6 return")
        #expect(
            text("udp dport { 1-65535 } ip saddr { 0.0.0.0/0 } tcp dport { 1-9 } drop").text
                == "meta l4proto udp meta protocol ip tcp dport { 1-9 } goto end")
        #expect(
            text("udp dport != { 1-65535 } ip saddr { 0.0.0.0/1 } return").text
                == "udp dport != { 1-65535 } ip saddr { 0.0.0.0/1 } return")
        let refused = text("tcp dport 25 reject with tcp reset")
        #expect(refused.text == "tcp dport 25 counter name lost reject with tcp reset" && refused.drops)
        let ports = text("udp dport { 53, 80, 53 } ip6 daddr != { fd00::1/128, fd00::2/128 } return")
        #expect(ports.sets.map(\.elements) == [["53", "80"], ["fd00::1", "fd00::2"]])
        #expect(ports.text == "udp dport @\(ports.sets[0].name) ip6 daddr != @\(ports.sets[1].name) return")
        #expect(text("tcp sport { 53, 80 } return").sets[0].name == ports.sets[0].name)
        #expect(ports.sets[1].definition.hasSuffix("{ type ipv6_addr; size 2; elements = { fd00::1, fd00::2 }; }"))
        #expect(ports.sets[0].definition.contains("flags interval; auto-merge;"))
        let ranges = text("ip saddr { 10.0.0.0/8, 192.168.0.1/32 } tcp dport { 1-9, 80 } return")
        #expect(ranges.sets.allSatisfy { $0.definition.contains("flags interval; auto-merge;") })
        for rule in [
            "tcp dport { 80 } return", "tcp dport vmap { 1 : drop, 2 : return }",
            "icmp type { echo-request, echo-reply } return",
            "meta l4proto . tcp dport { tcp . 1, tcp . 2 } return",
            "ip saddr . tcp dport { 10.0.0.1 . 1, 10.0.0.1 . 2 } return",
        ] { #expect(text(rule).sets.isEmpty, "\(rule)") }
    }

    @Test("sets that no rule looks into any more go")
    func goneSets() throws {
        let plan = try ChainPlan([
            function("gate") {
                $0.toSwitch = ["tcp dport { 1, 2 } return", "drop"]
                $0.toApplication = ["tcp sport { 1, 2 } return"]
            }
        ])
        let set = RuleSet(type: "inet_service", elements: ["1", "2"]).name
        let lines = InlineRules(port: "p7", plan: plan, knownSets: [set, "set_old"]).lines.map(\.text)
        #expect(!lines.contains { $0.contains("add set") } && lines.last == "delete set netdev p7 set_old")
        #expect(lines.contains("add rule netdev p7 h1s_end counter name h1s_dropped drop"))
        #expect(!lines.contains { $0.contains("h1a_end") || $0.contains("h1a_dropped") })
        let anew = InlineRules(port: "p7", plan: plan).lines.map(\.text)
        #expect(anew.filter { $0.contains("add set netdev p7 \(set) ") }.count == 1, "twice is an error")
        let first = try #require(anew.firstIndex { $0.hasPrefix("add rule") })
        #expect(!anew[first...].contains { $0.hasPrefix("add set") || $0.hasPrefix("add counter") })
    }

    @Test("a chain without inline functions and queues has no table")
    func needlessTable() throws {
        let box = ResolvedFunction("box", name: "box", .sandbox)
        #expect(!InlineRules(port: "p7", plan: try ChainPlan([])).isNeeded)
        #expect(!InlineRules(port: "p7", plan: try ChainPlan([box])).isNeeded)
        #expect(InlineRules(port: "p7", plan: try ChainPlan([function("gate") { $0.toSwitch = ["drop"] }])).isNeeded)
        let slow = try ChainPlan([function("slow") { $0.limits.ingress = 1000 }])
        #expect(InlineRules(port: "p7", plan: slow).isNeeded)
        // The port's own limit is led to by the table.
        #expect(InlineRules(port: "p7", plan: try ChainPlan([box]), lastQueue: "k7").isNeeded)
    }

    @Test("what nft says is told of the rule that it is about")
    func refusedRule() throws {
        let plan = try ChainPlan([function("gate") { $0.toSwitch = ["tcp dprt 80 drop"] }])
        let lines = InlineRules(port: "p7", plan: plan).lines
        let number = try #require(lines.firstIndex { $0.origin != nil }) + 1
        let error = InlineRules.failure(
            "/dev/stdin:\(number):5-9: Error: syntax error, unexpected string\nadd …", lines)
        #expect(
            error.message == "nft refuses the rule \"tcp dprt 80 drop\" of \"gate\": syntax error, unexpected string")
    }
}
