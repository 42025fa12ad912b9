import Addresses

extension ProfileReader {
    func network(_ section: Value) throws(ProfileError) -> Profile.Network {
        var network = Profile.Network()
        network.interface = try interface(section, "network")
        for (index, item) in (try items(section["more"], "network.more") ?? []).enumerated() {
            network.more.append(try interface(item, "network.more[\(index)]"))
        }
        return network
    }

    private func interface(_ table: Value, _ key: String) throws(ProfileError) -> Profile.Interface {
        var interface = Profile.Interface()
        interface.attach = try word(table["attach"], "\(key).attach")
        interface.switchName = try text(table["switch"], "\(key).switch")
        interface.name = try text(table["name"], "\(key).name")
        interface.device = try text(table["device"], "\(key).device")
        interface.mode = try word(table["mode"], "\(key).mode") ?? .bridge
        interface.sources = try read(table["sources"], "\(key).sources") { MACAddress($0) } ?? []
        if let value = table["address"] { interface.address = try address(value, "\(key).address") }
        switch try text(table["mac"], "\(key).mac") {
        case nil, "auto"?: break
        case "random"?: interface.hardwareAddress = .random
        case let text?: interface.hardwareAddress = .fixed(try required(MACAddress(text), "\(key).mac"))
        }
        interface.mtu = try integer(table["mtu"], "\(key).mtu")
        interface.vlan = try integer(table["vlan"], "\(key).vlan")
        interface.trunk = try integers(table["trunk"], "\(key).trunk") ?? []
        interface.isolated = try flag(table["isolated"], "\(key).isolated")
        switch try text(table["gateway"], "\(key).gateway") {
        case nil, "auto"?: break
        case "none"?: interface.gateway = .none
        case let text?: interface.gateway = .address(try required(IPAddress(text), "\(key).gateway"))
        }
        interface.routes = try read(table["routes"], "\(key).routes") { Profile.Interface.Route(text: $0) } ?? []
        if let servers = try read(table["dns"], "\(key).dns", { NameServer(text: $0) }) {
            interface.nameServers = servers
        }
        interface.publish = try read(table["publish"], "\(key).publish") { Publication($0) } ?? []
        interface.rate.egress = try read(table["rate"]?["egress"], "\(key).rate.egress")
        interface.rate.ingress = try read(table["rate"]?["ingress"], "\(key).rate.ingress")
        interface.rate.burst = try size(table["rate"]?["burst"], "\(key).rate.burst")
        interface.chain = try texts(table["chain"], "\(key).chain") ?? []
        interface.spoofing = try word(table["spoofing"], "\(key).spoofing")
        interface.allow = try read(table["allow"], "\(key).allow") { TrafficRule($0) }
        return interface
    }

    private typealias NameServer = Profile.Interface.NameServer

    private func address(_ value: Value, _ key: String) throws(ProfileError) -> Profile.Interface.Address {
        var texts: [String]
        if case .string(let text) = value { texts = [text] } else { texts = try self.texts(value, key) ?? [] }
        if texts.isEmpty || texts == ["none"] { return .none }
        if texts == ["auto"] { return .auto }
        let families = [("dhcp", IPFamily.v4), ("dhcp6", .v6)].filter { texts.contains($0.0) }.map { $0.1 }
        if !families.isEmpty, families.count == texts.count { return .dynamic(families) }
        var prefixes: [IPPrefix] = []
        for text in texts { prefixes.append(try required(IPPrefix(text), key)) }
        return .fixed(prefixes)
    }

    private func read(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> UInt64? {
        guard let text = try text(value, key()) else { return nil }
        return try required(Quantity.bitRate(text), key())
    }

    private func read<Item>(
        _ value: Value?, _ key: @autoclosure () -> String, _ item: (String) -> Item?
    ) throws(ProfileError) -> [Item]? {
        guard let texts = try texts(value, key()) else { return nil }
        var items: [Item] = []
        for text in texts { items.append(try required(item(text), key())) }
        return items
    }

    private func required<Item>(_ item: Item?, _ key: @autoclosure () -> String) throws(ProfileError) -> Item {
        guard let item else { throw notRead(key()) }
        return item
    }
}

extension Profile.Interface.NameServer {
    fileprivate init?(text: String) {
        if text == "auto" {
            self = .auto
        } else {
            guard let address = IPAddress(text) else { return nil }
            self = .address(address)
        }
    }

    /// As the profile language writes it.
    var text: String {
        switch self {
        case .auto: "auto"
        case .address(let address): address.description
        }
    }
}
