import Addresses
import Netlink
import Testing

@testable import Switching

/// The switch's ends of the function of that number.
private func hop(_ number: Int32) -> ChainHop { ChainHop(inner: number * 10, outer: number * 10 + 1) }

/// The rules as they are after some steps.
private struct Scene {
    var rules: [SteeringPoint: SteeringRule] = [:]
    let port: Int32 = 1

    init(_ path: ChainPath) {
        if path.hops.isEmpty { return }
        for (point, rule) in path.rules.toSwitch + path.rules.toApplication { rules[point] = rule }
    }

    mutating func take(_ step: SteeringStep) {
        switch step {
        case .set(let point, let rule): rules[point] = rule
        case .settle: break
        case .clear(let point): rules[point] = nil
        }
    }

    /// The functions by which a frame comes that is just now at a point, in order; nil when it does not arrive.
    func way(from start: SteeringPoint, _ direction: SteeringRule.Direction) -> [Int32]? {
        var (point, passed) = (start, [Int32]())
        while passed.count < 20 {
            guard let rule = rules[point] else { return point.link == port ? passed : nil }
            guard let next = rule.hops.first else {
                switch rule.ending {
                case .goOn, .enter(port), .deliver(port, _): return passed
                default: return nil
                }
            }
            if rule.direction != direction { return nil }
            passed.append(next.inner / 10)
            point = .input(direction == .toSwitch ? next.outer : next.inner)
        }
        return nil
    }

    func start(_ direction: SteeringRule.Direction) -> SteeringPoint {
        direction == .toSwitch ? .input(port) : .output(port)
    }
}

private func path(_ numbers: [Int32]) -> ChainPath { ChainPath(port: 1, hops: numbers.map { hop($0) }) }

/// All orders of all subsets.
private func chains(of numbers: [Int32]) -> [[Int32]] {
    var all: [[Int32]] = [[]]
    for number in numbers {
        for chain in chains(of: numbers.filter { $0 != number }) { all.append([number] + chain) }
    }
    return all
}

@Suite("Chains that become others, as values") struct SteeringTests {
    @Test("At every moment every frame arrives, by no function twice, whatever chain becomes whatever other")
    func every() {
        let all = chains(of: [1, 2, 3, 4])
        #expect(all.count == 65)
        for old in all {
            for new in all { follow(old, new) }
        }
    }

    private func follow(_ old: [Int32], _ new: [Int32]) {
        var scene = Scene(path(old))
        let steps = Steering.steps(from: path(old), to: path(new))
        if old == new {
            #expect(steps.isEmpty)
            return
        }
        var isSettled = false
        for step in steps {
            if step == .settle { isSettled = true }
            scene.take(step)
            for direction in [SteeringRule.Direction.toSwitch, .toApplication] {
                check(scene, direction, old, new, isSettled: isSettled)
            }
        }
        for direction in [SteeringRule.Direction.toSwitch, .toApplication] {
            let expected = direction == .toSwitch ? new : new.reversed()
            #expect(scene.way(from: scene.start(direction), direction) == expected, "\(old) to \(new)")
        }
        for number in old where !new.contains(number) {
            #expect(scene.rules[.input(hop(number).inner)] == .closed)
            #expect(scene.rules[.input(hop(number).outer)] == .closed)
        }
        if new.isEmpty { #expect(scene.rules[.input(1)] == nil && scene.rules[.output(1)] == nil) }
    }

    private func check(
        _ scene: Scene, _ direction: SteeringRule.Direction, _ old: [Int32], _ new: [Int32], isSettled: Bool
    ) {
        let way = scene.way(from: scene.start(direction), direction)
        guard let way else {
            Issue.record("\(old) to \(new): a frame does not arrive")
            return
        }
        #expect(Set(way).count == way.count, "\(old) to \(new): twice by a function: \(way)")
        // Where the order of those that stay does not change none of them is left out.
        let (stayed, staying) = (old.filter { new.contains($0) }, new.filter { old.contains($0) })
        if stayed == staying { #expect(Set(staying).isSubset(of: way), "\(old) to \(new): \(way)") }
        // What is still in a function that is being taken away arrives, too.
        for number in old where !isSettled || new.contains(number) {
            let point = SteeringPoint.input(direction == .toSwitch ? hop(number).outer : hop(number).inner)
            #expect(scene.way(from: point, direction) != nil, "\(old) to \(new): stuck behind \(number)")
        }
    }

    @Test("Each change of a rule is one step: insert, remove and replace change two points of what stays")
    func fewSteps() {
        func changed(_ old: [Int32], _ new: [Int32]) -> Int {
            let own = Set((path(old).ends).union([.input(1), .output(1)]))
            return Steering.steps(from: path(old), to: path(new)).filter {
                guard case .set(let point, let rule) = $0 else { return false }
                return own.contains(point) && rule != .closed
            }.count
        }
        #expect(changed([1], [1, 2]) == 2 + 0)
        #expect(!Steering.steps(from: path([]), to: path([1])).contains(.settle))
        #expect(Steering.steps(from: path([1]), to: path([])).filter { $0 == .settle }.count == 1)
    }

    @Test("Copies have no way back, and their function none out") func copies() {
        var tap = hop(2)
        (tap.way, tap.outer) = (.copy, 0)
        let chain = ChainPath(port: 1, hops: [hop(1), tap])
        let points = (chain.rules.toSwitch + chain.rules.toApplication).map(\.0)
        #expect(points.count == 4 && !points.contains(.input(20)) && !points.contains(.input(0)))
        #expect(!Steering.steps(from: chain, to: path([1])).contains { $0 == .set(.input(20), .closed) })
    }

    @Test("Programs are whole and short") func programs() throws {
        var open = hop(2)
        (open.failsOpen, open.classifier) = (true, try Classifier(parsing: "tcp dport {80, 443}, ip6 daddr fd00::/8"))
        let chain = ChainPath(port: 1, hops: [hop(1), open, hop(3)])
        for (_, rule) in chain.rules.toSwitch + chain.rules.toApplication {
            let program = SteeringProgram.make(rule)
            #expect(program.isWhole && program.code.count < 200, "\(program.code.count)")
        }
        #expect(SteeringProgram.make(.closed).code.count == 3)
    }
}

@Suite("Classifiers") struct ClassifierTests {
    @Test("are read") func read() throws {
        let web = try Classifier(parsing: "tcp dport {80, 8000-8099}")
        #expect(web.clauses.count == 1 && web.clauses[0].protocol == 6)
        #expect(web.clauses[0].remotePorts == [80...80, 8000...8099])
        let several = try Classifier(parsing: "udp dport 53, ip daddr 10.0.0.0/8 tcp, ip6 icmp, icmp")
        #expect(several.clauses.map(\.protocol) == [17, 6, 58, 1, 58])
        #expect(several.clauses.map(\.family) == [nil, .v4, .v6, .v4, .v6])
        #expect(try Classifier(parsing: "tcp sport 22 daddr fd00::1").clauses[0].family == .v6)
    }

    @Test(
        "are refused with the reason",
        arguments: [
            "", "tcp dport", "tcp dport 99999", "tcp dport 9-5", "dport 80", "tcp foo 3", "ip daddr fd00::1",
            "ip ip6 tcp", "tcp,,udp", "ip daddr 10.0.0.0/40", "tcp dport {80", "tcp icmp",
        ]) func refused(text: String)
    {
        let error = #expect(throws: SwitchError.self) { try Classifier(parsing: text) }
        #expect(error?.key == "classifier" && error?.message.isEmpty == false)
    }
}
