/// What the page of the commands on switches says.
extension ManualProse {
    static let fabric = ManualProse(
        details: [
            """
            A switch is a bridge of the kernel's in a network namespace of its own; nothing of it is in the host's but \
            the link to an uplink. A port is one end of a veth pair on that bridge, its other end an interface in a \
            sandbox. Whose a port is and which addresses it has is written on the port itself, so that neither outlives \
            it. A port that only sends from its own hardware address and addresses is the default; what else it sends \
            is dropped and counted as spoofed.
            """,
            """
            Sandboxes are attached by sandbox run --switch, or by the section network of a profile. Switches belong to \
            the caller's state directory and need root. A switch of kind macvlan has no bridge: its ports share a \
            device of the host's, each with a hardware address of its own; the switch keeps count of their addresses, \
            and its name server has an address beside theirs. Isolated ones reach what is beyond the device only, \
            not their neighbours, nor the name server. Neighbours hand each other frames behind the device's back, so \
            that rules, rates and what keeps a port to its own addresses lie in the box, which must not have \
            CAP_NET_ADMIN: rules and rates are refused where it may get that, and a port may spoof there, as switch \
            show says, unless network.spoofing is "deny": then it is refused, too.
            """,
            """
            With --dhcp, who asks by DHCP from a sandbox is told the addresses that his port has anyway; address = \
            "dhcp" in a profile is the same as "auto" there. For IPv6 he asks from the address on the link that goes \
            with his hardware address, and learns from the switch that addresses are to be had so. A port asks, refuses \
            and gives back in its own name alone, and answers nobody: all else is dropped and counted as spoofed. \
            The server is in VLAN 1, as the switch is. Where a network beyond the switch may have a server of its own, \
            --dhcp is refused. What another client had until a moment ago is free at once: the server begins anew then, \
            without leases.
            """,
        ],
        examples: [
            (
                "A switch, and two sandboxes that reach each other on it:",
                """
                sandbox switch create lab --subnet 10.1.0.0/24 --subnet fd00:1::/64
                sandbox run -d -n web --unshare net --switch lab -- nginx -g 'daemon off;'
                sandbox run --unshare net --switch lab -- curl http://10.1.0.2/
                """
            ),
            (
                "One that a sandbox makes for itself, with an address that it chooses:",
                "sandbox run --unshare net --switch scratch --address 10.7.0.5/24 -- bash"
            ),
            (
                "Ports that share a device of the host's network:",
                """
                sandbox switch create office --kind macvlan --parent enp3s0 --subnet 192.168.7.0/24
                sandbox run --unshare net --switch office --address 192.168.7.200/24 -- bash
                """
            ),
            (
                "One that tells addresses to virtual machines, and to whoever else brings a client of his own for DHCP:",
                "sandbox switch create vms --subnet 10.2.0.0/24 --subnet fd00:2::/64 --dhcp --uplink nat"
            ),
            ("Who is on it, and what went through:", "sandbox switch show lab"),
            ("What goes through now:", "sandbox switch stats lab"),
            ("What a sandbox says to its DNS server:", "sandbox switch capture web udp port 53"),
            ("Keep a thousand packets of a port:", "sandbox switch capture lab p0 -w web.pcap -c 1000"),
            (
                "Look at a port in Wireshark, here or from elsewhere:",
                """
                sandbox switch capture web -w - | wireshark -k -i -
                ssh root@server sandbox switch capture web -w - | wireshark -k -i -
                """
            ),
            ("A picture for a browser:", "sandbox switch graph --svg > switches.svg"),
            ("A picture by Graphviz:", "sandbox switch graph --dot | dot -Tpdf > switches.pdf"),
            (
                "The ports that drop frames, for a script:",
                "sandbox switch show lab --json | jq '.ports[] | select(.sentDropped + .receivedDropped > 0)'"
            ),
            ("What this kernel lacks:", "sandbox switch features --json | jq -r '.[] | select(.works | not).feature'"),
        ],
        seeAlso: [
            ("bridge", 8), ("ip-link", 8), ("jq", 1), ("nft", 8), ("pcap-filter", 7), ("tcpdump", 8), ("veth", 4),
        ])
}
