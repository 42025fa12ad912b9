import Kernel
import Netlink
public import Profile

/// A function of a port's chain, and what has gone through it.
public struct ChainStatus: Sendable, Equatable {
    public struct Count: Sendable, Equatable {
        public var packets: UInt64 = 0
        public var bytes: UInt64 = 0

        public init() {}
    }

    /// One way through it.
    public struct Way: Sendable, Equatable {
        public var entered = Count()
        public var left = Count()
        /// Packets.
        public var dropped: UInt64 = 0

        public init() {}
    }

    public var function: ResolvedFunction
    /// The sandbox that it is, where it is one.
    public var box: String?
    /// Whether its interfaces are there and on; an inline function cannot fail.
    public var isAlive = true
    /// Whether it is a proxy that takes no new connections: it is being taken out.
    public var isDraining = false
    public var toSwitch = Way()
    public var toApplication = Way()
}

extension Switch {
    /// The chain of a port, by the port's name in the switch; `nil` where it has none.
    ///
    /// - Parameter look: calls its function with a descriptor of a function's network namespace, `nil` where it is not
    ///   known.
    public borrowing func chain(
        of port: String, inside look: (_ box: String, _ body: (Int32?) -> Void) -> Void = { $1(nil) }
    ) throws(SwitchError) -> [ChainStatus]? {
        let (directory, namespace) = (directory, namespace.number)
        return try attributed { () throws(SystemError) in
            guard let records = try ChainRecords.existing(directory), let plan = try records.read(port) else {
                return nil
            }
            let counters = try InlineChain.counters(port, in: namespace)
            let socket = try NetlinkSocket(in: namespace)
            let links = try socket.links()
            var waiting: [ChainDirection: UInt64] = [:]
            for direction in ChainDirection.allCases {
                guard let link = links.first(where: { $0.name == direction.queue(of: port) }) else { continue }
                waiting[direction] = try socket.qdiscs(of: link.index).reduce(0) { $0 + $1.dropped }
            }
            return try plan.hops.map { hop throws(SystemError) in
                var status = ChainStatus(function: hop.function)
                if hop.hasBox {
                    status.box = hop.box
                    guard let pair = hop.pair else {
                        status.isAlive = false
                        return status
                    }
                    var failure: SystemError?
                    look(hop.box ?? "") { box in
                        do throws(SystemError) {
                            status.look(at: try pair.state(socket, box: box))
                        } catch { failure = error }
                    }
                    if let failure { throw failure }
                    // It ends connections, and begins others.
                    if hop.function.placement == .proxy {
                        (status.toSwitch.dropped, status.toApplication.dropped) = (0, 0)
                    }
                    return status
                }
                status.toSwitch = ChainStatus.way(hop, .toSwitch, counters, &waiting)
                status.toApplication = ChainStatus.way(hop, .toApplication, counters, &waiting)
                return status
            }
        }
    }

    /// By the port's name in the switch.
    borrowing func chains() throws(SystemError) -> [String: ChainPlan] {
        guard let records = try ChainRecords.existing(directory) else { return [:] }
        var chains: [String: ChainPlan] = [:]
        for port in try records.ports() { chains[port] = try records.read(port) }
        return chains
    }
}

extension ChainStatus {
    /// As its interfaces tell.
    fileprivate mutating func look(at state: PortPair.State) {
        isAlive = state.isAlive
        guard let inner = state.inner else { return }
        func count(_ packets: UInt64, _ bytes: UInt64) -> Count {
            var count = Count()
            (count.packets, count.bytes) = (packets, bytes)
            return count
        }
        guard let outer = state.outer else {
            toSwitch.entered = count(inner.receivedPackets, inner.receivedBytes)
            return
        }
        toSwitch.entered = count(inner.receivedPackets, inner.receivedBytes)
        toSwitch.left = count(outer.sentPackets, outer.sentBytes)
        toApplication.entered = count(outer.receivedPackets, outer.receivedBytes)
        toApplication.left = count(inner.sentPackets, inner.sentBytes)
        toSwitch.dropped = toSwitch.entered.packets &- min(toSwitch.left.packets, toSwitch.entered.packets)
        toApplication.dropped =
            toApplication.entered.packets &- min(toApplication.left.packets, toApplication.entered.packets)
    }

    /// - Parameter waiting: what queues threw away: it counts for the first function that holds back.
    fileprivate static func way(
        _ hop: ChainPlan.Hop, _ direction: ChainDirection, _ counters: [NetfilterCounter],
        _ waiting: inout [ChainDirection: UInt64]
    ) -> Way {
        func count(_ kind: InlineRules.Count) -> Count {
            let name = InlineRules.counter(hop.id, direction, kind)
            var count = Count()
            guard let found = counters.first(where: { $0.name == name }) else { return count }
            (count.packets, count.bytes) = (found.packets, found.bytes)
            return count
        }
        var way = Way()
        way.entered = count(.entered)
        let dropped = count(.dropped)
        way.dropped = dropped.packets
        // The two are not read at the same moment.
        way.left.packets = way.entered.packets &- min(dropped.packets, way.entered.packets)
        way.left.bytes = way.entered.bytes &- min(dropped.bytes, way.entered.bytes)
        let limits = hop.function.limits
        let holds = limits.delay != nil || (direction == .toSwitch ? limits.egress : limits.ingress) != nil
        if holds, let lost = waiting.removeValue(forKey: direction) { way.dropped += lost }
        return way
    }
}
