import Addresses
import ArgumentParser
import Launch
import SandboxKit
import Switching

/// `sandbox switch create`: makes a switch that stays until it is deleted.
struct SwitchCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a switch.",
        discussion: """
            A switch lives in a network namespace of its own. One of kind bridge has a port for each sandbox, a veth \
            pair, and an address in each of its subnets; one of kind macvlan lets sandboxes share a device of the \
            host's. A switch that a profile names is made on first use, with a subnet of its own and no uplink, and \
            goes with its last port; one made here stays until 'sandbox switch delete' or the next boot.
            """)

    @Argument(help: ArgumentHelp("The switch.", valueName: "name"))
    var name: String
    @Option(
        name: .customLong("subnet"),
        help: ArgumentHelp(
            "A network, at most one of IPv4 and one of IPv6: 10.1.0.0/24, or 10.1.0.254/24 with the switch's own "
                + "address; a free one of 10.88.0.0/16 when absent, none with 'none'.", valueName: "cidr"))
    var subnets: [String] = []
    @Option(
        name: .customLong("kind"), help: ArgumentHelp("bridge or macvlan.", valueName: "kind"),
        completion: .list(Kind.allCases.map(\.rawValue)))
    var kind = Kind.bridge
    @Option(
        name: .customLong("parent"),
        help: ArgumentHelp("Of a macvlan: the host's device.", valueName: "interface"))
    var parent: String?
    @Option(
        name: .customLong("uplink"),
        help: ArgumentHelp(
            "How ports reach beyond the switch: none; nat, through the host and with its address; or a device of the "
                + "host's, which becomes a port and comes back when the switch is deleted, its routes apart.",
            valueName: "none|nat|interface"),
        completion: .list(["none", "nat"]))
    var uplink = "none"
    @Flag(name: .customLong("force"), help: "With the device that the host itself reaches others by, too.")
    var force = false
    @Option(
        name: .customLong("mtu"),
        help: ArgumentHelp("Largest packet, in bytes; 1500, less with --vxlan.", valueName: "bytes"))
    var mtu: Int?
    @Flag(
        name: .customLong("vlan-filtering"),
        help: """
            Ports belong to VLANs, as network.vlan says: those of others than 1 pass an uplink device and a VXLAN with \
            their tags. The switch's own address, NAT and servers are in VLAN 1.
            """)
    var filtersVLANs = false
    @Flag(name: .customLong("isolated"), help: "Ports do not reach each other unless they say so.")
    var isIsolated = false
    @Flag(
        name: .customLong("dns"),
        help: "Resolve the names of its sandboxes, by a name server of its own (dnsmasq) that runs in a box.")
    var hasDNS = false
    @Flag(
        name: .customLong("dhcp"),
        help: "Tell sandboxes that ask by DHCP the addresses that their ports have, by the server of --dns.")
    var hasDHCP = false
    @Option(
        name: .customLong("domain"),
        help: ArgumentHelp("With --dns: what the names end in; the switch's name when absent.", valueName: "domain"))
    var domain: String?
    @Option(
        name: .customLong("resolver"),
        help: ArgumentHelp(
            "With --dns: who is asked for all other names; the host's name servers when absent and the uplink is nat, "
                + "else nobody.", valueName: "address"))
    var resolvers: [String] = []
    @Flag(
        name: .customLong("multicast-snooping"),
        help: "Multicast goes only where somebody listens: all ports are asked, anew whenever one comes or goes.")
    var snoopsMulticast = false
    @OptionGroup var tunnel: TunnelOptions

    func run() throws {
        var spec = SwitchSpec(name: name)
        spec.kind = kind.value
        spec.parent = parent
        switch uplink {
        case "none": spec.uplink = .none
        case "nat": spec.uplink = .nat
        default: spec.uplink = .device(uplink)
        }
        spec.vxlan = try tunnel.tunnel()
        spec.mtu = mtu ?? spec.vxlan?.usualMTU ?? 1500
        spec.filtersVLANs = filtersVLANs
        spec.isIsolated = isIsolated
        spec.snoopsMulticast = snoopsMulticast
        try addNames(&spec)
        guard (68...65535).contains(spec.mtu) else {
            throw UsageError("--mtu \(spec.mtu) is out of range; use 68 to 65535", command: "sandbox switch create")
        }
        let registry = try Registry.ofCaller()
        let store = try SwitchStore.ofCaller()
        if subnets.isEmpty, kind == .bridge {
            spec.subnets = [try switched { () throws(SwitchError) in try store.freeSubnet() }]
        } else if subnets != ["none"] {
            for text in subnets { spec.subnets.append(try subnet(text)) }
        }
        try registry.createSwitch(spec, force: force, executable: OwnExecutable.path())
        let hindrances = try switched { () throws(SwitchError) in try store.hindrances(try store.existing(name)) }
        for hindrance in hindrances { Output.error("warning: " + hindrance) }
    }

    private func addNames(_ spec: inout SwitchSpec) throws(UsageError) {
        let hasDNS = hasDNS || hasDHCP
        spec.hasDHCP = hasDHCP
        if !hasDNS, domain != nil || !resolvers.isEmpty {
            let option = domain == nil ? "--resolver" : "--domain"
            throw UsageError("\(option) says nothing without --dns", command: "sandbox switch create")
        }
        (spec.hasDNS, spec.domain) = (hasDNS, domain)
        for text in resolvers {
            guard let address = IPAddress(text) else {
                throw UsageError("--resolver '\(text)' is no address", command: "sandbox switch create")
            }
            spec.resolvers.append(address)
        }
    }

    /// With the switch's own address: the one given, or the first.
    private func subnet(_ text: String) throws(UsageError) -> IPPrefix {
        guard let given = IPPrefix(text), text.contains("/") else {
            throw UsageError(
                "--subnet '\(text)' is no network; write it like 10.1.0.0/24", command: "sandbox switch create")
        }
        guard given.isNetwork else { return given }
        return IPPrefix(given.hosts.lowerBound, length: given.length) ?? given
    }
}

extension SwitchCreateCommand {
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case bridge, macvlan

        var value: SwitchSpec.Kind { self == .bridge ? .bridge : .macvlan }
    }
}
