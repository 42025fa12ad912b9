import Glibc

/// An IPv4 or IPv6 address, its bits in the machine's order.
public enum IPAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
    case v4(UInt32)
    case v6(UInt128)

    /// From its usual notation, `10.1.0.5` or `fd00::5` (inet_pton(3)); nil for all else, a zone (`%eth0`) included.
    public init?(_ text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        // The C function would stop at a zero byte.
        if text.utf8.contains(0) { return nil }
        if inet_pton(AF_INET, text, &v4) == 1 {
            self = .v4(UInt32(bigEndian: v4.s_addr))
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self = .v6(UInt128(bigEndian: unsafeBitCast(v6, to: UInt128.self)))
        } else {
            return nil
        }
    }

    /// From 4 or 16 bytes in network order.
    public init?(bytes: ArraySlice<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16: self = .v6(bytes.reduce(0) { $0 << 8 | UInt128($1) })
        default: return nil
        }
    }

    /// `0.0.0.0` or `::`.
    public static func unspecified(_ family: IPFamily) -> IPAddress { family == .v4 ? .v4(0) : .v6(0) }

    public var family: IPFamily {
        switch self {
        case .v4: .v4
        case .v6: .v6
        }
    }

    /// As a number: an IPv4 address fills the lower 32 bits.
    public var number: UInt128 {
        switch self {
        case .v4(let bits): UInt128(bits)
        case .v6(let bits): bits
        }
    }

    /// 4 or 16 bytes in network order.
    public var bytes: [UInt8] {
        (0..<family.width / 8).map { UInt8(truncatingIfNeeded: number >> UInt128(family.width - 8 - 8 * $0)) }
    }

    /// As RFC 5952 has it (inet_ntop(3)).
    public var description: String {
        switch self {
        case .v4(let bits):
            // Its own digits: the standard library's are on a page that a launch executes nothing else of.
            return String(unsafeUninitializedCapacity: 15) { text in
                var count = 0
                for shift: UInt32 in [24, 16, 8, 0] {
                    let byte = UInt8(truncatingIfNeeded: bits >> shift)
                    for unit: UInt8 in [100, 10, 1] where byte >= unit || unit == 1 {
                        text[count] = UInt8(ascii: "0") + byte / unit % 10
                        count += 1
                    }
                    if shift > 0 {
                        text[count] = UInt8(ascii: ".")
                        count += 1
                    }
                }
                return count
            }
        case .v6(let bits):
            var address = bits.bigEndian
            var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            return inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count)).map { String(cString: $0) } ?? ""
        }
    }

    /// `224.0.0.0/4` or `ff00::/8`.
    public var isMulticast: Bool {
        switch self {
        case .v4(let bits): bits >> 28 == 0xE
        case .v6(let bits): bits >> 120 == 0xFF
        }
    }

    /// `127.0.0.0/8` or `::1`.
    public var isLoopback: Bool {
        switch self {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let bits): bits == 1
        }
    }

    /// `169.254.0.0/16` or `fe80::/10`.
    public var isLinkLocal: Bool {
        switch self {
        case .v4(let bits): bits >> 16 == 0xA9FE
        case .v6(let bits): bits >> 118 == 0x3FA
        }
    }

    public var isUnspecified: Bool { number == 0 }

    /// The address that many behind this one; nil beyond the family's last.
    public func advanced(by count: UInt128) -> IPAddress? {
        let (sum, overflows) = number.addingReportingOverflow(count)
        return overflows ? nil : IPAddress(number: sum, family)
    }

    /// nil for a number that is too large for the family.
    public init?(number: UInt128, _ family: IPFamily) {
        switch family {
        case .v4:
            if number > UInt128(UInt32.max) { return nil }
            self = .v4(UInt32(number))
        case .v6: self = .v6(number)
        }
    }

    /// IPv4 before IPv6, then by number.
    public static func < (a: IPAddress, b: IPAddress) -> Bool {
        a.family == b.family ? a.number < b.number : a.family == .v4
    }
}

/// A version of the Internet protocol.
public enum IPFamily: Sendable, Hashable {
    case v4
    case v6

    /// Bits of an address.
    public var width: Int { self == .v4 ? 32 : 128 }
    /// `AF_INET` or `AF_INET6`.
    public var number: UInt8 { UInt8(self == .v4 ? AF_INET : AF_INET6) }
}
