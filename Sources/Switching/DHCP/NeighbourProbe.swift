import Addresses

/// Questions of who has an IPv6 address, before it is used (RFC 4862, 5.4), and what routers say (RFC 4861).
enum NeighbourProbe {
    /// A question from nobody to those who could have the address.
    static func question(_ address: IPAddress) -> [UInt8] {
        var message: [UInt8] = [135, 0, 0, 0, 0, 0, 0, 0] + address.bytes
        let (from, to) = (IPAddress.v6(0).bytes, group(address).bytes)
        let pseudoHeader = from + to + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58]
        let sum = DHCPDatagram.checkSum(pseudoHeader + message)
        message.replaceSubrange(2..<4, with: [UInt8(sum >> 8), UInt8(truncatingIfNeeded: sum)])
        // A router lets nothing with another hop limit than 255 through as a neighbour's.
        return [0x60, 0, 0, 0, 0, UInt8(message.count), 58, 255] + from + to + message
    }

    /// The group that all who have such an address are in.
    static func group(_ address: IPAddress) -> IPAddress {
        .v6(0xFF02_0000_0000_0000_0000_0001_FF00_0000 | address.number & 0xFF_FFFF)
    }

    /// The Ethernet's group for it (RFC 2464).
    static func station(_ address: IPAddress) -> [UInt8] { [0x33, 0x33] + group(address).bytes.suffix(4) }

    /// Whether it says that another has the address, or asks for it in the same way.
    static func isConflict(_ packet: ArraySlice<UInt8>, _ address: IPAddress) -> Bool {
        guard let message = message(packet), message.bytes.count >= 24 else { return false }
        let type = message.bytes[0]
        guard type == 136 || type == 135 && message.from.isUnspecified else { return false }
        return Array(message.bytes[8..<24]) == address.bytes
    }

    /// A message of ICMPv6 from a neighbour.
    private static func message(_ packet: ArraySlice<UInt8>) -> (from: IPAddress, bytes: [UInt8])? {
        let packet = Array(packet)
        guard packet.count >= 48, packet[0] >> 4 == 6, packet[6] == 58, packet[7] == 255,
            let from = IPAddress(bytes: packet[8..<24])
        else { return nil }
        let length = Int(packet[4]) << 8 | Int(packet[5])
        guard packet.count >= 40 + length, length >= 8 else { return nil }
        return (from, Array(packet[40..<(40 + length)]))
    }

    /// What a router says of itself.
    struct Router: Equatable {
        /// Whether addresses are to be had by DHCP.
        var isManaged: Bool
        /// Seconds for which it is a way to all else; 0: it is none.
        var lifetime: UInt16

        init?(_ packet: ArraySlice<UInt8>) {
            guard let message = NeighbourProbe.message(packet), message.bytes[0] == 134, message.bytes.count >= 16,
                message.from.isLinkLocal
            else { return nil }
            isManaged = message.bytes[5] & 0x80 != 0
            lifetime = UInt16(message.bytes[6]) << 8 | UInt16(message.bytes[7])
        }
    }
}

extension IPAddress {
    /// That of an interface with a hardware address, on its link (RFC 4291, appendix A).
    static func linkLocal(_ mac: MACAddress) -> IPAddress {
        let high = UInt128(mac.number >> 24 ^ 0x02_0000)
        return .v6(0xFE80 << 112 | high << 40 | 0xFF_FE00_0000 | UInt128(mac.number & 0xFF_FFFF))
    }
}
