import Addresses

extension Profile.Network {
    /// Something that contradicts itself, by its key.
    public struct Problem: Sendable, Equatable {
        public var key: String
        public var text: String
        public var mend: String
    }

    /// What is wrong with it whatever the host has.
    ///
    /// - Parameter hasNamespace: whether the box has a net namespace of its own.
    public func problems(hasNamespace: Bool) -> [Problem] {
        var problems = interface.problems(at: "network")
        for (index, interface) in more.enumerated() { problems += interface.problems(at: "network.more[\(index)]") }
        for (index, other) in more.enumerated() where other.kind?.makesInterface != true && problems.isEmpty {
            problems.append(
                Problem(
                    key: "network.more[\(index)]", text: "is attached to nothing",
                    mend: "add switch, or attach and device"))
        }
        problems += namesTwice()
        if attach == .host, hasNamespace {
            problems.append(
                Problem(
                    key: "network.attach", text: "\"host\" contradicts the net namespace in namespaces.unshare",
                    mend: "take one of them out"))
        }
        if !hasNamespace, let kind = attach, kind != .host {
            let key = interface.attach == nil ? "network.switch" : "network.attach"
            problems.append(.needsNamespace(key))
        } else if !hasNamespace, !interfaces.isEmpty {
            problems.append(.needsNamespace("network.more[0]"))
        }
        return problems
    }

    private func namesTwice() -> [Problem] {
        if more.isEmpty { return [] }
        var seen: Set<String> = []
        var problems: [Problem] = []
        for (index, interface) in ([interface] + more).enumerated() {
            guard let name = interface.name, !seen.insert(name).inserted else { continue }
            problems.append(
                Problem(
                    key: "network.more[\(index - 1)].name", text: "\(Form.quote(name)) is another interface's name",
                    mend: "give each its own"))
        }
        return problems
    }
}

extension Profile.Network.Problem {
    static func needsNamespace(_ key: String) -> Self {
        Self(
            key: key, text: "needs a net namespace of the box's own",
            mend: "add \"net\" to namespaces.unshare or take this out")
    }
}

extension Profile.Interface {
    fileprivate func problems(at key: String) -> [Profile.Network.Problem] {
        var problems: [Profile.Network.Problem] = []
        func report(_ name: String, _ text: String, _ mend: String) {
            problems.append(.init(key: "\(key).\(name)", text: text, mend: mend))
        }
        switch kind {
        case .veth where switchName == nil:
            report("attach", "\"veth\" needs a switch", "add switch = \"lan\" or another name")
        case .macvlan where switchName == nil && device == nil, .macvtap where switchName == nil && device == nil:
            report("attach", "needs a switch or a device", "add switch, or device with the parent's name")
        case .physical where device == nil: report("attach", "\"physical\" needs a device", "add device = \"NAME\"")
        default: break
        }
        if switchName != nil, device != nil { report("device", "contradicts switch", "take one of them out") }
        if switchName != nil, let kind, !kind.usesSwitch {
            report("switch", "attach = \"\(kind.rawValue)\" uses no switch", "take one of them out")
        }
        if device != nil, let kind, !kind.usesDevice {
            report("device", "attach = \"\(kind.rawValue)\" uses no device", "take one of them out")
        }
        if kind == .macvtap, !dynamicFamilies.isEmpty {
            report("address", "\"dhcp\" is for the kernel's own stack, past which a macvtap goes", "write \"none\"")
        }
        for name in unused { report(name, "has no meaning \(attachment)", "take it out, or change attach") }
        if isolated == true, mode != .bridge, mode != .private {
            report("isolated", "contradicts mode = \"\(mode.rawValue)\"", "take one of them out")
        }
        if mode == .source, sources.isEmpty { report("mode", "\"source\" lets nobody in", "add sources = [\"02:…\"]") }
        if mode != .source, !sources.isEmpty { report("sources", "only goes with mode = \"source\"", "add it") }
        if rate.burst != nil, rate.isEmpty { report("rate.burst", "limits nothing", "add egress or ingress") }
        if case .fixed(let prefixes) = address { problems += reach(of: prefixes, key) }
        return problems
    }

    private var attachment: String { kind.map { "with attach = \"\($0.rawValue)\"" } ?? "without an interface" }

    /// Keys that are given and change nothing.
    private var unused: [String] {
        let usual = Profile.Interface()
        var given: [String] = []
        func note(_ name: String, _ isGiven: Bool, _ isUsed: Bool) { if isGiven, !isUsed { given.append(name) } }
        // Plain comparisons: this is on the way of every launch.
        let (isVeth, isUser) = (kind == .veth, kind == .user)
        let isShared = kind?.sharesDevice == true
        let isPort = isVeth || isShared
        let isMade = isPort || kind == .physical
        let hasStack = isMade && kind != .macvtap
        note("name", name != nil, isMade || isUser)
        note("mode", mode != usual.mode, isShared)
        note("address", address != usual.address, isMade)
        note("mac", hardwareAddress != usual.hardwareAddress, isMade)
        note("mtu", mtu != nil, isMade || isUser)
        note("vlan", vlan != nil, isVeth)
        note("trunk", !trunk.isEmpty, isVeth)
        note("isolated", isolated != nil, isPort)
        note("gateway", gateway != usual.gateway, hasStack)
        note("routes", !routes.isEmpty, hasStack)
        note("dns", nameServers != usual.nameServers, hasStack || isUser)
        note("publish", !publish.isEmpty, isVeth || isUser)
        note("rate", !rate.isEmpty, isMade)
        note("chain", !chain.isEmpty, isVeth)
        // Nothing watches over a device that is moved in.
        note("spoofing", spoofing == .allow || spoofing == .deny && kind == .physical, isPort)
        note("allow", allow != nil, isVeth || kind == .macvlan)
        return given
    }

    /// Gateways must be reached on the interface's own networks.
    private func reach(of prefixes: [IPPrefix], _ key: String) -> [Profile.Network.Problem] {
        func isFar(_ address: IPAddress) -> Bool {
            !prefixes.contains { $0.contains(address) && $0.address != address }
        }
        var problems: [Profile.Network.Problem] = []
        if case .address(let gateway) = gateway, isFar(gateway) {
            problems.append(
                .init(
                    key: "\(key).gateway", text: "\(gateway) is in none of the interface's networks",
                    mend: "name a neighbour's address"))
        }
        for route in routes where isFar(route.via) {
            problems.append(
                .init(
                    key: "\(key).routes", text: "\(route.via) is in none of the interface's networks",
                    mend: "name a neighbour's address"))
        }
        var networks: Set<IPPrefix> = []
        for prefix in prefixes where !networks.insert(IPPrefix(prefix.address)).inserted {
            problems.append(
                .init(key: "\(key).address", text: "\(prefix.address) is given twice", mend: "take one out"))
        }
        return problems
    }
}
