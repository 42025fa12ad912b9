public import Profile

/// The functions between a port and its switch, in order from the application on.
public struct ChainPlan: Sendable, Equatable {
    public struct Hop: Sendable, Equatable {
        /// No other hop of the port has or had it: what is counted under it is this one's.
        public var id: Int
        public var function: ResolvedFunction
        /// The sandbox that it is, where it is one.
        public var box: String?
        /// The sandbox's interfaces for this chain, once it has them.
        public var pair: PortPair?

        public var hasBox: Bool { function.placement != .inline }

        init(id: Int, function: ResolvedFunction) { (self.id, self.function) = (id, function) }
    }

    public private(set) var hops: [Hop] = []
    /// The next hop's.
    var nextID = 1

    /// - Throws: for functions that cannot be placed.
    public init(_ functions: [ResolvedFunction] = []) throws(SwitchError) {
        for function in functions { try append(function, at: hops.count) }
    }

    init(hops: [Hop], nextID: Int) { (self.hops, self.nextID) = (hops, nextID) }

    public var references: [String] { hops.map(\.function.reference) }

    private mutating func append(_ function: ResolvedFunction, at index: Int) throws(SwitchError) {
        if function.placement != .inline, let text = function.classifier { _ = try Classifier(parsing: text) }
        hops.insert(Hop(id: nextID, function: function), at: index)
        nextID += 1
    }

    /// Enters which sandbox a function is, and the interfaces that it has.
    public mutating func place(_ id: Int, in box: String, _ pair: PortPair?) {
        for index in hops.indices where hops[index].id == id { (hops[index].box, hops[index].pair) = (box, pair) }
    }

    /// The interfaces of functions that other chains may have, too.
    var sharedPairs: [PortPair] { hops.filter { $0.function.instance != nil }.compactMap(\.pair) }

    /// The sandboxes in it.
    public var boxes: [String] { hops.compactMap(\.box) }

    /// - Parameter position: from 1 on, as it will be; `nil`: the last.
    public mutating func insert(_ function: ResolvedFunction, at position: Int?) throws(SwitchError) {
        let position = position ?? hops.count + 1
        guard (1...hops.count + 1).contains(position) else { throw outside(position, hops.count + 1) }
        try append(function, at: position - 1)
    }

    public mutating func remove(_ name: String) throws(SwitchError) { hops.remove(at: try index(of: name)) }

    public mutating func replace(_ name: String, with function: ResolvedFunction) throws(SwitchError) {
        let index = try index(of: name)
        var changed = self
        changed.hops.remove(at: index)
        try changed.append(function, at: index)
        self = changed
    }

    public mutating func move(_ name: String, to position: Int) throws(SwitchError) {
        let index = try index(of: name)
        guard hops.indices.contains(position - 1) else { throw outside(position, hops.count) }
        hops.insert(hops.remove(at: index), at: position - 1)
    }

    /// By its whole reference, its function's name where only one has it, or its position.
    public func hop(_ name: String) throws(SwitchError) -> Hop { hops[try index(of: name)] }

    public func position(of name: String) throws(SwitchError) -> Int { try index(of: name) + 1 }

    private func index(of name: String) throws(SwitchError) -> Int {
        if let position = Int(name), hops.indices.contains(position - 1) { return position - 1 }
        var found = hops.indices.filter { hops[$0].function.reference == name }
        if found.isEmpty { found = hops.indices.filter { hops[$0].function.name == name } }
        if found.count == 1 { return found[0] }
        if found.isEmpty {
            throw SwitchError(
                "no function \"\(name)\" in the chain",
                mend: hops.isEmpty ? "it is empty" : "it has \(references.joined(separator: ", "))")
        }
        throw SwitchError(
            "\"\(name)\" is in the chain \(found.count) times",
            mend: "write the whole of it, or its position: \(found.map { "\($0 + 1)" }.joined(separator: ", "))")
    }

    private func outside(_ position: Int, _ last: Int) -> SwitchError {
        SwitchError("the chain has no position \(position)", mend: last < 1 ? "it is empty" : "use 1 to \(last)")
    }

    /// Whether what the application receives waits at its port itself: what has waited elsewhere is past the places
    /// where programs lead it to a box, or copy it.
    var waitsAtPort: Bool { !limit(.toApplication).isEmpty && hops.contains { $0.hasBox } }

    /// The ways that have an ifb(4) to wait in.
    var queued: [ChainDirection] {
        ChainDirection.allCases.filter { !limit($0).isEmpty && !($0 == .toApplication && waitsAtPort) }
    }

    /// What all of them together hold back: the least of the rates, the sum of the delays.
    func limit(_ direction: ChainDirection) -> ChainLimit {
        var limit = ChainLimit()
        for hop in hops {
            let limits = hop.function.limits
            if let rate = direction == .toSwitch ? limits.egress : limits.ingress, rate < limit.rate ?? .max {
                (limit.rate, limit.burst) = (rate, limits.burst)
            }
            limit.delay += limits.delay ?? 0
        }
        return limit
    }
}

/// Which way traffic goes through a chain.
enum ChainDirection: String, CaseIterable {
    case toSwitch = "s"
    case toApplication = "a"

    /// The hook of the netdev family at the port's end in the switch.
    var hook: String { self == .toSwitch ? "ingress" : "egress" }

    /// Where a port's frames wait: an ifb(4).
    func queue(of port: String) -> String { (self == .toSwitch ? "k" : "o") + port.dropFirst() }
}

/// What holds a port's frames back one way.
struct ChainLimit: Equatable {
    /// Bits a second.
    var rate: UInt64?
    /// Bytes.
    var burst: UInt64?
    /// Milliseconds.
    var delay = 0

    var isEmpty: Bool { rate == nil && delay == 0 }
}
