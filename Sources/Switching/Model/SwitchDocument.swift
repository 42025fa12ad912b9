import Addresses
public import Profile

extension SwitchSpec {
    /// The switch as a document, as its state file has it.
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

    /// The opposite of ``document``; `nil` for what we did not write.
    init?(_ document: Value, name: String) {
        guard case .table = document, Form.isSwitchName(name) else { return nil }
        self.init(name: name)
        guard let kind = document["kind"]?.text.flatMap({ Kind(rawValue: $0) }),
            let subnets = document["subnets"]?.texts,
            let uplink = document["uplink"]?.text, case .integer(let mtu)? = document["mtu"],
            let filtersVLANs = document["vlan-filtering"]?.flag, let isIsolated = document["isolated"]?.flag,
            let snoopsMulticast = document["multicast-snooping"]?.flag, let hasDNS = document["dns"]?.flag,
            let isTransient = document["transient"]?.flag
        else { return nil }
        self.kind = kind
        for text in subnets {
            guard let subnet = IPPrefix(text) else { return nil }
            self.subnets.append(subnet)
        }
        switch uplink {
        case "none": self.uplink = .none
        case "nat": self.uplink = .nat
        default:
            guard uplink.hasPrefix("device:") else { return nil }
            self.uplink = .device(String(uplink.dropFirst("device:".utf8.count)))
        }
        parent = document["parent"]?.text
        self.mtu = mtu
        (self.filtersVLANs, self.isIsolated) = (filtersVLANs, isIsolated)
        (self.snoopsMulticast, self.hasDNS, self.isTransient) = (snoopsMulticast, hasDNS, isTransient)
        // One of an earlier version says nothing of it.
        hasDHCP = document["dhcp"]?.flag ?? false
        domain = document["domain"]?.text
        if let resolvers = document["resolvers"] {
            guard let texts = resolvers.texts?.map({ IPAddress($0) }), !texts.contains(nil) else { return nil }
            self.resolvers = texts.compactMap { $0 }
        }
        if let tunnel = document["vxlan"] {
            guard let tunnel = Tunnel(tunnel) else { return nil }
            vxlan = tunnel
        }
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

    var flag: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
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
