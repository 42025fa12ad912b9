import Addresses
import Profile

/// What a rule lets pass: the protocols, addresses and ports of three ranges, each with each.
struct TrafficRegion: Hashable {
    private var axes: [ClosedRange<UInt128>]

    var protocols: ClosedRange<UInt128> { axes[0] }
    var addresses: ClosedRange<UInt128> { axes[1] }
    var ports: ClosedRange<UInt128> { axes[2] }

    init(protocols: ClosedRange<UInt128>, addresses: ClosedRange<UInt128>, ports: ClosedRange<UInt128>) {
        axes = [protocols, addresses, ports]
    }

    /// `nil` for a rule that says nothing of the family. Names are left out: see ``NameRules``.
    init?(_ rule: TrafficRule, _ family: IPFamily) {
        let network: IPPrefix
        switch rule.peer {
        case .any: network = .all(family)
        case .network(let given):
            if given.family != family { return nil }
            network = given
        case .name: return nil
        }
        let numbers = rule.protocol.numbers(family)
        let ports = rule.ports ?? 0...UInt16.max
        self.init(
            protocols: UInt128(numbers.0)...UInt128(numbers.1),
            addresses: network.first.number...network.last.number,
            ports: UInt128(ports.lowerBound)...UInt128(ports.upperBound))
    }

    /// The same all in all, in regions of which no two have anything in common: a set takes no others. The largest come
    /// first, so that what they cover takes no place.
    static func disjoint(_ regions: [TrafficRegion]) -> [TrafficRegion] {
        var found: [TrafficRegion] = []
        for region in regions.sorted(by: { $0.extent > $1.extent }) {
            var left = [region]
            for other in found { left = left.flatMap { $0.without(other) } }
            found += left
        }
        return found
    }

    /// What one outweighs another by: a region that covers another has more of it.
    private var extent: Double {
        axes.reduce(1) { $0 * (Double($1.upperBound - $1.lowerBound) + 1) }
    }

    /// The rest of it, in at most six parts.
    private func without(_ other: TrafficRegion) -> [TrafficRegion] {
        var (rest, parts) = (self, [TrafficRegion]())
        for axis in axes.indices {
            let (own, its) = (rest.axes[axis], other.axes[axis])
            guard own.overlaps(its) else { return [self] }
            var part = rest
            if own.lowerBound < its.lowerBound {
                part.axes[axis] = own.lowerBound...(its.lowerBound - 1)
                parts.append(part)
            }
            if own.upperBound > its.upperBound {
                part.axes[axis] = (its.upperBound + 1)...own.upperBound
                parts.append(part)
            }
            rest.axes[axis] = max(own.lowerBound, its.lowerBound)...min(own.upperBound, its.upperBound)
        }
        return parts
    }
}
