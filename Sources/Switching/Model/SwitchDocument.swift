import Addresses
public import Profile

extension SwitchSpec {
    /// The switch as a document.
    public var document: Value {
        var entries: [(key: String, value: Value)] = [("kind", .string(kind.rawValue))]
        entries.append(("subnets", .strings(subnets.map { $0.description })))
        switch uplink {
        case .none: entries.append(("uplink", .string("none")))
        case .nat: entries.append(("uplink", .string("nat")))
        case .device(let name): entries.append(("uplink", .string("device:" + name)))
        }
        if let parent { entries.append(("parent", .string(parent))) }
        entries.append(("mtu", .integer(mtu)))
        entries.append(("vlan-filtering", .bool(filtersVLANs)))
        entries.append(("isolated", .bool(isIsolated)))
        entries.append(("multicast-snooping", .bool(snoopsMulticast)))
        entries.append(("dns", .bool(hasDNS)))
        entries.append(("dhcp", .bool(hasDHCP)))
        if let domain { entries.append(("domain", .string(domain))) }
        if !resolvers.isEmpty { entries.append(("resolvers", .strings(resolvers.map { $0.description }))) }
        entries.append(("transient", .bool(isTransient)))
        if let vxlan { entries.append(("vxlan", vxlan.document)) }
        return .table(entries)
    }

    /// As its state file has it: what is as usual is left out, since each launch with a port reads the rest.
    var declaration: Value {
        guard case .table(let entries) = document else { return .null }
        let usual = SwitchSpec(name: name).document
        return .table(
            entries.filter { key, value in key == "kind" || key == "subnets" || usual[key] != value })
    }

    /// The opposite of ``declaration``, and of ``document``; `nil` for what we did not write.
    init?(_ declaration: Value, name: String) {
        guard case .table(let entries) = declaration, Form.isSwitchName(name) else { return nil }
        self.init(name: name)
        var hasKind = false
        var hasSubnets = false
        for (key, value) in entries {
            switch key {
            case "kind":
                guard let kind = value.text.flatMap({ Kind(rawValue: $0) }) else { return nil }
                self.kind = kind
                hasKind = true
            case "subnets":
                guard set(subnets: value) else { return nil }
                hasSubnets = true
            default:
                guard set(key, value) else { return nil }
            }
        }
        guard hasKind, hasSubnets else { return nil }
    }

    private mutating func set(subnets value: Value) -> Bool {
        guard let texts = value.texts else { return false }
        for text in texts {
            guard let subnet = IPPrefix(text) else { return false }
            subnets.append(subnet)
        }
        return true
    }

    /// - Returns: whether it is a key of a switch's, and such a value.
    private mutating func set(_ key: String, _ value: Value) -> Bool {
        switch (key, value) {
        case ("uplink", .string("none")): uplink = .none
        case ("uplink", .string("nat")): uplink = .nat
        case ("uplink", .string(let text)) where text.hasPrefix("device:"):
            uplink = .device(String(text.dropFirst("device:".utf8.count)))
        case ("parent", .string(let parent)): self.parent = parent
        case ("mtu", .integer(let mtu)): self.mtu = mtu
        case ("vlan-filtering", .bool(let flag)): filtersVLANs = flag
        case ("isolated", .bool(let flag)): isIsolated = flag
        case ("multicast-snooping", .bool(let flag)): snoopsMulticast = flag
        case ("dns", .bool(let flag)): hasDNS = flag
        case ("dhcp", .bool(let flag)): hasDHCP = flag
        case ("domain", .string(let domain)): self.domain = domain
        case ("resolvers", .array(let items)):
            let addresses = items.compactMap { $0.text.flatMap { IPAddress($0) } }
            guard addresses.count == items.count else { return false }
            resolvers = addresses
        case ("transient", .bool(let flag)): isTransient = flag
        case ("vxlan", let value):
            guard let tunnel = Tunnel(value) else { return false }
            vxlan = tunnel
        default: return false
        }
        return true
    }
}

extension SwitchSpec.Tunnel {
    fileprivate var document: Value {
        var entries: [(key: String, value: Value)] = [
            ("id", .integer(Int(id))), ("peers", .strings(peers.map { $0.description })), ("port", .integer(Int(port))),
        ]
        if let device { entries.append(("device", .string(device))) }
        return .table(entries)
    }

    fileprivate init?(_ document: Value) {
        guard case .integer(let id)? = document["id"], let number = UInt32(exactly: id), number < 1 << 24,
            let peers = document["peers"]?.texts?.map({ IPAddress($0) }), !peers.contains(nil),
            case .integer(let port)? = document["port"], let port = UInt16(exactly: port)
        else { return nil }
        self.init(id: number, peers: peers.compactMap { $0 }, device: document["device"]?.text)
        self.port = port
    }
}

extension Value {
    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    var texts: [String]? {
        guard case .array(let items) = self else { return nil }
        var texts: [String] = []
        for item in items {
            guard let text = item.text else { return nil }
            texts.append(text)
        }
        return texts
    }
}
