import Addresses
public import Kernel
import Netlink
import Profile

/// Tells all stations of a port's network where its addresses are: for one that has come from elsewhere. Switches learn
/// the hardware address's new place by it, too.
public enum Announcement {
    /// - Parameter namespace: a descriptor of the box's network namespace.
    public static func send(_ port: Port, in namespace: Int32) throws(SystemError) {
        guard let mac = port.mac, let link = try NetlinkSocket(in: namespace).link(.name(port.name)) else { return }
        for address in port.addresses.map({ $0.address }) {
            let (type, packet) =
                address.family == .v4
                ? (PacketLine.arp, arp(address, mac)) : (PacketLine.ipv6, neighbourAdvertisement(address, mac))
            try PacketLine(namespace, link.index, type).send(packet)
        }
    }

    /// A question for one's own address (RFC 5227, section 3).
    static func arp(_ address: IPAddress, _ mac: MACAddress) -> [UInt8] {
        [0, 1, 8, 0, 6, 4, 0, 1] + mac.bytes + address.bytes + [0, 0, 0, 0, 0, 0] + address.bytes
    }

    /// Unsolicited, to all nodes, in place of what they know (RFC 4861, section 7.2.6).
    static func neighbourAdvertisement(_ address: IPAddress, _ mac: MACAddress) -> [UInt8] {
        let all: [UInt8] = [0xff, 2] + [UInt8](repeating: 0, count: 13) + [1]
        var message: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0] + address.bytes + [2, 1] + mac.bytes
        let pseudo = address.bytes + all + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58]
        let sum = DHCPDatagram.checkSum(pseudo + message)
        (message[2], message[3]) = (UInt8(sum >> 8), UInt8(truncatingIfNeeded: sum))
        return [0x60, 0, 0, 0, 0, UInt8(message.count), 58, 255] + address.bytes + all + message
    }
}
