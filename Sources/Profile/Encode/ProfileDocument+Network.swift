import Addresses

extension Profile.Network {
    var document: Value {
        var section = interface.entries
        section.add("more", items: more.map { $0.entries.value })
        return section.value
    }
}

extension Profile.Interface {
    /// The interface's own keys, as its profile says them.
    public var document: Value { entries.value }

    fileprivate var entries: Entries {
        let usual = Profile.Interface()
        var table = Entries()
        table.add("attach", text: attach?.rawValue)
        table.add("switch", text: switchName)
        table.add("name", text: name)
        table.add("device", text: device)
        if mode != usual.mode { table.add("mode", text: mode.rawValue) }
        table.add("sources", texts: sources.map { $0.description })
        switch address {
        case .auto: break
        case .none: table.add("address", text: "none")
        case .dynamic([.v4]): table.add("address", text: "dhcp")
        case .dynamic([.v6]): table.add("address", text: "dhcp6")
        case .dynamic: table.add("address", texts: ["dhcp", "dhcp6"])
        case .fixed(let prefixes): table.add("address", texts: prefixes.map { $0.description })
        }
        switch hardwareAddress {
        case .auto: break
        case .random: table.add("mac", text: "random")
        case .fixed(let address): table.add("mac", text: address.description)
        }
        table.add("mtu", integer: mtu)
        table.add("vlan", integer: vlan)
        table.add("trunk", items: trunk.map { .integer($0) })
        if let isolated { table.add("isolated", .bool(isolated)) }
        switch gateway {
        case .auto: break
        case .none: table.add("gateway", text: "none")
        case .address(let address): table.add("gateway", text: address.description)
        }
        table.add("routes", texts: routes.map { $0.text })
        if nameServers != usual.nameServers { table.add("dns", exactly: nameServers.map { $0.text }) }
        table.add("publish", texts: publish.map { $0.description })
        table.add("rate", section: rate.document)
        table.add("chain", texts: chain)
        table.add("spoofing", text: spoofing?.rawValue)
        table.add("allow", exactly: allow?.map { $0.description })
        return table
    }
}

extension Profile.Interface.Rate {
    fileprivate var document: Value {
        var table = Entries()
        table.add("egress", text: egress.map { Quantity.bitRateText($0) })
        table.add("ingress", text: ingress.map { Quantity.bitRateText($0) })
        table.add("burst", number: burst)
        return table.value
    }
}
