import Addresses
import Glibc
import Kernel
import Netlink

/// What is in a switch's network namespace from its making on: the bridge, its addresses and the rules.
struct Fabric {
    let spec: SwitchSpec
    let namespace: Int32

    init(_ spec: SwitchSpec, _ namespace: Int32) { (self.spec, self.namespace) = (spec, namespace) }

    func build() throws(SwitchError) {
        let socket = try attributed { () throws(SystemError) in try NetlinkSocket(in: namespace) }
        try attributed { () throws(SystemError) in
            // Before there is an interface that would inherit it. Ports that ask for addresses of their own accord are
            // heard by all the others: creation would take longer with every port.
            try setNetworkSetting("ipv6/conf/default/addr_gen_mode", "1", in: namespace)
            try setNetworkSetting("ipv6/conf/default/accept_ra", "0", in: namespace)
            try setNetworkSetting("ipv6/conf/all/accept_ra", "0", in: namespace)
            for protocols in ["iptables", "ip6tables", "arptables"] {
                try switchOff("bridge/bridge-nf-call-\(protocols)")
            }
            try socket.send(.change(.name("lo"), LinkChange(isUp: true)))
        }
        try makeBridge(socket)
        try Program("nft", package: "nftables").run(
            ["-f", "-"],
            input: Ruleset.ports + (spec.hasDNS ? NameRules.ruleset : "") + (spec.hasDHCP ? LeaseRules.ruleset : ""),
            in: namespace)
    }

    /// Frames between ports are no business of the host's packet filters (br_netfilter, a seventh of all packets per
    /// second). Where that is not loaded there is no such setting.
    private func switchOff(_ setting: String) throws(SystemError) {
        do throws(SystemError) {
            try setNetworkSetting(setting, "0", in: namespace)
        } catch {
            if error.code != ENOENT { throw error }
        }
    }

    private static let noVLANs = SwitchError(
        key: "vlan-filtering", "this kernel has no VLANs on bridges (CONFIG_BRIDGE_VLAN_FILTERING)",
        mend: "'sandbox switch features' tells what it has")

    /// What leads to other stations passes all VLANs with their tags, but for the one that ports begin in.
    static let otherVLANs = [PortVLAN.trunk(2...4094)]

    /// Of the switch's bridges.
    static func options(_ spec: SwitchSpec) -> BridgeOptions {
        var options = BridgeOptions()
        options.forwardDelay = 0
        options.multicastSnooping = spec.snoopsMulticast
        // Without somebody who asks, snooping knows nobody and lets everything through.
        options.multicastQuerier = spec.snoopsMulticast
        if spec.filtersVLANs { options.vlanFiltering = true }
        return options
    }

    private func makeBridge(_ socket: borrowing NetlinkSocket) throws(SwitchError) {
        let options = Fabric.options(spec)
        let bridge: Link
        do throws(SystemError) {
            // Those of one switch on several hosts are stations of one network.
            let address = spec.vxlan == nil ? MACAddress(derivedFrom: "switch \(spec.name)") : .random()
            var link = LinkOptions(FabricName.bridge, index: FabricName.bridgeIndex, address: address)
            link.mtu = UInt32(spec.mtu)
            link.isUp = true
            bridge = try socket.create(LinkSpec(link, .bridge(options)))
        } catch {
            if spec.filtersVLANs, error.code == EOPNOTSUPP || error.code == EINVAL { throw Fabric.noVLANs }
            throw SwitchError(error)
        }
        // Some kernels without it say nothing.
        if spec.filtersVLANs, bridge.bridge?.vlanFiltering == false { throw Fabric.noVLANs }
        try attributed(to: "subnet") { () throws(SystemError) in
            try socket.send(
                own(bridge).map { .add(InterfaceAddress($0, link: bridge.index, flags: .withoutDuplicateDetection)) })
        }
    }

    /// Clients of DHCP on IPv6 speak to an address on the link.
    private func own(_ bridge: Link) -> [IPPrefix] {
        guard spec.hasDHCPv6, let mac = bridge.address, let local = IPPrefix(.linkLocal(mac), length: 64) else {
            return spec.subnets
        }
        return spec.subnets + [local]
    }
}
