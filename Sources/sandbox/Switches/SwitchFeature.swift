import Glibc
import Kernel
import Netlink
import Profile
import Switching

/// What switches need of a kernel and of nft, each found out by trying it.
struct SwitchFeature: Equatable {
    /// A stable word for scripts.
    var name: String
    /// Why it does not work; `nil` when it does.
    var failure: String?
    /// What of ours needs it; `nil` where nothing does.
    var purpose: String?

    /// Tries all of them, in a network namespace that the process stays in. Without root, in a user namespace.
    static func probe() throws(SystemError) -> [SwitchFeature] {
        // The way back leads to a network namespace of the user's own.
        if geteuid() != 0 { try ProbeUser.enter(CLONE_NEWNET) }
        var features = try KernelFeature.probe().map { feature, failure in
            SwitchFeature(name: feature.rawValue, failure: failure?.message, purpose: feature.purpose)
        }
        try unshareNamespaces(.net)
        let home = try ownNetworkNamespace()
        for probe in RulesetProbe.all {
            var feature = SwitchFeature(name: probe.name, failure: nil, purpose: probe.purpose)
            do throws(SwitchError) { try probe.attempt(in: home.number) } catch { feature.failure = error.text }
            features.append(feature)
        }
        return features
    }

    var document: Value {
        .table([
            ("feature", .string(name)), ("works", .bool(failure == nil)), ("reason", optional(failure)),
            ("purpose", optional(purpose)),
        ])
    }
}

extension KernelFeature {
    /// What of ours needs it; `nil` where nothing does.
    var purpose: String? {
        switch self {
        case .bridge: "switches of kind bridge"
        case .vlanFiltering: "switch create --vlan-filtering, network.vlan and network.trunk"
        case .veth: "attach = \"veth\": ports of a switch"
        case .macvlan: "attach = \"macvlan\", switches of kind macvlan"
        case .macvtap: "attach = \"macvtap\""
        case .vxlan: "switch create --vxlan: one switch on several hosts"
        case .ifb: "network.rate.egress"
        case .tbf: "network.rate"
        case .u32, .mirred: "network.rate.egress"
        case .clsact: "network.rate.egress; functions that are boxes, before Linux 6.6"
        case .bpf: "functions that are boxes, before Linux 6.6"
        case .htb, .ipvlan, .vlan, .dummy, .vrf, .wireguard, .netem: nil
        }
    }
}
