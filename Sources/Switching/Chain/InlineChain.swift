import Glibc
import Kernel
import Netlink
import Profile

/// Puts a chain's inline functions in force at a port's end in the switch.
struct InlineChain: ~Copyable {
    private let port: String
    private let namespace: Int32
    private let socket: NetlinkSocket

    init(_ port: String, in namespace: Int32) throws(SystemError) {
        socket = try NetlinkSocket(in: namespace)
        self.port = port
        self.namespace = namespace
    }

    /// Replaces what is in force by `plan` as a whole: a frame meets the one or the other. What is refused leaves what
    /// was.
    ///
    /// - Parameter old: what may be in force still.
    /// - Parameter steer: leads frames from the old to the new way; all functions of both are there while it does. It is
    ///   told whether they end as before, or by another queue.
    func install(
        _ plan: ChainPlan, after old: [ChainPlan] = [], steer: (_ isSure: Bool) throws(SwitchError) -> Void = { _ in }
    ) throws(SwitchError) {
        let links = try attributed { () throws(SystemError) in try socket.links() }
        guard let end = links.first(where: { $0.name == port }) else {
            throw SwitchError("the port \(port) is gone")
        }
        var rules = InlineRules(port: port, plan: plan)
        let layout = plan.layout
        let joined = old.reduce(layout) { $1.layout.joined(to: $0) }
        rules.layout = joined
        rules.gone = try goneHops(joined)
        rules.ports = try mirrorPorts(plan, links)
        rules.isQueued = links.contains { $0.name == ChainDirection.toApplication.queue(of: port) }
        rules.isSteered = ([plan] + old).contains { $0.hops.contains { $0.hasBox } }
        // A limit of the port's own: what comes in is led past it by tc(8), which nft(8) would never see.
        let companion = PortShaper.companion(of: port)
        if links.contains(where: { $0.name == companion }) { rules.lastQueue = companion }
        if rules.lastQueue != nil, !plan.limit(.toSwitch).isEmpty {
            throw SwitchError(
                key: "rate", "the port has a limit of its own, network.rate.egress, beside the chain's",
                mend: "take one of them out")
        }
        var made = try makeQueues(plan, end, links)
        do throws(SystemError) {
            made += try makeSegments(joined, end, links)
        } catch {
            try attributed { () throws(SystemError) in try drop(made) }
            throw SwitchError(error, key: "chain")
        }
        do throws(SwitchError) {
            try apply(rules)
        } catch {
            try attributed { () throws(SystemError) in try drop(made) }
            throw error
        }
        CrashPoint.pass("install chain")
        if rules.lastQueue != nil { try attributed { () throws(SystemError) in try freeInput(end) } }
        let waited = old.contains { $0.waitsAtPort }
        if plan.waitsAtPort { try hold(plan, end) }
        try steer(waited == plan.waitsAtPort)
        CrashPoint.pass("steer chain")
        let known = Set(layout.apart)
        rules.goneSegments = segments(links).filter { !known.contains($0) }
        if joined != layout || !rules.goneSegments.isEmpty {
            rules.layout = layout
            rules.gone = try goneHops(layout)
            try apply(rules)
            let names = rules.goneSegments.flatMap { id in
                ChainDirection.allCases.map { FabricName.segment(port, id, $0) }
            }
            try attributed { () throws(SystemError) in try drop(names) }
        }
        try settleQueues(plan, end, links)
        if waited, !plan.waitsAtPort {
            try attributed { () throws(SystemError) in
                try drain(end)
                let kinds = try socket.qdiscs(of: end.index).map(\.kind)
                if kinds.contains("tbf") {
                    try socket.send(
                        .delete(.tokenBucket(RateLimit(rate: 12_500_000_000, burst: 1 << 26)), from: end.index))
                } else if kinds.contains("netem") {
                    try socket.send(.delete(.impairment(Impairment(delay: 0)), from: end.index))
                }
            }
            try steer(false)
        }
    }

    /// A limit of the port's own is where a chain's would be.
    func checkQueue(_ plan: ChainPlan, after old: ChainPlan) throws(SwitchError) {
        if !plan.waitsAtPort || old.waitsAtPort { return }
        let isLimited = try attributed { () throws(SystemError) in
            guard let end = try socket.link(.name(port)) else { return false }
            return try socket.qdiscs(of: end.index).contains { $0.kind == "tbf" }
        }
        if !isLimited { return }
        throw SwitchError(
            key: "rate", "the port has a limit of its own, network.rate.ingress, beside the chain's",
            mend: "take one of them out")
    }

