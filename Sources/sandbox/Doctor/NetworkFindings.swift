import Glibc

/// Kinds of interfaces and the filter, each made once in a network namespace that ends with the probe.
func networkFindings() -> [HostFinding] {
    [
        linkFinding(.veth, module: "veth", cost: "network.attach = \"veth\" fails."),
        linkFinding(.macvlan, module: "macvlan", cost: "network.attach = \"macvlan\" fails."),
        linkFinding(.bridge, module: "bridge", cost: "Switches with kind bridge fail."),
        linkFinding(.vxlan, module: "vxlan", cost: "switch create --vxlan fails."),
        queueFinding(.vlanFiltering, "VLANs on bridges", "switch create --vlan-filtering", "BRIDGE_VLAN_FILTERING"),
        queueFinding(.tbf, "token buckets (tbf)", "network.rate", "NET_SCH_TBF"),
        queueFinding(.clsact, "filters on interfaces (clsact)", "network.rate.egress", "NET_SCH_INGRESS"),
        nftablesFinding(),
    ]
}

/// A module that is only waiting to be loaded is not loaded by looking.
private func linkFinding(_ probe: Probe, module: String, cost: String) -> HostFinding {
    if moduleState(module) == .loadable {
        return HostFinding(.network, module, .ok, "\(module) interfaces (the module loads on first use)")
    }
    return probed(
        probe, .network, module, "\(module) interfaces", cost: cost,
        fix: "modprobe \(module), or boot a kernel with CONFIG_\(module.uppercased())")
}

/// What is wanted by one key only is a note where it is missing.
private func queueFinding(_ probe: Probe, _ what: String, _ key: String, _ option: String) -> HostFinding {
    let finding = probed(
        probe, .network, probe.rawValue, what, cost: "\(key) fails.", fix: "boot a kernel with CONFIG_\(option)")
    guard finding.state == .lacking else { return finding }
    return HostFinding(
        .network, finding.id, .note, finding.text, cost: finding.cost, fix: finding.fix)
}

private func nftablesFinding() -> HostFinding {
    guard findProgram("nft") != nil else {
        return HostFinding(
            .network, "nftables", .lacking, "nft is not installed", cost: "Switches with NAT or filters fail.",
            fix: "apt-get install nftables")
    }
    if moduleState("nf_tables") == .loadable {
        return HostFinding(.network, "nftables", .ok, "nftables (the module loads on first use)")
    }
    return probed(
        .nftables, .network, "nftables", "nftables", cost: "Switches with NAT or filters fail.",
        fix: "modprobe nf_tables, or boot a kernel with CONFIG_NF_TABLES")
}

enum ModuleState { case loaded, loadable, unknown }

/// Whether a kernel module is there, without loading it.
private func moduleState(_ name: String) -> ModuleState {
    if access("/sys/module/\(name)", F_OK) == 0 { return .loaded }
    var system = utsname()
    uname(&system)
    let release = withUnsafeBytes(of: system.release) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return moduleState(name, dependencies: fileText("/lib/modules/\(release)/modules.dep") ?? "")
}

/// By a line of modules.dep(5), such as `kernel/drivers/net/veth.ko.xz:`.
func moduleState(_ name: String, dependencies: String) -> ModuleState {
    let isListed = dependencies.split(separator: "\n").contains { line in
        line.split(separator: ":").first?.split(separator: "/").last?.hasPrefix(name + ".ko") ?? false
    }
    return isListed ? .loadable : .unknown
}
