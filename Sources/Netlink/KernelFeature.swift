import Glibc
public import Kernel

/// Something of the network that a kernel can have been built without. It can only be known by trying it.
public enum KernelFeature: String, Sendable, CaseIterable {
    case bridge
    case vlanFiltering = "vlan-filtering"
    case veth, macvlan, macvtap, ipvlan, vxlan, vlan, dummy, ifb, vrf, wireguard
    case tbf, htb, netem, clsact, u32, mirred
    case bpf = "cls-bpf"

    /// Tries features in a network namespace made for it, where the calling thread is meanwhile.
    /// - Returns: for each why it does not work, nil when it does.
    public static func probe(
        _ features: [KernelFeature] = allCases
    ) throws(SystemError) -> [(feature: KernelFeature, failure: SystemError?)] {
        let home = try ownNetworkNamespace()
        try unshareNamespaces(.net)
        var outcomes: [(feature: KernelFeature, failure: SystemError?)] = []
        var trouble: SystemError?
        do throws(SystemError) {
            let scratch = try Scratch()
            for feature in features { outcomes.append((feature, scratch.failure(of: feature))) }
        } catch {
            trouble = error
        }
        try joinNamespace(home.number, .net, name: "of before")
        if let trouble { throw trouble }
        return outcomes
    }
}

/// A network namespace to try things in, with one interface that nearly every kernel has.
private struct Scratch: ~Copyable {
    private let socket: NetlinkSocket
    /// The loopback interface.
    private let loopback: Int32 = 1

    init() throws(SystemError) { socket = try NetlinkSocket() }

    func failure(of feature: KernelFeature) -> SystemError? {
        do throws(SystemError) {
            try attempt(feature)
            return nil
        } catch {
            return error
        }
    }

    private func attempt(_ feature: KernelFeature) throws(SystemError) {
        switch feature {
        case .bridge: try create("bridge", .bridge())
        case .vlanFiltering: try filterVLANs()
        case .veth: try create("veth", .veth(peer: LinkOptions("veth-peer")))
        case .macvlan: try create("macvlan", .macvlan(parent: try parent()))
        case .macvtap: try create("macvtap", .macvtap(parent: try parent()))
        case .ipvlan: try create("ipvlan", .ipvlan(parent: try parent()))
        case .vlan: try create("vlan", .vlan(parent: try parent(), id: 7))
        case .vxlan: try create("vxlan", .vxlan(VxlanOptions(id: 7)))
        case .vrf: try create("vrf", .vrf(table: 7))
        case .dummy, .ifb, .wireguard: try create(feature.rawValue, .plain(feature.rawValue))
        case .tbf: try socket.send(.replace(.tokenBucket(RateLimit(rate: 1_000_000)), on: loopback))
        case .htb: try socket.send(.replace(.classes(otherwise: 0), on: loopback))
        case .netem: try socket.send(.replace(.impairment(Impairment(delay: 10)), on: loopback))
        case .clsact: try filters()
        case .u32: try sorting()
        case .mirred: try filters(); try socket.send(.add(filter(.redirect(to: loopback)), to: loopback))
        case .bpf: try classicProgram()
        }
    }

    private func create(_ name: String, _ kind: LinkKind) throws(SystemError) {
        try socket.send(.create(LinkSpec(LinkOptions(name), kind)))
    }

    /// An interface that others can sit on.
    private func parent() throws(SystemError) -> Int32 {
        if let link = try socket.link("parent") { return link.index }
        try create("parent", .veth(peer: LinkOptions("parent-peer")))
        return try socket.link("parent")?.index ?? 0
    }

    private func filterVLANs() throws(SystemError) {
        var options = BridgeOptions()
        options.vlanFiltering = true
        // A kernel without it says nothing, and does nothing.
        let link = try socket.create(LinkSpec(LinkOptions("vlan-bridge"), .bridge(options)))
        if link.bridge?.vlanFiltering != true {
            throw SystemError(
                "filter by VLAN on a bridge", code: EOPNOTSUPP,
                mend: "this kernel is built without CONFIG_BRIDGE_VLAN_FILTERING")
        }
    }

    private func filters() throws(SystemError) {
        try socket.send(.replace(.filters, on: loopback))
    }

    private func filter(_ action: TrafficFilter.Action) -> TrafficFilter {
        TrafficFilter(.input, priority: 7, action)
    }

    private func sorting() throws(SystemError) {
        // There can be one already, from the feature tried before; its settings cannot be changed.
        let added = try socket.outcomes(of: [.add(.classes(otherwise: 0), to: loopback)])
        if let failure = added[0], failure.code != EEXIST { throw failure }
        try socket.send(.add(filter(.sort(into: 7)), to: loopback))
    }

    private func classicProgram() throws(SystemError) {
        try filters()
        try socket.send(.addClassicProbe(to: loopback))
    }
}
