import Addresses

/// Datagrams of DHCP as they are before an interface has an address: with their IPv4 and UDP headers (RFC 791, 768).
enum DHCPDatagram {
    static let serverPort: UInt16 = 67
    static let clientPort: UInt16 = 68

    /// From nobody to all. Without UDP's check sum, which IPv4 leaves to the sender.
    static func broadcast(_ payload: [UInt8]) -> [UInt8] {
        let (length, total) = (UInt16(payload.count + 8), UInt16(payload.count + 28))
        var header: [UInt8] = [0x45, 0] + bytes(total) + [0, 0, 0, 0, 64, 17, 0, 0]
        header += [0, 0, 0, 0, 255, 255, 255, 255]
        header.replaceSubrange(10..<12, with: bytes(checkSum(header)))
        return header + bytes(clientPort) + bytes(serverPort) + bytes(length) + [0, 0] + payload
    }

    /// What is meant for a client; `nil` for all else.
    static func payload(_ packet: ArraySlice<UInt8>) -> [UInt8]? {
        let packet = Array(packet)
        guard packet.count >= 28, packet[0] >> 4 == 4 else { return nil }
        let header = Int(packet[0] & 15) * 4
        let total = Int(packet[2]) << 8 | Int(packet[3])
        // The latter: a fragment.
        guard header >= 20, total >= header + 8, total <= packet.count, packet[9] == 17, packet[6] & 0x3F == 0,
            packet[7] == 0, UInt16(packet[header + 2]) << 8 | UInt16(packet[header + 3]) == clientPort
        else { return nil }
        let length = Int(packet[header + 4]) << 8 | Int(packet[header + 5])
        guard length >= 8, header + length <= total else { return nil }
        return Array(packet[(header + 8)..<(header + length)])
    }

    /// Ones' complement of the ones' complement sum (RFC 1071).
    static func checkSum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for (place, byte) in bytes.enumerated() { sum += place % 2 == 0 ? UInt32(byte) << 8 : UInt32(byte) }
        while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
        return ~UInt16(sum)
    }

    private static func bytes(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)] }
}

/// Questions of who has an address, before it is used (RFC 5227).
enum AddressProbe {
    static func question(_ address: IPAddress, from mac: MACAddress) -> [UInt8] {
        [0, 1, 8, 0, 6, 4, 0, 1] + mac.bytes + [0, 0, 0, 0] + [0, 0, 0, 0, 0, 0] + address.bytes
    }

    /// Whether it says that another has the address, or asks for it in the same way.
    static func isConflict(_ packet: ArraySlice<UInt8>, _ address: IPAddress, _ mac: MACAddress) -> Bool {
        let packet = Array(packet)
        guard packet.count >= 28, Array(packet[..<6]) == [0, 1, 8, 0, 6, 4], Array(packet[8..<14]) != mac.bytes else {
            return false
        }
        let sender = Array(packet[14..<18])
        return sender == address.bytes
            || packet[7] == 1 && sender == [0, 0, 0, 0] && Array(packet[24..<28]) == address.bytes
    }
}
