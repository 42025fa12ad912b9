import Glibc

/// An Ethernet address.
public struct MACAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The 48 bits, the first byte uppermost.
    public let number: UInt64

    /// nil for a number of more than 48 bits.
    public init?(number: UInt64) {
        if number >> 48 != 0 { return nil }
        self.number = number
    }

    /// From six pairs of hexadecimal digits with colons (or hyphens) between them; nil for all else.
    public init?(_ text: String) {
        let text = Array(text.utf8)
        guard text.count == 17 else { return nil }
        var number: UInt64 = 0
        for (place, byte) in text.enumerated() {
            if place % 3 == 2 {
                guard byte == text[2], byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let digit = MACAddress.digit(byte) else { return nil }
                number = number << 4 | digit
            }
        }
        self.number = number
    }

    /// From 6 bytes.
    public init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == 6 else { return nil }
        number = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The same for the same text wherever and whenever: locally administered, of one station (IEEE 802, bits U/L and
    /// I/G). Among n texts two have the same with a probability of about n² in 2⁴⁷.
    public init(derivedFrom text: String) {
        // FNV-1a, then the finish of MurmurHash3, since the former's upper bits depend little on the last bytes.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        self.init(local: hash ^ hash >> 33)
    }

    /// One by chance (getrandom(2)), locally administered, of one station.
    public static func random() -> MACAddress { MACAddress(local: UInt64.random(in: 0...UInt64.max)) }

    private init(local bits: UInt64) { number = bits & 0xFCFF_FFFF_FFFF | 0x0200_0000_0000 }

    public static let broadcast = MACAddress(unchecked: 0xFFFF_FFFF_FFFF)
    /// All zeros: in a forwarding table of a vxlan(8) device, the entry for all that is not known.
    public static let zero = MACAddress(unchecked: 0)

    private init(unchecked number: UInt64) { self.number = number }

    /// Addressed to many stations; no interface can have it as its own.
    public var isMulticast: Bool { number >> 40 & 1 == 1 }
    /// Assigned by an administrator, not by a manufacturer.
    public var isLocal: Bool { number >> 41 & 1 == 1 }

    /// 6 bytes.
    public var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: number >> UInt64(40 - 8 * $0)) } }

    /// In lower case, with colons.
    public var description: String {
        String(unsafeUninitializedCapacity: 17) { text in
            for place in 0..<17 {
                let nibble = UInt8(truncatingIfNeeded: number >> UInt64(44 - 4 * (place - place / 3))) & 0xF
                text[place] =
                    place % 3 == 2
                    ? UInt8(ascii: ":") : nibble + (nibble < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
            }
            return 17
        }
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    public static func < (a: MACAddress, b: MACAddress) -> Bool { a.number < b.number }
}
