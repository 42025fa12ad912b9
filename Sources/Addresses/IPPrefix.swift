/// An address with the length of its network's prefix, `10.1.0.5/24`: an interface's, or a network when no bit follows
/// the prefix.
public struct IPPrefix: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let address: IPAddress
    /// Bits, at most the address's own.
    public let length: Int

    /// nil when the length is none of the family's.
    public init?(_ address: IPAddress, length: Int) {
        if !(0...address.family.width).contains(length) { return nil }
        (self.address, self.length) = (address, length)
    }

    /// The address alone: `/32` or `/128`.
    public init(_ address: IPAddress) { (self.address, length) = (address, address.family.width) }

    /// From `10.1.0.5/24` or `fd00::/64`; without a length, the address alone. nil for all else.
    public init?(_ text: String) {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            guard let address = IPAddress(text) else { return nil }
            self.init(address)
            return
        }
        let digits = text.utf8[text.utf8.index(after: slash)...]
        guard let address = IPAddress(String(text[..<slash])), let length = IPPrefix.length(digits) else { return nil }
        self.init(address, length: length)
    }

    /// One to three digits, without leading zeros.
    private static func length(_ digits: Substring.UTF8View) -> Int? {
        if digits.isEmpty || digits.count > 3 || digits.count > 1 && digits.first == UInt8(ascii: "0") { return nil }
        var number = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return number
    }

    public var family: IPFamily { address.family }
    public var description: String { "\(address)/\(length)" }

    /// Ones where the hosts of a network differ.
    private var hostBits: UInt128 {
        let count = family.width - length
        return count == 128 ? .max : (1 << UInt128(count)) - 1
    }

    private func address(_ number: UInt128) -> IPAddress {
        switch family {
        case .v4: .v4(UInt32(truncatingIfNeeded: number))
        case .v6: .v6(number)
        }
    }

    /// The network's first address: `10.1.0.0`.
    public var first: IPAddress { address(address.number & ~hostBits) }
    /// The network's last address, IPv4's broadcast address: `10.1.0.255`.
    public var last: IPAddress { address(address.number | hostBits) }
    /// The network, without the bits of a host: `10.1.0.0/24`.
    public var network: IPPrefix { IPPrefix(unchecked: first, length) }
    public var isNetwork: Bool { address == first }
    /// `255.255.255.0`.
    public var mask: IPAddress { address(~hostBits & (family == .v4 ? 0xFFFF_FFFF : .max)) }

    /// `0.0.0.0/0` or `::/0`.
    public static func all(_ family: IPFamily) -> IPPrefix { IPPrefix(unchecked: .unspecified(family), 0) }

    private init(unchecked address: IPAddress, _ length: Int) { (self.address, self.length) = (address, length) }

    public func contains(_ other: IPAddress) -> Bool {
        other.family == family && other.number & ~hostBits == first.number
    }

    /// Whether all of the other network lies in this one.
    public func contains(_ other: IPPrefix) -> Bool { other.length >= length && contains(other.address) }

    /// Whether they have an address in common.
    public func overlaps(_ other: IPPrefix) -> Bool { contains(other) || other.contains(self) }

    /// The addresses that hosts can have: of IPv4 all but the first and the last, of IPv6 all but the first (RFC 4291,
    /// the routers' anycast address); in a network of one or two addresses all of them (RFC 3021, RFC 6164).
    public var hosts: ClosedRange<IPAddress> {
        if family.width - length <= 1 { return first...last }
        let end = family == .v4 ? address(last.number - 1) : last
        return address(first.number + 1)...end
    }

    /// The `n`-th of the addresses that hosts can have, from 0; nil beyond the last.
    public func host(_ n: UInt128) -> IPAddress? {
        guard let found = hosts.lowerBound.advanced(by: n), found <= hosts.upperBound else { return nil }
        return found
    }

    /// How many addresses hosts can have.
    public var hostCount: UInt128 { hosts.upperBound.number - hosts.lowerBound.number + 1 }

    /// By address, then the shorter prefix first.
    public static func < (a: IPPrefix, b: IPPrefix) -> Bool {
        a.address == b.address ? a.length < b.length : a.address < b.address
    }
}
