import CCapability

/// A capability by its number (capabilities(7)).
public struct Capability: Sendable, Hashable, Comparable {
    public let number: UInt8

    public init(number: UInt8) { self.number = number }

    /// By a name such as `NET_ADMIN`, in any case, with or without `CAP_`; nil when this library and kernel lack it.
    public init?(_ name: String) {
        var wanted = name.lowercased()
        if !wanted.hasPrefix("cap_") { wanted = "cap_" + wanted }
        var value: cap_value_t = 0
        // libcap takes bare numbers for names; they are none of ours.
        guard wanted.utf8.dropFirst(4).first.map({ $0 < 0x30 || $0 > 0x39 }) == true else { return nil }
        guard cap_from_name(wanted, &value) == 0, (0..<64).contains(value) else { return nil }
        number = UInt8(value)
    }

    /// Upper case without `CAP_`; the number in digits when libcap has no name for it.
    public var name: String {
        guard let text = cap_to_name(cap_value_t(number)) else { return "\(number)" }
        defer { cap_free(text) }
        let full = String(cString: text)
        return full.hasPrefix("cap_") ? full.dropFirst(4).uppercased() : full
    }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }

    public static let setgid = Capability(number: 6)
    public static let setuid = Capability(number: 7)
    public static let setpcap = Capability(number: 8)
    public static let netAdmin = Capability(number: 12)
    public static let sysAdmin = Capability(number: 21)
}

/// Capabilities as the bits of a number, bit n for capability n.
public struct CapabilitySet: Sendable, Hashable, ExpressibleByArrayLiteral {
    public var bits: UInt64

    public init(bits: UInt64) { self.bits = bits }

    public init(arrayLiteral elements: Capability...) { self.init(elements) }

    /// One alone.
    public init(_ capability: Capability) { bits = 1 << UInt64(capability.number) }

    public init(_ capabilities: some Sequence<Capability>) {
        bits = capabilities.reduce(0) { $0 | 1 << UInt64($1.number) }
    }

    /// Every capability that the running kernel knows, as libcap found them at start (cap_max_bits(3)).
    public static var ofKernel: CapabilitySet { CapabilitySet(bits: (1 << UInt64(cap_max_bits())) - 1) }

    public var isEmpty: Bool { bits == 0 }

    /// In the order of their numbers.
    public var members: [Capability] {
        var members: [Capability] = []
        var rest = bits
        while rest != 0 {
            members.append(Capability(number: UInt8(rest.trailingZeroBitCount)))
            rest &= rest - 1
        }
        return members
    }

    public func contains(_ capability: Capability) -> Bool { bits & 1 << UInt64(capability.number) != 0 }
    public func intersection(_ other: Self) -> Self { .init(bits: bits & other.bits) }
    public func union(_ other: Self) -> Self { .init(bits: bits | other.bits) }
    public func subtracting(_ other: Self) -> Self { .init(bits: bits & ~other.bits) }
}

/// Flags that change how capabilities follow user ids (SECBIT_* of capabilities(7)).
public struct SecureBits: OptionSet, Sendable, Hashable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let noRoot = SecureBits(rawValue: 1)
    public static let noSetuidFixup = SecureBits(rawValue: 4)
    public static let keepCapabilities = SecureBits(rawValue: 16)
    public static let noAmbientRaise = SecureBits(rawValue: 64)

    /// The lock of each flag in the set.
    public var locks: SecureBits { SecureBits(rawValue: (rawValue & 0x55) << 1) }

    public static let names = [
        "noroot", "noroot-locked", "no-setuid-fixup", "no-setuid-fixup-locked", "keep-caps", "keep-caps-locked",
        "no-cap-ambient-raise", "no-cap-ambient-raise-locked",
    ]

    /// By one of `names`.
    public init?(_ name: String) {
        guard let bit = Self.names.firstIndex(of: name) else { return nil }
        rawValue = 1 << Int32(bit)
    }
}
