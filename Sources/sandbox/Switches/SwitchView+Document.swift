import Addresses
import Netlink
import Profile
import Switching

extension SwitchView {
    /// An entry of `switch list --json`.
    var summary: Value { .table(head + [("ports", .integer(ports.count))]) }

    /// `switch show --json`.
    var document: Value {
        .table(
            head + [
                ("nameServer", optional(nameServer)), ("spoofed", number(spoofed)), ("refused", number(refused)),
                ("ports", .array(ports.map { $0.document })),
            ])
    }

    private var head: [(key: String, value: Value)] {
        guard case .table(let entries) = spec.document else { return [] }
        return [("name", .string(spec.name))] + entries
    }
}

extension PortView {
    /// An entry of `ports` in `switch show --json`; sent and received as the box has it, rates in bits per second.
    var document: Value { .table(identity + settings + counters.figures) }

    var identity: [(key: String, value: Value)] {
        [
            ("port", optional(end)), ("sandbox", optional(owner)), ("interface", .string(interface)),
            ("attach", .string(attach.rawValue)), ("addresses", .strings(addresses.map { $0.description })),
            ("mac", optional(mac?.description)),
        ]
    }

    private var settings: [(key: String, value: Value)] {
        [
            ("up", .bool(isUp)), ("isolated", .bool(isIsolated)), ("spoofing", .bool(!isGuarded)),
            ("filtered", .bool(isFiltered)), ("vlan", number(vlan.map { UInt64($0) })),
            ("trunk", .strings(trunk.map(\.text))), ("egressRate", number(egressRate)),
            ("ingressRate", number(ingressRate)), ("chain", .strings(chain)),
        ]
    }

    /// What is special about it, in words.
    var remarks: [String] {
        var words: [String] = []
        if attach != .veth { words.append(attach.rawValue) }
        if let vlan { words.append("VLAN \(vlan)") }
        if !trunk.isEmpty { words.append("VLANs " + trunk.map(\.text).joined(separator: ",")) }
        if let egressRate { words.append("sends at most \(Figures.bits(egressRate))") }
        if let ingressRate { words.append("receives at most \(Figures.bits(ingressRate))") }
        if isIsolated { words.append("isolated") }
        if isFiltered { words.append("rules") }
        if !isGuarded { words.append("may spoof") }
        if !isUp { words.append("down") }
        return words
    }

    /// Packets dropped on the way to the box and from it.
    var dropped: UInt64 { counters.receivedDropped &+ counters.sentDropped }
}

extension SwitchSpec {
    /// What is special about it, in words.
    var remarks: [String] {
        var words = ["mtu \(mtu)"]
        if isIsolated { words.append("isolated ports") }
        if filtersVLANs { words.append("VLANs") }
        if hasDNS { words.append("names") }
        if hasDHCP { words.append("DHCP") }
        if isTransient { words.append("goes with its last port") }
        return words
    }

    /// Where it leads beyond its ports, in words.
    var ways: [String] {
        var words: [String] = []
        switch uplink {
        case .none: break
        case .nat: words.append("the host, by nat")
        case .device(let name): words.append("\(name) of the host")
        }
        if let parent { words.append("\(parent) of the host") }
        if let vxlan {
            words.append("vxlan \(vxlan.id) to " + vxlan.peers.map { $0.description }.joined(separator: ", "))
        }
        return words
    }
}

extension ClosedRange<UInt16> {
    var text: String { count == 1 ? "\(lowerBound)" : "\(lowerBound)-\(upperBound)" }
}

extension SwitchSpec.Uplink {
    var text: String {
        switch self {
        case .none: "none"
        case .nat: "nat"
        case .device(let name): name
        }
    }
}

extension Figures {
    /// Bits per second, in powers of 1000 as the profile language counts them.
    static func bits(_ rate: UInt64) -> String {
        for (suffix, unit) in [("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3)] where Double(rate) >= unit * 0.9995 {
            let value = Double(rate) / unit
            let tenths = Int((value * 10).rounded())
            return (tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)") + suffix
        }
        return "\(rate)bit"
    }
}
