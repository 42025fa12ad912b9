/// What the page of the commands on chains says.
extension ManualProse {
    static let chain = ManualProse(
        details: [
            """
            A chain is an ordered list of service functions between an interface of a sandbox and its switch. It is \
            given by network.chain in a profile or by sandbox run --chain, and changed here while traffic flows. A \
            function is named by NAME, NAME:PRESET, NAME?PARAMETER=VALUE&PARAMETER=VALUE,VALUE or these together. What \
            there is tells sandbox profile list --function, and sandbox profile show --function NAME its parameters. One \
            that is named twice stands there twice; of what two profiles name it is once.
            """,
            """
            Functions whose placement is inline are rules and queues of the port's end in the switch, where the \
            sandbox cannot reach them; no process belongs to them. All of a port's rules are replaced in one \
            transaction of nft(8): a frame meets the chain as it was or the chain as it is to be, none is lost, and \
            functions that stay go on counting. What nft(8) refuses leaves the chain as it was. Rules have no connection \
            tracking: the shipped firewall knows an answer by its port, and that it begins no connection. Of a packet \
            in fragments it lets only the first through.
            """,
            """
            Rates and delays hold all of a port's traffic, and what is held waits behind the rules of all inline \
            functions, wherever in the chain the function stands; of several rates the least counts. A rate of the \
            chain's and network.rate exclude each other.
            """,
            """
            A function whose placement is sandbox is a sandbox of its own, called like the application and the function \
            with a point between, or FUNCTION.INSTANCE for one that several share by FUNCTION@INSTANCE: it is listed, \
            entered, limited and logged as others. It is started and looked at before anything is led to it, and ended \
            50 milliseconds after nothing is led to it any more. In mode bridge frames go in at in0 and out at out0, \
            joined by a bridge where the packet filter of its network namespace sees them; in mode tap it gets copies at \
            in0. Where its command ends, the traffic stops, or with fail = "open" goes past; the event chain-failed tells \
            of it, and its restart policy brings it back. While an inline function is moved to the other side of one, \
            frames on their way can pass it twice, and never not at all. Beside such functions a rate for what is received \
            holds next to the application. Where the kernel has no tcx, before Linux 6.6, filters of tc(8) (clsact and \
            cls_bpf) do the same.
            """,
            """
            A function whose placement is proxy is such a sandbox, whose program speaks for the application on what the \
            classifier names: any program that listens on those ports, for any address. It is told by getsockname(2) whom \
            the client called; what it begins itself has the application's addresses, and ports from 61000 on. What is not \
            named, and connections that are there already, do not meet it. A proxy that is removed or replaced takes no new \
            connections (state draining), and has function.drain, 5 seconds without it, to end those that it has; then \
            they are cut off. The command waits for that; where it is killed, gc has the proxy take connections again. A \
            proxy that takes another's place is there before. IPv6 packets with extension headers do not pass one. \
            http-proxy?allow=example.org,*.debian.org lets HTTP and TLS out to hosts of these names alone, wherever the \
            client wanted to go; dns-filter?deny=NAME or ?allow=NAME answers for all name servers. A shared instance \
            cannot be a proxy.
            """,
            """
            nat?from=ADDRESS&to=ADDRESS shows the application by another of its addresses, in a box whose bridge hands what \
            passes to the packet filter of IP and its tracking of connections (function.tracking; br_netfilter). tcp=PORT and \
            udp=PORT of the address that is seen lead to the first other one, to port tcp-to and udp-to where given, \
            one-to-one=true leads all there. from and to take addresses of IPv4 and IPv6; both have to be addresses of the \
            application's interface, which is who answers for them: others the switch lets through for none. Connections keep \
            what they began with; one that is removed or replaced translates for function.drain what it has begun.
            """,
            """
            A profile with parameters that is no inline function can be run by itself, with parameters alike: sandbox \
            run -p 'load-balancer?servers=web1,web2'. $NAME stands for a parameter in process.command, \
            process.environment.set, filesystem.files and filesystem.bind: a list with commas between, nothing for \
            what is not given; any other $ stays as it is. A line with $NAME[] is there once for each element of the \
            list, and not at all where it is empty; of a list of hosts' names $NAME.hosts[] are those \
            without *., and $NAME.domains[] what is behind the *. of the others.
            """,
            """
            A function of one's own is a profile with a section [function], in the folder functions beside one's \
            profiles; see sandbox-profile(5).
            """,
        ],
        examples: [
            (
                "A web server that is asked for pages and nothing else, and sends 10 Mbit/s at most:",
                """
                sandbox run -d -n web -p web-server --switch lab --chain firewall:web-server \\
                    --chain 'shaper?egress=10mbit'
                """
            ),
            ("What went through each function:", "sandbox chain show web"),
            (
                "Another rate, a counter in front, and the firewall taken away, while clients are served:",
                """
                sandbox chain replace web shaper 'shaper?egress=50mbit'
                sandbox chain insert web counter --at 1
                sandbox chain remove web firewall
                """
            ),
            (
                "One's own function, ~/.config/sandbox/profiles/functions/no-smtp.toml, then --chain no-smtp:",
                """
                description = "No mail"
                [function]
                placement = "inline"
                to-switch = ["tcp dport $ports drop"]
                [function.parameters]
                ports = { type = "ports", default = "25,465,587" }
                """
            ),
            (
                "How many frames the first function dropped, for a script:",
                "sandbox chain show web --json | jq '.interfaces[0].chain[0].toSwitch.dropped'"
            ),
        ],
        seeAlso: [("nft", 8), ("tc-tbf", 8)])
}
