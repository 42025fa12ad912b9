/// The switch's own nftables(8): fixed when the switch is made. What a port may send and get is what the sets hold, so
/// that a port's coming and going changes no rule.
enum Ruleset {
    /// The table of what every port is held to, and the one of ports with rules, which sleeps until there is one: a frame
    /// of a switch without rules meets one look-up.
    static let guardTable = "switch"
    static let rulesTable = "rules"

    /// Frames between ports, before the bridge forwards them and after (bridge family: no connection tracking).
    ///
    /// The protocol is asked of the kernel each time: a frame's own type is that of its VLAN's tag where it has one, and
    /// nft(8) would look at that of its own accord. Neighbours take tags of VLAN 0 for none.
    ///
    /// Sets are looked up by interface index, which the kernel gives to no other interface afterwards: what a port
    /// leaves in them means nothing, and ``StaleElements`` takes it out.
    static let ports = """
        table bridge switch {
            counter spoofed { comment "frames with a source that is not the port's own" }

            # Ports that are to send from their own addresses only, and these.
            set guarded { typeof iif; }
            set source4 { typeof iif . ether saddr . ip saddr; }
            set source6 { typeof iif . ether saddr . ip6 saddr; }
            # Whom they may call themselves towards neighbours (RFC 4861: behind eight bytes of ICMPv6).
            set target6 { typeof iif . @th,64,128; }

            chain prerouting {
                type filter hook prerouting priority -300; policy accept;
                iif . ether saddr . ip saddr @source4 accept
                iif @guarded goto guard
            }
            chain guard {
                meta protocol arp iif . arp saddr ether . arp saddr ip @source4 accept
                meta protocol arp arp saddr ip 0.0.0.0 accept
                meta protocol ip6 icmpv6 type nd-neighbor-advert iif . @th,64,128 != @target6 counter name spoofed drop
                meta protocol ip6 icmpv6 type { nd-router-advert, nd-redirect } counter name spoofed drop
                iif . ether saddr . ip6 saddr @source6 accept
                meta protocol ip6 ip6 saddr :: icmpv6 type { nd-neighbor-solicit, mld2-listener-report } accept
                counter name spoofed drop
            }
        }
        table bridge rules {
            flags dormant;
            counter refused { comment "frames that no rule of the port allows" }

            # Ports with rules, and what they may begin or answer.
            set filtered { typeof iif; }
            set out4 { typeof iif . meta l4proto . ip daddr . th dport; flags interval; }
            set out6 { typeof iif . meta l4proto . ip6 daddr . th dport; flags interval; }
            set in4 { typeof iif . meta l4proto . ip saddr . th dport; flags interval; }
            set in6 { typeof iif . meta l4proto . ip6 saddr . th dport; flags interval; }

            # Ports with rules that lead to names: see NameRules.
            set named { typeof iif; }
            chain names_sent { }
            chain names_received { }

            # Behind the guard.
            chain prerouting {
                type filter hook prerouting priority -290; policy accept;
                iif @filtered goto sent
            }
            chain postrouting {
                type filter hook postrouting priority 300; policy accept;
                oif @filtered goto received
            }
            chain sent {
                meta protocol arp accept
                meta protocol ip6 icmpv6 type \
                    { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld2-listener-report } accept
                iif . meta l4proto . ip daddr . th dport @out4 accept
                iif . meta l4proto . ip6 daddr . th dport @out6 accept
                iif @named jump names_sent
                tcp flags & (syn | ack) == syn counter name refused drop
                iif . meta l4proto . ip daddr . th sport @in4 accept
                iif . meta l4proto . ip6 daddr . th sport @in6 accept
                counter name refused drop
            }
            chain received {
                meta protocol arp accept
                meta protocol ip6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
                meta protocol ip icmp type { destination-unreachable, time-exceeded } accept
                meta protocol ip6 icmpv6 type { destination-unreachable, packet-too-big, time-exceeded } accept
                oif . meta l4proto . ip saddr . th dport @in4 accept
                oif . meta l4proto . ip6 saddr . th dport @in6 accept
                tcp flags & (syn | ack) == syn counter name refused drop
                oif . meta l4proto . ip saddr . th sport @out4 accept
                oif . meta l4proto . ip6 saddr . th sport @out6 accept
                oif @named jump names_received
                counter name refused drop
            }
        }

        """

    /// What a switch of several bridges needs beside ``ports``. The kernel keeps isolated ports apart on one bridge: on
    /// its way to another one a frame carries a mark, and another one where it has come from one bridge to another: who
    /// looks at all of the switch (``FabricCapture``) is to see it once.
    static let apart = """
        table bridge switch {
            set joints { typeof iif; }
            chain mark_passing {
                type filter hook prerouting priority -311; policy accept;
                iif @joints meta mark set meta mark or 0x10000000
            }
            set apart { typeof iif; }
            chain mark_apart {
                type filter hook prerouting priority -310; policy accept;
                iif @apart meta mark set meta mark or 0x40000000
            }
            chain drop_apart {
                type filter hook postrouting priority 310; policy accept;
                oif @apart meta mark and 0x40000000 == 0x40000000 drop
            }
        }

        """
    /// The mark of a frame that has come from another bridge.
    static let passing: UInt32 = 0x1000_0000
}
