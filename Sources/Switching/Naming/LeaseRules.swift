import Addresses
import Netlink

/// What lets ports of a switch ask its server for DHCP: who has no address yet has a source that is not his own.
enum LeaseRules {
    /// Added to ``Ruleset/ports``. The hardware address that is asked for (chaddr) stands behind 8 bytes of UDP and 28
    /// of DHCP: nobody asks, refuses or gives back in another's name. And nobody answers in the server's place.
    static let ruleset = """
        table bridge switch {
            # Ports, and as what they may ask, on the wire and in the message.
            set asking { typeof iif . ether saddr . @th,288,48; }
            chain dhcp {
                type filter hook prerouting priority -305; policy accept;
                iif @guarded udp dport 67 iif . ether saddr . @th,288,48 != @asking counter name spoofed drop
                iif @guarded udp sport { 67, 547 } counter name spoofed drop
            }
        }
        insert rule bridge switch guard \
            ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept

        """
}

extension PortElements {
    /// That the port may ask for its addresses.
    func asking(_ mac: MACAddress) -> NetlinkMessage {
        let key = NetfilterKey().adding(native: UInt32(bitPattern: index)).adding(mac.bytes).adding(mac.bytes)
        return .add([NetfilterElement(key)], to: PortElements.guardSet("asking"))
    }
}