    /// At the port itself, on the way to the application.
    private func hold(_ plan: ChainPlan, _ end: Link) throws(SwitchError) {
        do throws(SystemError) {
            try socket.send(InlineChain.queues(plan.limit(.toApplication), end.index, end))
        } catch {
            throw InlineChain.refused(error, plan.limit(.toApplication))
        }
    }

    // MARK: - Segments

    /// Those that have interfaces.
    private func segments(_ links: [Link]) -> [Int] {
        let start = FabricName.segments(port)
        let ids = links.compactMap { link in
            link.name.hasPrefix(start) ? Int(link.name.dropFirst(start.utf8.count).dropLast()) : nil
        }
        return Set(ids).sorted()
    }

    /// Those that are missing. Nothing is led there yet.
    /// - Returns: their names.
    private func makeSegments(_ layout: InlineLayout, _ end: Link, _ links: [Link]) throws(SystemError) -> [String] {
        var made: [String] = []
        do throws(SystemError) {
            for name in layout.apart.flatMap({ id in ChainDirection.allCases.map { FabricName.segment(port, id, $0) } })
            where !links.contains(where: { $0.name == name }) {
                let options = LinkOptions(name, mtu: UInt32(clamping: end.mtu), group: FabricGroup.companions)
                let index = try socket.create(LinkSpec(options, .plain("ifb"))).index
                made.append(name)
                try socket.send(.change(.index(index), LinkChange(isUp: true, ipv6Addresses: .never)))
            }
        } catch {
            try drop(made)
            throw error
        }
        return made
    }

    private func apply(_ rules: InlineRules) throws(SwitchError) {
        if rules.isNeeded { return try load(rules) }
        try attributed { () throws(SystemError) in try removeTable() }
    }

    private func load(_ rules: InlineRules) throws(SwitchError) {
        var rules = rules
        rules.knownSets = try attributed { () throws(SystemError) in try sets() }
        let lines = rules.lines
        let said = try Program("nft", package: "nftables").attempt(
            ["-f", "-"], input: lines.map { $0.text + "\n" }.joined(), in: namespace)
        if let said { throw InlineRules.failure(said, lines) }
    }

    /// Hops that the kernel has and the plan has not: a command may have been killed after it had changed them.
    private func goneHops(_ layout: InlineLayout) throws(SwitchError) -> [Int] {
        let counters = try attributed { () throws(SystemError) in try InlineChain.counters(port, in: namespace) }
        let known = Set(layout.hops.map(\.id))
        return Set(counters.compactMap { InlineRules.hop(ofCounter: $0.name) }).subtracting(known).sorted()
    }

    static func counters(_ port: String, in namespace: Int32) throws(SystemError) -> [NetfilterCounter] {
        try InlineChain.listed { () throws(SystemError) in
            try NetfilterSocket(in: namespace).counters(of: .netdev, table: port)
        }
    }

    private func sets() throws(SystemError) -> [String] {
        let all = try InlineChain.listed { () throws(SystemError) in
            try NetfilterSocket(in: namespace).sets(of: .netdev, table: port)
        }
        return all.map(\.name).filter { $0.hasPrefix(RuleSet.prefix) }
    }

    /// What a table has; nothing where there is none yet.
    private static func listed<Item>(_ list: () throws(SystemError) -> [Item]) throws(SystemError) -> [Item] {
        do throws(SystemError) { return try list() } catch {
            if error.code == ENOENT { return [] }
            throw error
        }
    }

    private func mirrorPorts(_ plan: ChainPlan, _ links: [Link]) throws(SwitchError) -> [String: String] {
        var ports: [String: String] = [:]
        for name in InlineRules.sandboxes(plan) {
            let link = links.first {
                $0.group == FabricGroup.ports && $0.alias.flatMap { PortLabel($0) }?.owner == name
            }
            guard let link else {
                throw SwitchError(
                    key: "chain", "the sandbox \"\(name)\" has no port on this switch", mend: "start it first")
            }
            ports[name] = link.name
        }
        return ports
    }

    // MARK: - Queues

