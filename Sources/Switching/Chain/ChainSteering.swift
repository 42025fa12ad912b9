import Glibc
import Kernel
public import Netlink

/// A function of a chain, by what it is called in the switch.
public struct ChainElement: Sendable, Equatable {
    public var pair: PortPair
    /// Whether traffic goes past it when it is gone, and does not stop.
    public var failsOpen: Bool
    /// What of the traffic is led to it; nil for all.
    public var classifier: Classifier?
    /// Whether it is interfaces of the switch's own with rules; see ``ChainHop/Way/inline``.
    var isInline = false

    public init(_ pair: PortPair, failsOpen: Bool = false, classifier: Classifier? = nil) {
        (self.pair, self.failsOpen, self.classifier) = (pair, failsOpen, classifier)
    }
}

/// A function of a chain and what has gone through it.
public struct ChainElementState: Sendable, Equatable {
    public var element: ChainElement
    /// Whether its interfaces are there and on.
    public var isAlive: Bool
    /// As the function has them: of its interface towards the application and of the one towards the switch.
    public var inner: InterfaceCounters?
    public var outer: InterfaceCounters?
}

extension SwitchStore {
    /// Makes the chain of a port another one while traffic flows. What fails leaves the chain as it was.
    ///
    /// - Parameter port: what it is called in the switch: ``Port/end``.
    /// - Parameter old: the chain as it is; who changes it keeps others from it.
    /// - Parameter trusts: whether it is for sure, and not half of it.
    public func steer(
        port: String, on name: String, from old: [ChainElement], to new: [ChainElement], trusts: Bool = true
    ) throws(SwitchError) {
        let fabric = try existing(name)
        let engine = try attributed { () throws(SystemError) in try SteeringEngine(fabric.namespace.number, by: way) }
        let before = try engine.path(port, old, mustLive: [])
        let after = try engine.path(port, new, mustLive: new.filter { !old.contains($0) })
        do throws(SystemError) {
            try engine.run(Steering.steps(from: before, to: after, trusts: trusts))
        } catch {
            do throws(SystemError) {
                try engine.run(Steering.steps(from: after, to: before, trusts: false))
            } catch let second {
                throw SwitchError(
                    "\(error.message), and the chain cannot be made what it was: \(second.message)",
                    mend: "end the sandbox, or take all functions out of its chain")
            }
            throw SwitchError(error, key: "chain")
        }
    }

    /// What has become of a chain's functions.
    public func state(of chain: [ChainElement], on name: String) throws(SwitchError) -> [ChainElementState] {
        let fabric = try existing(name)
        return try attributed { () throws(SystemError) in
            let socket = try NetlinkSocket(in: fabric.namespace.number)
            var states: [ChainElementState] = []
            for element in chain {
                let state = try element.pair.state(socket)
                states.append(
                    ChainElementState(
                        element: element, isAlive: state.isAlive, inner: state.inner, outer: state.outer))
            }
            return states
        }
    }
}

extension PortPair {
    /// Whether it is there and on, and what has come and gone as the function has it.
    struct State {
        var isAlive: Bool
        var inner: InterfaceCounters?
        var outer: InterfaceCounters?
    }

    /// - Parameter box: a descriptor of the function's network namespace: the switch's ends do not count what comes to
    ///   their other ends straight away.
    func state(_ socket: borrowing NetlinkSocket, box: Int32? = nil) throws(SystemError) -> State {
        let inner = try socket.link(.name(inner))
        let outer = try outer.flatMap { name throws(SystemError) in try socket.link(.name(name)) }
        let isWhole = self.outer == nil || outer?.state == PortPair.up
        return State(
            isAlive: inner?.state == PortPair.up && isWhole, inner: try PortPair.counters(inner, box),
            outer: try PortPair.counters(outer, box))
    }

    private static func counters(_ end: Link?, _ box: Int32?) throws(SystemError) -> InterfaceCounters? {
        guard let box, let other = end?.other, let inside = try NetlinkSocket(in: box).link(.index(other)) else {
            return end?.counters.turnedRound
        }
        return inside.counters
    }

    /// IF_OPER_UP.
    private static let up: UInt8 = 6
}

/// Carries out ``SteeringStep``s in a switch's network namespace.
struct SteeringEngine: ~Copyable {
    private let socket: NetlinkSocket
    private let programs: InterfacePrograms

    init(_ namespace: Int32, by way: InterfacePrograms.Way) throws(SystemError) {
        socket = try NetlinkSocket(in: namespace)
        programs = InterfacePrograms(in: namespace, by: way)
    }

    /// A chain by numbers. A function that is gone keeps its place, with a number that no interface has.
    func path(
        _ port: String, _ chain: [ChainElement], mustLive new: [ChainElement]
    ) throws(SwitchError) -> ChainPath {
        guard let link = try attributed({ () throws(SystemError) in try socket.link(.name(port)) }) else {
            throw SwitchError(key: "chain", "the switch has no port \(port)", mend: "the sandbox has ended")
        }
        let queues = try attributed { () throws(SystemError) in try socket.qdiscs(of: link.index) }
        var path = ChainPath(port: link.index, isQueued: queues.contains { $0.kind == "tbf" || $0.kind == "netem" })
        for (place, element) in chain.enumerated() {
            let (inner, outer) = try ends(element.pair)
            if new.contains(element), inner == nil || element.pair.outer != nil && outer == nil {
                throw SwitchError(
                    key: "chain", "the function \"\(element.pair.name)\" has ended",
                    mend: "start it again, or leave it out")
            }
            let missing = Int32.max - Int32(2 * place)
            var hop = ChainHop(inner: inner ?? missing, outer: outer ?? missing - 1)
            hop.way = element.pair.outer == nil ? .copy : element.isInline ? .inline : .through
            (hop.failsOpen, hop.classifier, hop.isDirect) = (
                element.failsOpen, element.classifier, element.pair.takesAll
            )
            path.hops.append(hop)
        }
        return path
    }

    private func ends(_ pair: PortPair) throws(SwitchError) -> (Int32?, Int32?) {
        try attributed { () throws(SystemError) in
            let inner = try socket.link(.name(pair.inner))?.index
            guard let outer = pair.outer else { return (inner, nil) }
            return (inner, try socket.link(.name(outer))?.index)
        }
    }

    func run(_ steps: [SteeringStep]) throws(SystemError) {
        for step in steps {
            switch step {
            case .set(let point, let rule): try set(point, rule)
            case .settle: pauseBriefly(microseconds: SteeringEngine.patience)
            case .clear(let point): try programs.remove(SteeringProgram.name, from: point.link, point.place)
            }
        }
    }

    /// Microseconds in which a frame has passed a function for sure.
    private static let patience: UInt32 = 50_000

    private func set(_ point: SteeringPoint, _ rule: SteeringRule) throws(SystemError) {
        let program = try LoadedProgram(SteeringProgram.make(rule), name: SteeringProgram.name)
        do throws(SystemError) {
            try programs.set(program, on: point.link, point.place)
        } catch {
            // A function that is gone: nothing comes out of it any more.
            if error.code != ENODEV { throw error }
        }
    }
}
