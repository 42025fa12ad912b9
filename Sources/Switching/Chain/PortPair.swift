public import Addresses
import Glibc
import Kernel
import Netlink

/// What joins the two ends of a function's pair.
public enum FunctionWire: String, Sendable, CaseIterable {
    /// A bridge(8), where the packet filter of the function's network namespace sees what passes.
    case bridge
    /// Nothing that could filter: for who only looks on.
    case direct
    /// The function's own programs.
    case none
}

/// How a function gets its interfaces.
public struct PortPairPlan: Sendable, Equatable {
    public enum Mode: Sendable, Equatable {
        /// Frames pass, and the function has no address.
        case bridge(FunctionWire)
        /// It has addresses of its own at both ends.
        case route(inner: [IPPrefix], outer: [IPPrefix])
        /// It gets copies, by one interface.
        case tap
        /// It has the application's addresses, once ``SwitchStore/makeProxy(_:of:in:)`` has given it those.
        case proxy
    }

    /// What the function is called in its chain.
    public var name: String
    public var mode: Mode
    /// Bytes.
    public var mtu: Int
    /// Whether frames on its bridge pass the packet filter of IPv4 and IPv6 and its tracking of connections
    /// (br_netfilter).
    public var tracksConnections = false
    /// Of the interfaces in the box: towards the application, towards the switch.
    public var interfaces = (inner: "in0", outer: "out0")

    public init(name: String, mode: Mode = .bridge(.bridge), mtu: Int = 1500) {
        (self.name, self.mode, self.mtu) = (name, mode, mtu)
    }

    public static func == (one: PortPairPlan, other: PortPairPlan) -> Bool {
        one.name == other.name && one.mode == other.mode && one.mtu == other.mtu
            && one.tracksConnections == other.tracksConnections && one.interfaces == other.interfaces
    }
}

/// A function's two interfaces, as they came to be: what they are called in the switch.
public struct PortPair: Sendable, Hashable {
    /// What the function is called.
    public var name: String
    public var switchName: String
    /// Towards the application.
    public var inner: String
    /// Towards the switch; nil of one that gets copies.
    public var outer: String?
    /// Whether it takes whatever frame comes.
    public var takesAll: Bool

    public init(name: String, switchName: String, inner: String, outer: String?, takesAll: Bool) {
        self.name = name
        self.switchName = switchName
        self.inner = inner
        self.outer = outer
        self.takesAll = takesAll
    }
}

/// What the alias of a switch's end of a pair says.
public struct FunctionLabel: Sendable, Equatable {
    /// The function's sandbox, or `-`.
    public var owner: String
    public var name: String

    var text: String { "function \(owner) \(name)" }

    init(owner: String?, name: String) { (self.owner, self.name) = (owner ?? "-", name) }

    /// `nil` for what we did not write.
    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 3, words[0] == "function" else { return nil }
        (owner, name) = (String(words[1]), String(words[2]))
    }
}

extension FabricName {
    /// A pair's end towards the application, with a number that is no other pair's.
    static func inner(_ number: UInt64) -> String { "f\(number)" }
    static func outer(_ number: UInt64) -> String { "g\(number)" }
}

extension FabricGroup {
    /// The switch's ends of functions' pairs. They go when the function's network namespace goes.
    static let functions: UInt32 = 3
}

extension SwitchStore {
    /// The first number of which a box has no interfaces.
    public func freePairNumber(in namespace: Int32) throws(SwitchError) -> Int {
        let names = try attributed { () throws(SystemError) in
            Set(try NetlinkSocket(in: namespace).links().map(\.name))
        }
        var number = 0
        while names.contains("in\(number)") { number += 1 }
        return number
    }

    /// Makes the interfaces of a function in its box. What comes out of them is dropped until a chain leads there. What
    /// fails leaves nothing that outlives the box's namespace.
    public func attachPair(_ plan: PortPairPlan, to box: BoxReference, on name: String) throws(SwitchError) -> PortPair
    {
        let fabric = try existing(name)
        if fabric.spec.kind != .bridge {
            throw SwitchError(
                key: "chain", "the switch \"\(name)\" is no bridge: its ports are on a device of the host",
                mend: "functions need a switch of kind bridge")
        }
        return try attributed(to: "chain") { () throws(SystemError) in
            try PairMaker(plan, box, fabric, by: way).make()
        }
    }
}

/// Makes a ``PortPair``.
private struct PairMaker: ~Copyable {
    private let plan: PortPairPlan
    private let owner: String?
    private let switchName: String
    private let fabric: NetlinkSocket
    private let programs: InterfacePrograms
    private let box: NetlinkSocket
    private let boxNamespace: Int32
    private let way: InterfacePrograms.Way
    private let cursor: Cursor

    init(
        _ plan: PortPairPlan, _ box: BoxReference, _ fabric: borrowing Switch, by way: InterfacePrograms.Way
    ) throws(SystemError) {
        let socket = try NetlinkSocket(in: fabric.namespace.number)
        let inside = try NetlinkSocket(in: box.namespace)
        let cursor = try Cursor(fabric.openFolder())
        self.fabric = socket
        self.box = inside
        self.cursor = cursor
        self.plan = plan
        owner = box.owner
        switchName = fabric.spec.name
        programs = InterfacePrograms(in: fabric.namespace.number, by: way)
        self.way = way
        boxNamespace = box.namespace
    }

