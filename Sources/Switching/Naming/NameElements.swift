import Addresses
import Netlink
import Profile

/// What the rules of ``NameRules`` look up about a port.
struct NameElements {
    /// The index of the port's end in the switch.
    let index: Int32

    static func set(_ name: String) -> NetfilterSet { PortElements.ruleSet(name) }
    private var rangeKey: NetfilterKey { NetfilterKey().adding(ordered: UInt32(bitPattern: index)) }

    /// The index that an element of a set of ranges begins with.
    static func index(of element: NetfilterElement) -> Int32 {
        element.key.count < 4 ? 0 : element.key.withUnsafeBytes { $0.loadUnaligned(as: Int32.self).bigEndian }
    }

    /// That a name may be reached, as the rules about it say.
    func leading(to name: String, _ slot: Int, _ rules: [TrafficRule]) -> [NetlinkMessage] {
        let own = rules.filter { $0.peer == .name(name) }
        var elements: [NetfilterElement] = []
        if own.contains(where: { $0.protocol == .any }) {
            elements.append(element(0...255, 0...UInt16.max))
        } else {
            for kind in [.tcp, .udp, .icmp] as [TrafficRule.`Protocol`] {
                let ranges = NameElements.union(own.filter { $0.protocol == kind }.map { $0.ports ?? 0...UInt16.max })
                for ports in ranges {
                    for family in kind == .icmp ? [IPFamily.v4, .v6] : [.v4] {
                        let numbers = kind.numbers(family)
                        elements.append(element(numbers.0...numbers.1, ports))
                    }
                }
            }
        }
        return [
            .add(
                [NetfilterElement(NetfilterKey().adding(native: UInt32(bitPattern: index)))],
                to: NameElements.set("named")),
            .add(elements, to: NameElements.set("ports_\(slot)")),
        ]
    }

    private func element(_ protocols: ClosedRange<UInt8>, _ ports: ClosedRange<UInt16>) -> NetfilterElement {
        NetfilterElement(
            rangeKey.adding(byte: protocols.lowerBound).adding(port: ports.lowerBound),
            through: rangeKey.adding(byte: protocols.upperBound).adding(port: ports.upperBound))
    }

    /// The same ports in ranges of which no two touch: a set takes no others.
    static func union(_ ranges: [ClosedRange<UInt16>]) -> [ClosedRange<UInt16>] {
        var united: [ClosedRange<UInt16>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = united.last, Int(range.lowerBound) <= Int(last.upperBound) + 1 {
                united[united.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                united.append(range)
            }
        }
        return united
    }

    /// That the name server may be asked, where no other rule says so already.
    func asking(_ servers: [IPAddress], _ rules: [TrafficRule]) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        for server in servers {
            let kinds: [TrafficRule.`Protocol`] = [.udp, .tcp]
            let elements = kinds.filter { kind in
                !rules.contains { $0.covers(kind, server, 53) }
            }.map { kind in
                let number = kind.numbers(server.family).0
                let own = rangeKey.adding(byte: number).adding(server.bytes).adding(port: 53)
                return NetfilterElement(own, through: own)
            }
            if elements.isEmpty { continue }
            messages.append(.add(elements, to: NameElements.set(server.family == .v4 ? "out4" : "out6")))
        }
        return messages
    }
}

extension TrafficRule {
    /// Whether it lets the box begin that.
    fileprivate func covers(_ kind: `Protocol`, _ address: IPAddress, _ port: UInt16) -> Bool {
        guard direction == .to, `protocol` == kind || `protocol` == .any, ports?.contains(port) ?? true else {
            return false
        }
        switch peer {
        case .any: return true
        case .network(let network): return network.contains(address)
        case .name: return false
        }
    }
}
