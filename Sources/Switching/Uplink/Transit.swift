import Addresses
import Kernel

/// The network between a switch and its host, by its number: four addresses of IPv4, link-local (RFC 3927) and away
/// from those that hosts and clouds use, and a network of IPv6 (RFC 4193).
struct Transit: Equatable {
    let number: UInt32

    static let count: UInt32 = 4096
    /// All of them, for rules.
    static let network4 = "169.254.64.0/18"
    static let network6 = "fd73:616e:6462::/48"

    /// The host's address of a family.
    func host(_ family: IPFamily) -> IPAddress { address(1, family) }
    /// The switch's.
    func fabric(_ family: IPFamily) -> IPAddress { address(2, family) }

    private func address(_ side: UInt32, _ family: IPFamily) -> IPAddress {
        switch family {
        case .v4: .v4(0xA9FE_4000 + number * 4 + side)
        case .v6: .v6(0xFD73_616E_6462 << 80 | UInt128(number) << 64 | UInt128(side))
        }
    }

    static func length(_ family: IPFamily) -> Int { family == .v4 ? 30 : 64 }

    /// The first that overlaps none of these networks.
    static func free(besides taken: [IPPrefix]) -> Transit? {
        for number in 0..<count {
            let transit = Transit(number: number)
            let networks = [IPFamily.v4, .v6].compactMap { IPPrefix(transit.host($0), length: length($0)) }
            if !taken.contains(where: { other in networks.contains { $0.overlaps(other) } }) { return transit }
        }
        return nil
    }
}

extension FabricName {
    /// The host's side of a switch's link, at most 15 bytes: `sb-` and the switch's name, or a number derived from it
    /// where that is too long. `attempt` is not 0 where the former are taken.
    static func hostLink(_ name: String, attempt: Int = 0) -> String {
        let plain = "sb-\(name)"
        if attempt == 0, plain.utf8.count <= 15 { return plain }
        let digits = MACAddress(derivedFrom: "\(name) \(attempt)").bytes.map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "sb-" + digits.joined()
    }
}
