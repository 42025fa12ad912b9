public import Addresses
import Glibc
import Kernel
import Netlink

extension SwitchStore {
    /// Makes a switch.
    /// - Throws: when there is one of that name, or the kernel or the host cannot give what is asked for; then nothing is
    ///   left of it.
    ///
    /// - Parameter force: takes the host's own way out as an uplink, too.
    public func create(_ spec: SwitchSpec, force: Bool = false) throws(SwitchError) -> Switch {
        let lock = try lock()
        defer { lock.release() }
        if try find(spec.name) != nil {
            throw SwitchError(
                "there is a switch \"\(spec.name)\" already", mend: "'sandbox switch delete \(spec.name)' deletes it")
        }
        return try make(spec, force: force)
    }

    /// The switch of that name, made as `spec` says when there is none yet.
    public func openOrCreate(_ name: String, _ spec: () throws(SwitchError) -> SwitchSpec) throws(SwitchError) -> Switch
    {
        if let found = try open(name) { return found }
        let lock = try lock()
        defer { lock.release() }
        // Another was faster.
        return try openOrMake(name, spec)
    }

    /// For one who has the lock.
    func openOrMake(_ name: String, _ spec: () throws(SwitchError) -> SwitchSpec) throws(SwitchError) -> Switch {
        if let found = try open(name) { return found }
        return try make(try spec())
    }

    /// For one who has the lock.
    func make(_ spec: SwitchSpec, force: Bool = false) throws(SwitchError) -> Switch {
        guard geteuid() == 0 else {
            throw SwitchError("a switch needs root", mend: "attach = \"user\" gives a network without it")
        }
        try spec.check()
        try checkOverlap(spec)
        if spec.hasDNS { try NameService.check(spec) }
        let namespace = try attributed { () throws(SystemError) in try NetworkNamespace.make() }
        switch spec.kind {
        case .bridge: try Fabric(spec, namespace.number).build()
        case .macvlan: if spec.hasDNS { try SharedFabric(spec, namespace.number).build() }
        }
        if let tunnel = spec.vxlan { try VxlanUplink(tunnel: tunnel, spec: spec).make(in: namespace.number) }
        try enter(spec, namespace.number) { (folder) throws(SwitchError) in
            try makeUplink(spec, namespace.number, folder, force: force)
        }
        return Switch(spec: spec, namespace: namespace, directory: path(spec.name))
    }

    /// Networks of the host and of other switches must be told apart from this one's.
    private func checkOverlap(_ spec: SwitchSpec) throws(SwitchError) {
        for name in try names() where name != spec.name {
            guard let other = try find(name) else { continue }
            for subnet in spec.subnets {
                if let taken = other.subnets.first(where: { $0.overlaps(subnet) }) {
                    throw SwitchError(
                        key: "subnet", "\(subnet.network) overlaps \(taken.network) of the switch \"\(name)\"",
                        mend: "choose another")
                }
            }
        }
        var routes = try attributed { () throws(SystemError) in try NetlinkSocket().routes() }
        if case .device(let device) = spec.uplink {
            // Its networks go with it.
            let link = try attributed { () throws(SystemError) in try NetlinkSocket().link(.name(device)) }
            routes.removeAll { $0.link == link?.index }
        }
        for subnet in spec.subnets where spec.kind == .bridge {
            if let route = routes.first(where: { $0.destination.length > 0 && $0.destination.overlaps(subnet) }) {
                throw SwitchError(
                    key: "subnet", "\(subnet.network) overlaps the host's route to \(route.destination)",
                    mend: "choose another")
            }
        }
    }

    /// A network that neither the host nor another switch has.
    public func freeSubnet() throws(SwitchError) -> IPPrefix {
        var taken = try attributed { () throws(SystemError) in try NetlinkSocket().routes() }
            .map { $0.destination }.filter { $0.length > 0 }
        for name in try names() { taken += try find(name)?.subnets ?? [] }
        for third in 0..<256 as Range<UInt32> {
            guard let subnet = IPPrefix(.v4(10 << 24 | 88 << 16 | third << 8 | 1), length: 24) else { continue }
            if !taken.contains(where: { $0.overlaps(subnet) }) { return subnet }
        }
        throw SwitchError(key: "subnet", "10.88.0.0/16 is used up", mend: "name one with --subnet")
    }
}

extension SwitchSpec {
    /// What contradicts itself whatever the host has.
    func check() throws(SwitchError) {
        try SwitchStore.check(name)
        try vxlan?.check()
        for (index, subnet) in subnets.enumerated() {
            if subnet.address.isMulticast || subnet.address.isLoopback || !subnet.hosts.contains(subnet.address) {
                throw SwitchError(key: "subnet", "\(subnet) holds no hosts", mend: "name a network such as 10.1.0.0/24")
            }
            if subnets[..<index].contains(where: { $0.overlaps(subnet) }) {
                throw SwitchError(
                    key: "subnet", "\(subnet) overlaps another subnet of the switch", mend: "take one out")
            }
            if subnets[..<index].contains(where: { $0.family == subnet.family }) {
                throw SwitchError(
                    key: "subnet", "\(subnet) is a second one of its family", mend: "give one IPv4 and one IPv6 network"
                )
            }
        }
        if hasDHCP { try checkDHCP() }
        switch kind {
        case .bridge:
            if parent != nil { throw SwitchError(key: "parent", "a bridge has none", mend: "write --kind macvlan") }
        case .macvlan:
            if parent == nil {
                throw SwitchError(
                    key: "parent", "a macvlan switch needs a device of the host", mend: "add --parent NAME")
            }
            if uplink != .none || vxlan != nil || filtersVLANs {
                throw SwitchError(
                    key: "kind", "a macvlan switch leads where its parent leads, and filters no VLANs",
                    mend: "take the options about that out, or write --kind bridge")
            }
        }
    }

    private func checkDHCP() throws(SwitchError) {
        func refuse(_ why: String, _ mend: String) -> SwitchError { SwitchError(key: "dhcp", why, mend: mend) }
        if !hasDNS { throw refuse("the name server is who answers by DHCP, and the switch has none", "add --dns") }
        if kind == .macvlan {
            throw refuse(
                "no DHCP of our own on a macvlan switch: it is its parent's network, where another server answers",
                "write address = \"dhcp\" in profiles, or use a switch of kind bridge")
        }
        if case .device(let name) = uplink {
            throw refuse(
                "no DHCP of our own where \"\(name)\" leads out: another server may answer there",
                "use --uplink nat, or address = \"dhcp\" in profiles")
        }
        if vxlan != nil {
            throw refuse(
                "no DHCP on a switch of several hosts: several servers would answer", "take --dhcp out, or --vxlan")
        }
        if subnets.isEmpty { throw refuse("there are no addresses to give by DHCP", "give the switch a subnet") }
    }
}
