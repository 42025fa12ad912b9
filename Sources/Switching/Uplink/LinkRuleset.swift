/// The rules of a switch that has a link to its host: in the switch's own namespace, fixed when the link is made.
enum LinkRuleset {
    /// - Parameter leadsOut: whether ports reach what lies beyond the host.
    static func fabric(leadsOut: Bool) -> String {
        """
        table inet switch
        delete table inet switch
        table inet switch {
            # What is published: address, protocol and port of a box.
            set published4 { type ipv4_addr . inet_proto . inet_service; }
            set published6 { type ipv6_addr . inet_proto . inet_service; }
            # Boxes whose way to others does not lead back here: they see the switch as who calls.
            set unrouted4 { type ipv4_addr; }
            set unrouted6 { type ipv6_addr; }

            chain forward {
                type filter hook forward priority filter; policy drop;
                tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
                ct state established,related accept
                iifname "\(FabricName.uplink)" ip daddr . meta l4proto . th dport @published4 accept
                iifname "\(FabricName.uplink)" ip6 daddr . meta l4proto . th dport @published6 accept
                \(leadsOut
                    ? "iifname \"\(FabricName.bridge)\" oifname \"\(FabricName.uplink)\" accept"
                    : "iifname \"\(FabricName.bridge)\" reject with icmpx type admin-prohibited")
            }
            chain input {
                type filter hook input priority filter; policy accept;
                iifname "\(FabricName.uplink)" goto guard
            }
            chain guard {
                ct state established,related accept
                icmp type echo-request accept
                icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept
                drop
            }
            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                oifname "\(FabricName.uplink)" masquerade
                oifname "\(FabricName.bridge)" ip daddr @unrouted4 masquerade
                oifname "\(FabricName.bridge)" ip6 daddr @unrouted6 masquerade
            }
        }

        """
    }

    /// Of the host's namespace, one table for all switches. It goes with the last link.
    static let host = """
        create table inet \(HostTable.name)
        table inet \(HostTable.name) {
            # The host's sides of all links, and those that lead out.
            set links { type ifname; }
            set ways { type ifname; }
            # Interfaces that did not forward before: they go on not forwarding what is not ours.
            set opened { type ifname; }

            # Ports of any address of the host's, and of one: where they lead.
            map any4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
            map any6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
            map at4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
            map at6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }

            chain raw {
                type filter hook prerouting priority raw; policy accept;
                # Before it leads elsewhere: what is published on the loopback is for the host alone.
                iifname != "lo" ip daddr 127.0.0.0/8 drop
            }
            chain prerouting {
                type nat hook prerouting priority dstnat; policy accept;
                fib daddr type local jump publish
            }
            chain output {
                type nat hook output priority -100; policy accept;
                fib daddr type local jump publish
            }
            chain publish {
                dnat ip to ip daddr . meta l4proto . th dport map @at4
                dnat ip to meta l4proto . th dport map @any4
                dnat ip6 to ip6 daddr . meta l4proto . th dport map @at6
                dnat ip6 to meta l4proto . th dport map @any6
            }
            chain forward {
                type filter hook forward priority filter; policy accept;
                iifname @links tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
                oifname @links tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
                iifname @links goto sent
                oifname @links goto received
                iifname @opened goto others
            }
            chain sent {
                ct state established,related accept
                oifname @links ct status dnat accept
                oifname != @links iifname @ways accept
                reject with icmpx type admin-prohibited
            }
            chain received {
                ct state established,related accept
                ct status dnat accept
                drop
            }
            chain others {
                ct state established,related accept
                ct status dnat accept
                drop
            }
            chain input {
                type filter hook input priority filter; policy accept;
                iifname @links goto guard
            }
            # Boxes have no business with the host's own services.
            chain guard {
                ct state established,related accept
                icmp type echo-request accept
                icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept
                reject with icmpx type admin-prohibited
            }
            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr \(Transit.network4) masquerade
                ip6 saddr \(Transit.network6) masquerade
                oifname @links ip saddr 127.0.0.0/8 masquerade
                oifname @links ip6 saddr ::1 masquerade
            }
        }

        """
}
