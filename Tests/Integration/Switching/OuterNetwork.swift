import Glibc
import Testing

/// A host of a test's own, as a network namespace, with a network behind it: the machine's links, rules and settings
/// stay as they are. Call `end` when done with it.
///
/// The host is 198.51.100.1 and 2001:db8:1::1 on `wan`; all else is behind 198.51.100.2 and 2001:db8:1::2.
final class OuterNetwork {
    let box: Box
    let host: String
    let outside: String
    private var servers: [Child] = []

    init(_ box: Box) throws {
        self.box = box
        (host, outside) = (box.mark + "-h", box.mark + "-o")
        for name in [host, outside] { try box.must(["ip", "netns", "add", name]) }
        try script(
            on: host,
            """
            set -e
            ip link set lo up
            # A new namespace begins with what the machine has.
            sysctl -qw net.ipv4.conf.all.forwarding=0 net.ipv6.conf.all.forwarding=0
            ip link add wan type veth peer name world netns \(outside)
            ip address add 198.51.100.1/24 dev wan
            ip address add 2001:db8:1::1/64 dev wan nodad
            ip link set wan addrgenmode none
            ip link set wan up
            """)
        try script(
            on: outside,
            """
            set -e
            ip link set lo up
            ip address add 198.51.100.2/24 dev world
            ip address add 2001:db8:1::2/64 dev world nodad
            ip link set world addrgenmode none
            ip link set world up
            """)
        try script(
            on: host, "ip route add default via 198.51.100.2 && ip route add default via 2001:db8:1::2")
        try box.write("serve.py", OuterNetwork.server)
        try box.write("ask.py", OuterNetwork.client)
    }

    /// Deletes all switches, and the namespaces.
    func end() {
        for server in servers { server.end() }
        // What a test has broken on purpose may refuse; what is left then, the suite's end finds.
        let names = Files.list(box.file("state/sandboxes")).filter { !$0.hasPrefix(".") }
        if !names.isEmpty { _ = try? sandbox(["rm", "-f"] + names) }
        for name in Files.list(box.file("state/switches")) where !name.hasPrefix(".") {
            _ = try? sandbox(["switch", "delete", "-f", name])
        }
        _ = try? sandbox(["gc"])
        for name in [host, outside] { _ = try? box.run(["ip", "netns", "delete", name]) }
    }

    /// The words that run something in a namespace. Not `ip netns exec`, whose mounts are its own.
    func within(_ namespace: String, _ words: [String]) -> [String] {
        ["nsenter", "--net=/run/netns/\(namespace)", "--"] + words
    }

    /// `sandbox` on the host.
    @discardableResult
    func sandbox(_ words: [String], environment: [String: String] = [:]) throws -> Outcome {
        try box.run(within(host, [box.binary] + words), environment: environment)
    }

    /// The same, which must succeed.
    @discardableResult
    func must(_ words: [String]) throws -> Outcome {
        let outcome = try sandbox(words)
        guard outcome.succeeded else { throw Failure(saying: "\(words): \(outcome)") }
        return outcome
    }

    @discardableResult
    func script(on namespace: String, _ text: String) throws -> String {
        let outcome = try box.run(within(namespace, ["sh", "-c", text]))
        guard outcome.succeeded else { throw Failure(saying: "\(text): \(outcome)") }
        return outcome.text
    }

    /// What is written on the host, and which of its settings are others.
    func text(on namespace: String, _ words: [String]) throws -> String {
        try box.run(within(namespace, words)).text
    }

    /// Starts a server there, at `tcp:ADDRESS:PORT` and so on, which says its label and who asked.
    func serve(on namespace: String, _ label: String, _ places: String...) throws {
        servers.append(try box.start(within(namespace, serverWords(label, places)), name: label))
        try #require(box.waitForOutput("ready", name: label), "the server \(label): \(box.output(label))")
    }

    func serverWords(_ label: String, _ places: [String]) -> [String] {
        ["/usr/bin/python3", box.file("serve.py"), label] + places
    }

    /// A detached sandbox on a switch that serves there.
    func startBox(_ name: String, _ options: [String], _ places: String...) throws {
        try must(
            ["run", "-d", "-n", name, "--unshare", "net"] + options + ["--"] + serverWords(name, places))
        let ready = try Clock.waitUntil { try sandbox(["logs", name]).out.contains("ready") }
        try #require(ready, "the sandbox \(name) does not serve")
    }

    /// What a server says, `refused` or `silent`; `place` as with ``serve``.
    func ask(from namespace: String, _ place: String) throws -> String {
        try text(on: namespace, ["/usr/bin/python3", box.file("ask.py"), place])
    }

    /// The same from within a new box on a switch.
    func ask(fromBoxOn name: String, _ place: String, _ options: [String] = []) throws -> String {
        let outcome = try sandbox(
            ["run", "--unshare", "net", "--switch", name] + options
                + ["--", "/usr/bin/python3", box.file("ask.py"), place])
        return outcome.succeeded ? outcome.text : "\(outcome)"
    }

    private static let places = """
        import socket, sys
        def read(place):
            kind, rest = place.split(":", 1)
            address, port = rest.rsplit(":", 1)
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            return socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM), address, int(port)

        """

    private static let server =
        places + """
            import select
            sockets = []
            for place in sys.argv[2:]:
                s, address, port = read(place)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if s.family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind((address, port))
                if s.type == socket.SOCK_STREAM: s.listen(50)
                sockets.append(s)
            print("ready", flush=True)
            while True:
                for s in select.select(sockets, [], [])[0]:
                    if s.type == socket.SOCK_STREAM:
                        c, who = s.accept()
                        c.sendall(f"{sys.argv[1]} {who[0]}".encode())
                        c.close()
                    else:
                        who = s.recvfrom(100)[1]
                        s.sendto(f"{sys.argv[1]} {who[0]}".encode(), who)

            """

    private static let client =
        places + """
            s, address, port = read(sys.argv[1])
            s.settimeout(1.5)
            try:
                s.connect((address, port))
                if s.type == socket.SOCK_DGRAM: s.send(b"?")
                print(s.recv(100).decode())
            except TimeoutError: print("silent")
            except OSError as error: print("refused")

            """
}

extension Trait where Self == ConditionTrait {
    /// Kernels before 6.17 forward IPv6 on all interfaces or on none.
    static var needsSingleForwarding: Self {
        .enabled(
            if: Files.exists("/proc/sys/net/ipv6/conf/lo/force_forwarding"),
            "this kernel cannot let single interfaces forward IPv6 (Linux 6.17)")
    }
}
