import Profile

/// The rules of an inline function, one way.
struct HopRules {
    private typealias Line = InlineRules.Line

    private let hop: ChainPlan.Hop
    private let direction: ChainDirection
    /// After which the table is called.
    private let port: String
    private let rules: [(origin: String, text: RuleText)]

    /// - Parameter ports: those of sandboxes that rules send copies to, by name.
    init(_ hop: ChainPlan.Hop, _ direction: ChainDirection, port: String, ports: [String: String]) {
        (self.hop, self.direction, self.port) = (hop, direction, port)
        let function = hop.function
        rules = (direction == .toSwitch ? function.toSwitch : function.toApplication).map { rule in
            let text = RuleText(
                HopRules.placed(rule, ports), drop: InlineRules.end(hop.id, direction),
                counter: InlineRules.counter(hop.id, direction, .dropped))
            return (rule, text)
        }
    }

    /// With ports for the sandboxes' names.
    private static func placed(_ rule: String, _ ports: [String: String]) -> String {
        let parts = rule.split(separator: "\u{1}", omittingEmptySubsequences: false).map { String($0) }
        return parts.enumerated().map { index, part in
            index % 2 == 0 ? part : "\"" + (ports[part] ?? part) + "\""
        }.joined()
    }

    private var drops: Bool { rules.contains { $0.text.drops } }

    /// What rules look into, with the first rule that does.
    var sets: [(set: RuleSet, origin: (reference: String, rule: String))] {
        rules.flatMap { rule, text in text.sets.map { ($0, (hop.function.reference, rule)) } }
    }

    /// What rules name, before any rule does.
    var beginning: [InlineRules.Line] {
        let chains = [InlineRules.chain(hop.id, direction)] + (drops ? [InlineRules.end(hop.id, direction)] : [])
        let counts: [InlineRules.Count] = drops ? [.entered, .dropped] : [.entered]
        var lines = counts.map { count in
            Line(text: "add counter netdev \(port) \(InlineRules.counter(hop.id, direction, count))")
        }
        for chain in chains {
            lines.append(Line(text: "add chain netdev \(port) \(chain)"))
            lines.append(Line(text: "flush chain netdev \(port) \(chain)"))
        }
        return lines
    }

    var lines: [InlineRules.Line] {
        func count(_ count: InlineRules.Count) -> String {
            "counter name \(InlineRules.counter(hop.id, direction, count))"
        }
        let head = "add rule netdev \(port) "
        let chain = head + InlineRules.chain(hop.id, direction) + " "
        var lines = [Line(text: chain + count(.entered))]
        for (rule, text) in rules {
            lines.append(Line(text: chain + text.text, origin: (hop.function.reference, rule)))
        }
        if drops { lines.append(Line(text: "\(head)\(InlineRules.end(hop.id, direction)) \(count(.dropped)) drop")) }
        return lines
    }
}
