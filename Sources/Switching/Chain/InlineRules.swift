import Profile

/// The rules of a port's chain as nft(8) takes them: one table of the netdev family for each port, replaced as a whole
/// and counted on.
struct InlineRules {
    /// The port's end in the switch, after which the table is called.
    let port: String
    let plan: ChainPlan
    /// Where they are; the plan's where `nil`.
    var layout: InlineLayout?
    /// Segments that are in the kernel and nowhere else.
    var goneSegments: [Int] = []
    /// Hops that are in the kernel and not in the layout.
    var gone: [Int] = []
    /// Sets that are in the kernel. They are what they are called; those that no rule looks into any more go.
    var knownSets: [String] = []
    /// Where what the application sends waits last: an ifb(4).
    var lastQueue: String?
    /// Ports of sandboxes that rules send copies to, by name.
    var ports: [String: String] = [:]
    /// Whether frames may come by that have been in a queue towards the application.
    var isQueued = false
    /// Whether frames may come by that have been led through boxes.
    var isSteered = false

    /// Whether anything is done to any frame. Else there is to be no table: an empty one costs, too.
    var isNeeded: Bool { !places.hops.isEmpty || !plan.queued.isEmpty || lastQueue != nil }

    /// On a frame that has been in a queue towards the application and comes by again. No other namespace sees it.
    private static let passed = "0x20000000"

    private var places: InlineLayout { layout ?? plan.layout }
    /// The rules of a segment with interfaces of its own.
    private static func hook(_ segment: Int, _ direction: ChainDirection) -> String {
        "x\(segment)\(direction.rawValue)"
    }

    static func chain(_ id: Int, _ direction: ChainDirection) -> String { "h\(id)\(direction.rawValue)" }
    /// Where what a hop drops comes to its end, counted.
    static func end(_ id: Int, _ direction: ChainDirection) -> String { chain(id, direction) + "_end" }

    /// What is counted of a hop. What has left it is what has come in and has not been dropped.
    enum Count: String, CaseIterable { case entered = "in", dropped }

    static func counter(_ id: Int, _ direction: ChainDirection, _ count: Count) -> String {
        "\(chain(id, direction))_\(count.rawValue)"
    }

    /// The hop that a counter of ours belongs to.
    static func hop(ofCounter name: String) -> Int? {
        guard name.hasPrefix("h") else { return nil }
        return Int(name.dropFirst().prefix { $0.isNumber })
    }

    struct Line: Equatable {
        var text: String
        /// The hop's reference and its rule, for what comes from a profile.
        var origin: (reference: String, rule: String)?

        static func == (left: Line, right: Line) -> Bool { left.text == right.text }
    }

    /// One transaction: all of it, or nothing.
    var lines: [Line] {
        var lines: [Line] = []
        func say(_ text: String) { lines.append(Line(text: text)) }
        say("add table netdev \(port)")
        for direction in ChainDirection.allCases {
            let hook = direction.hook
            say(
                "add chain netdev \(port) \(hook) { type filter hook \(hook) device \"\(port)\" priority 0; policy accept; }"
            )
            say("flush chain netdev \(port) \(hook)")
            for segment in places.apart {
                let hook = InlineRules.hook(segment, direction)
                let device = FabricName.segment(port, segment, direction)
                say(
                    "add chain netdev \(port) \(hook) { type filter hook ingress device \"\(device)\" priority 0; policy accept; }"
                )
                say("flush chain netdev \(port) \(hook)")
            }
        }
        let rules = places.hops.flatMap { hop in
            ChainDirection.allCases.map { HopRules(hop, $0, port: port, ports: ports) }
        }
        for rule in rules { lines += rule.beginning }
        let used = rules.flatMap(\.sets)
        var sets = Set(knownSets)
        for (set, origin) in used where sets.insert(set.name).inserted {
            lines.append(Line(text: "add set netdev \(port) \(set.definition)", origin: origin))
        }
        for rule in rules { lines += rule.lines }
        for direction in ChainDirection.allCases {
            lines += hookLines(direction)
            for segment in places.segments {
                guard let id = segment.before else { continue }
                let head = "add rule netdev \(port) \(InlineRules.hook(id, direction)) "
                lines += passage(segment.hops, direction, head)
                // Out of it again, where it is decided how they go on.
                lines.append(Line(text: head + "fwd to \"\(FabricName.segment(port, id, direction))\""))
            }
            for id in goneSegments { lines += removal(InlineRules.hook(id, direction), direction, id) }
        }
        for id in gone { lines += removal(id) }
        let kept = Set(used.map(\.set.name))
        for name in knownSets where !kept.contains(name) { say("delete set netdev \(port) \(name)") }
        return lines
    }