    /// Those that are missing, before anything is led to them.
    /// - Returns: their names.
    private func makeQueues(_ plan: ChainPlan, _ end: Link, _ links: [Link]) throws(SwitchError) -> [String] {
        var made: [String] = []
        for direction in ChainDirection.allCases {
            let limit = plan.limit(direction)
            let name = direction.queue(of: port)
            if !plan.queued.contains(direction) || links.contains(where: { $0.name == name }) { continue }
            do throws(SystemError) {
                var link = LinkOptions(name, mtu: UInt32(clamping: end.mtu), group: FabricGroup.companions)
                link.txQueueLength = 1000
                let index = try socket.create(LinkSpec(link, .plain("ifb"))).index
                made.append(name)
                try socket.send(
                    InlineChain.queues(limit, index, end) + [.change(.index(index), LinkChange(isUp: true))])
            } catch {
                try attributed { () throws(SystemError) in try drop(made) }
                throw InlineChain.refused(error, limit)
            }
        }
        return made
    }

    private static func refused(_ error: SystemError, _ limit: ChainLimit) -> SwitchError {
        guard limit.delay > 0, error.code == ENOENT || error.code == EOPNOTSUPP else {
            return SwitchError(error, key: "chain")
        }
        return SwitchError(
            key: "chain", "this kernel has no netem (CONFIG_NET_SCH_NETEM), which a delay needs",
            mend: "take the delay out")
    }

    private static func queues(_ limit: ChainLimit, _ index: Int32, _ end: Link) -> [NetlinkMessage] {
        let delay = Qdisc.impairment(Impairment(delay: UInt32(clamping: limit.delay * 1000)))
        guard let rate = limit.rate else { return [.replace(delay, on: index)] }
        let bucket = Qdisc.tokenBucket(RateLimit(bits: rate, burst: limit.burst, mtu: Int(clamping: end.mtu)))
        let root = NetlinkMessage.replace(bucket, on: index)
        return limit.delay > 0 ? [root, .replace(delay, on: index, below: bucket)] : [root]
    }

    /// What was there already gets its new limits, in place; what is not needed goes once it is empty.
    private func settleQueues(_ plan: ChainPlan, _ end: Link, _ links: [Link]) throws(SwitchError) {
        var idle: [Link] = []
        for direction in ChainDirection.allCases {
            let limit = plan.limit(direction)
            guard let link = links.first(where: { $0.name == direction.queue(of: port) }) else { continue }
            if !plan.queued.contains(direction) {
                idle.append(link)
                continue
            }
            do throws(SystemError) {
                try socket.send(InlineChain.queues(limit, link.index, end))
            } catch {
                throw InlineChain.refused(error, limit)
            }
        }
        try attributed { () throws(SystemError) in
            for link in idle { try drain(link) }
            try drop(idle.map(\.name))
        }
    }

    /// Lets what waits go on at once.
    private func drain(_ link: Link) throws(SystemError) {
        let states = try socket.qdiscs(of: link.index)
        if states.contains(where: { $0.kind == "tbf" }) {
            try socket.send(
                .replace(.tokenBucket(RateLimit(rate: 12_500_000_000, burst: 1 << 26)), on: link.index))
        }
        for _ in 0..<200 {
            if try socket.qdiscs(of: link.index).allSatisfy({ $0.backlog == 0 }) { break }
            pauseBriefly(microseconds: 5_000)
        }
        // What has left the queue may be on its way still.
        pauseBriefly(microseconds: 5_000)
    }

    private func drop(_ names: [String]) throws(SystemError) {
        for failure in try socket.outcomes(of: names.map { .delete(.name($0)) }) {
            if let failure, failure.code != ENODEV { throw failure }
        }
    }

    /// From here on the rules lead to the port's own queue.
    private func freeInput(_ end: Link) throws(SystemError) {
        for filter in try socket.filters(of: end.index, .input) {
            guard case .redirect = filter.action else { continue }
            try socket.send(.delete(filter, from: end.index))
        }
    }

    // MARK: - The end

    /// Takes all of it away; what is not there is no error.
    func remove() throws(SystemError) {
        try removeTable()
        let apart = try socket.links().map(\.name).filter { $0.hasPrefix(FabricName.segments(port)) }
        try drop(ChainDirection.allCases.map { $0.queue(of: port) } + apart)
    }

    private func removeTable() throws(SystemError) {
        do throws(SystemError) {
            try NetfilterSocket(in: namespace).commit([.delete(table: port, .netdev)])
        } catch {
            if error.code != ENOENT { throw error }
        }
    }
}