    func make() throws(SystemError) -> PortPair {
        let closed = try LoadedProgram(SteeringProgram.make(.closed), name: SteeringProgram.name)
        let (number, first) = try begin(closed)
        var ends = [FabricName.inner(number)]
        var inside = [first]
        if plan.mode != .tap {
            ends.append(FabricName.outer(number))
            inside.append(try join(plan.interfaces.outer, ends[1], closed))
        }
        try quieten(inside)
        try prepare(inside)
        var isDirect = true
        if case .route = plan.mode { isDirect = false }
        return PortPair(
            name: plan.name, switchName: switchName, inner: ends[0], outer: ends.count > 1 ? ends[1] : nil,
            takesAll: isDirect)
    }

    /// The first end, with a number that no pair has.
    private func begin(_ closed: borrowing LoadedProgram) throws(SystemError) -> (UInt64, Int32) {
        if try box.link(.name(plan.interfaces.inner)) != nil {
            throw SystemError("create the interface \(plan.interfaces.inner)", code: EEXIST)
        }
        for _ in 0..<10_000 {
            let number = try cursor.advance()
            do throws(SystemError) {
                return (number, try join(plan.interfaces.inner, FabricName.inner(number), closed))
            } catch {
                // Another was faster, or the counter has been lost.
                if error.code != EEXIST { throw error }
            }
        }
        throw SystemError("find a number for the pair of \(plan.name)", code: EEXIST)
    }

    /// One pair, its switch's end closed before anything can come.
    /// - Returns: the index in the box.
    private func join(
        _ interface: String, _ name: String, _ closed: borrowing LoadedProgram
    ) throws(SystemError) -> Int32 {
        let end = LinkOptions(name, mtu: UInt32(plan.mtu), group: FabricGroup.functions)
        let peer = LinkOptions(interface, address: .random(), mtu: UInt32(plan.mtu), namespace: boxNamespace)
        let link = try fabric.create(LinkSpec(end, .veth(peer: peer)))
        guard let inside = link.other else { throw SystemError("find the other end of \(name)", code: ENODEV) }
        try programs.set(closed, on: link.index, .input)
        let label = FunctionLabel(owner: owner, name: plan.name)
        try fabric.send(.change(.index(link.index), LinkChange(isUp: true, alias: label.text)))
        return inside
    }

    /// What has no address of its own says nothing of its own accord.
    private func quieten(_ inside: [Int32]) throws(SystemError) {
        try box.send(inside.map { .change(.index($0), LinkChange(ipv6Addresses: .never)) })
        guard case .bridge(.bridge) = plan.mode else { return }
        for protocols in ["iptables", "ip6tables", "arptables"] {
            let isOn = plan.tracksConnections && protocols != "arptables"
            do throws(SystemError) {
                try setNetworkSetting("bridge/bridge-nf-call-\(protocols)", isOn ? "1" : "0", in: boxNamespace)
            } catch {
                // Where br_netfilter is not loaded there is no such setting.
                if error.code != ENOENT || isOn { throw error }
            }
        }
    }

    private func prepare(_ inside: [Int32]) throws(SystemError) {
        let up = inside.map { NetlinkMessage.change(.index($0), LinkChange(isUp: true)) }
        switch plan.mode {
        case .tap, .proxy, .bridge(.none): try box.send(up)
        case .bridge(.bridge): try box.send(try bridge(inside) + up)
        case .bridge(.direct):
            let inner = InterfacePrograms(in: boxNamespace, by: way)
            for (here, there) in [(inside[0], inside[1]), (inside[1], inside[0])] {
                let wire = try LoadedProgram(PairMaker.wire(to: there), name: "sandbox_wire")
                try inner.set(wire, on: here, .input)
            }
            try box.send(up)
        case .route(let innerAddresses, let outerAddresses):
            try setNetworkSetting("ipv4/ip_forward", "1", in: boxNamespace)
            try setNetworkSetting("ipv6/conf/all/forwarding", "1", in: boxNamespace)
            let addresses = zip(inside, [innerAddresses, outerAddresses]).flatMap { link, prefixes in
                prefixes.map {
                    NetlinkMessage.add(InterfaceAddress($0, link: link, flags: .withoutDuplicateDetection))
                }
            }
            try box.send(up + addresses)
        }
    }

    /// Knows nobody, and has no need to: what comes in at one end can only leave by the other.
    private func bridge(_ inside: [Int32]) throws(SystemError) -> [NetlinkMessage] {
        var options = BridgeOptions()
        (options.forwardDelay, options.multicastSnooping, options.spanningTree) = (0, false, false)
        // All but the three that the kernel reserves: it is to be invisible.
        options.groupForwardMask = 0xFFF8
        let bridge = try box.create(
            LinkSpec(
                LinkOptions("wire" + plan.interfaces.inner.dropFirst(2), address: .random(), mtu: UInt32(plan.mtu)),
                .bridge(options)))
        return [.change(.index(bridge.index), LinkChange(isUp: true, ipv6Addresses: .never))]
            + inside.map { .change(.index($0), LinkChange(master: bridge.index)) }
            + inside.map { .change(.index($0), LinkChange(port: BridgePortOptions(learning: false))) }
    }

    private static func wire(to other: Int32) -> FrameProgram {
        var program = FrameProgram()
        program.set(1, other)
        program.set(2, 0)
        program.call(.redirectPeer)
        program.end()
        return program
    }
}