    /// The rules at the port itself: the functions one after the other, then the way on.
    private func hookLines(_ direction: ChainDirection) -> [Line] {
        let head = "add rule netdev \(port) \(direction.hook) "
        var lines: [Line] = []
        let queue = plan.queued.contains(direction) ? direction.queue(of: port) : nil
        if direction == .toApplication, isQueued || queue != nil {
            let mark = InlineRules.passed
            lines.append(
                Line(text: head + "meta mark & \(mark) == \(mark) meta mark set meta mark & 0xdfffffff return"))
        }
        if direction == .toApplication, isSteered {
            // What has passed the whole chain, on its way out for good.
            lines.append(Line(text: head + "meta mark \(SteeringRule.Mark.delivered.rawValue) return"))
        }
        lines += passage(places.segments.filter { $0.before == nil }.flatMap(\.hops), direction, head)
        if direction == .toApplication, queue != nil {
            lines.append(Line(text: head + "meta mark set meta mark | \(InlineRules.passed)"))
        }
        if let queue = queue ?? (direction == .toSwitch ? lastQueue : nil) {
            lines.append(Line(text: head + "fwd to \"\(queue)\""))
        }
        return lines
    }

    /// One function after the other, as frames come by.
    private func passage(_ hops: [ChainPlan.Hop], _ direction: ChainDirection, _ head: String) -> [Line] {
        var lines: [Line] = []
        for hop in direction == .toSwitch ? hops : hops.reversed() {
            let function = hop.function
            let classifier = direction == .toSwitch ? function.classifier : function.turnedClassifier
            let jump = "jump \(InlineRules.chain(hop.id, direction))"
            guard let classifier else {
                lines.append(Line(text: head + jump))
                continue
            }
            lines.append(Line(text: head + classifier + " " + jump, origin: (function.reference, classifier)))
        }
        return lines
    }

    private func removal(_ hook: String, _ direction: ChainDirection, _ segment: Int) -> [Line] {
        let device = FabricName.segment(port, segment, direction)
        // Added first: what is not there cannot be deleted.
        return [
            "add chain netdev \(port) \(hook) { type filter hook ingress device \"\(device)\" priority 0; policy accept; }",
            "flush chain netdev \(port) \(hook)", "delete chain netdev \(port) \(hook)",
        ].map { Line(text: $0) }
    }

    private func removal(_ id: Int) -> [Line] {
        var lines: [Line] = []
        for direction in ChainDirection.allCases {
            let name = InlineRules.chain(id, direction)
            // Added first: what is not there cannot be deleted.
            let chains = [name, InlineRules.end(id, direction)]
            for chain in chains {
                lines.append(Line(text: "add chain netdev \(port) \(chain)"))
                lines.append(Line(text: "flush chain netdev \(port) \(chain)"))
            }
            for chain in chains { lines.append(Line(text: "delete chain netdev \(port) \(chain)")) }
            for count in Count.allCases {
                let counter = InlineRules.counter(id, direction, count)
                lines.append(Line(text: "add counter netdev \(port) \(counter)"))
                lines.append(Line(text: "delete counter netdev \(port) \(counter)"))
            }
        }
        return lines
    }

    /// The sandboxes whose ports rules name.
    static func sandboxes(_ plan: ChainPlan) -> [String] {
        var names: Set<String> = []
        for hop in plan.hops {
            for rule in hop.function.toSwitch + hop.function.toApplication {
                let parts = rule.split(separator: "\u{1}", omittingEmptySubsequences: false)
                for (index, part) in parts.enumerated() where index % 2 == 1 { names.insert(String(part)) }
            }
        }
        return names.sorted()
    }

    /// What nft(8) says of a line, told of the rule that it comes from.
    static func failure(_ said: String, _ lines: [Line]) -> SwitchError {
        let first = said.split(separator: "\n").first.map { String($0) } ?? "it ended without a word"
        // `/dev/stdin:12:5-9: Error: syntax error, …`
        let parts = first.split(separator: ":", maxSplits: 3).map { String($0) }
        guard parts.count == 4, let number = Int(parts[1]), lines.indices.contains(number - 1) else {
            return SwitchError(key: "chain", "nft refuses the chain: \(first)")
        }
        var reason = String(parts[3].drop { $0 == " " })
        if reason.hasPrefix("Error: ") { reason = String(reason.dropFirst(7)) }
        guard let origin = lines[number - 1].origin else {
            return SwitchError(key: "chain", "nft refuses \"\(lines[number - 1].text)\": \(reason)")
        }
        return SwitchError(
            key: "chain", "nft refuses the rule \"\(origin.rule)\" of \"\(origin.reference)\": \(reason)",
            mend: "mend the function's profile, or what is given to it")
    }
}
