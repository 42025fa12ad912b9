import Glibc
import Synchronization
import Testing

/// Two hosts, each a network namespace with a state directory of its own, joined by a cable; the second one has a real
/// sshd(8). A switch spans both.
final class TwoHosts {
    let box: Box
    let hosts: [TestHost]
    private var daemon: Child?
    private let pipes = PipeLimit()
    static let server = "10.84.0.5"

    init() throws {
        box = try Box()
        hosts = [try TestHost(box, "a", state: "a"), try TestHost(box, "b", state: "b")]
        try hosts[0].ip("link", "add", "net0", "type", "veth", "peer", "name", "net0", "netns", hosts[1].name)
        for (index, host) in hosts.enumerated() {
            try host.ip("address", "add", "10.85.0.\(index + 1)/24", "dev", "net0")
            try host.ip("link", "set", "net0", "up")
            try host.must(
                "switch", "create", "wide", "--subnet", "10.84.0.25\(index + 1)/24", "--vxlan", "84", "--peer",
                "10.85.0.\(2 - index)")
        }
        try startDaemon()
    }

    deinit {
        for host in hosts { host.end(boxes: ["server", "client", "moved"], switches: ["wide"]) }
        daemon?.signal(SIGTERM)
        _ = daemon?.wait()
    }

    private func startDaemon() throws {
        for name in ["host", "user"] {
            try box.must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", box.file(name)])
        }
        try box.must(["cp", box.file("user.pub"), box.file("authorized")])
        let configuration = try box.write(
            "sshd_config",
            """
            ListenAddress 10.85.0.2
            HostKey \(box.file("host"))
            AuthorizedKeysFile \(box.file("authorized"))
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication no
            """)
        // Where it locks its unprivileged part in; gone with the machine's next start.
        try box.must(["mkdir", "-p", "/run/sshd"])
        daemon = try box.start(
            ["nsenter", "--net=/run/netns/\(hosts[1].name)", "--", "/usr/sbin/sshd", "-D", "-e", "-f", configuration],
            name: "sshd")
        let listens = Clock.waitUntil { (Files.read(box.file("sshd.err")) ?? "").contains("listening") }
        guard listens else { throw Failure(saying: Files.read(box.file("sshd.err")) ?? "no sshd") }
    }

    /// Words that only the ssh of this test has.
    var key: String { box.file("user") }

    private var ssh: String {
        "ssh -q -F none -i \(box.file("user")) -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes"
    }

    /// How sandbox is called on the second host.
    var remote: String { "SANDBOX_STATE=\(box.file("b")) \(box.binary)" }

    private func migration(_ words: [String], _ remote: String?) -> [String] {
        ["migrate"] + words + ["root@10.85.0.2", "--ssh", ssh, "--remote-command", remote ?? self.remote]
    }

    func migrate(_ words: [String] = ["server"], remote: String? = nil) throws -> Outcome {
        try hosts[0].sandbox(migration(words, remote), timeout: 60)
    }

    /// The same without waiting; what it prints is the box's output `migrate`.
    func startMigrating(_ words: [String], remote: String) throws -> Child {
        try hosts[0].start(migration(words, remote), name: "migrate")
    }

    /// How sandbox is called on the second host where a program of Python's has what goes to it first, its file system
    /// that of the test.
    func remote(behind program: String) throws -> String {
        let file = try box.write("between.py", program)
        return "sh -c 'python3 \(file) | \(remote) \"$@\"' sh"
    }

    func start(_ name: String, _ address: String, _ program: String) throws {
        let outcome = try hosts[0].sandbox(
            [
                "run", "-d", "-n", name, "--unshare", "net,pid,mount", "--set", "checkpoint.enabled=true", "--switch",
                "wide", "--address", "\(address)/24", "--", "python3", "-c", program,
            ])
        guard outcome.succeeded else { throw Failure(saying: "\(name): \(outcome)") }
    }

    /// A server that counts what it is asked while its memory is right, and a client that asks without end on one
    /// connection. When that ends the server waits for another.
    func startPair(megabytes: Int = 1) throws {
        try start(
            "server", Self.server,
            """
            import socket
            memory = [bytes([i % 251]) * 1048576 for i in range(\(megabytes))]
            s = socket.create_server(("0.0.0.0", 80))
            n = 0
            while True:
                c, _ = s.accept()
                try:
                    while c.recv(1):
                        n += 1
                        i = n % len(memory)
                        c.sendall(b"%d\\n" % (n if memory[i][n * 4096 % 1048576] == i % 251 else -1))
                except OSError:
                    pass
            """)
        try start(
            "client", "10.84.0.6",
            """
            import socket, time
            for _ in range(200):
                try:
                    s = socket.create_connection(("\(Self.server)", 80), 1)
                    break
                except OSError:
                    time.sleep(0.05)
            s.settimeout(30)
            f = s.makefile("rb")
            n = 0
            try:
                while True:
                    s.sendall(b"?")
                    n += 1
                    if int(f.readline()) != n: raise Exception("another server")
                    print("done", n, flush=True)
                    time.sleep(0.005)
            except Exception as error:
                print("broken", n, repr(error), flush=True)
            """)
    }

    var told: String { log("client") }

    /// What a sandbox on the first host has said.
    func log(_ name: String) -> String { Files.read(box.file("a/sandboxes/\(name)/log")) ?? "" }

    /// What the first host's switch has written down of an Ethernet address, where it is a port's for good.
    func entry(of address: String) throws -> String? {
        let table = try box.must([
            "nsenter", "--net=\(box.file("a/switches/wide/netns"))", "--", "bridge", "fdb", "show",
        ])
        return table.lines.first { $0.hasPrefix(address) && $0.contains("static") }
    }

    /// The Ethernet address of a sandbox on the first host.
    func address(of name: String) throws -> String {
        let words = try hosts[0].exec(name, ["ip", "-br", "link", "show", "eth0"]).out.split(separator: " ")
        guard words.count > 2 else { throw Failure(saying: "\(name) has no eth0: \(words)") }
        return String(words[2])
    }

    /// Asks the server from a sandbox of its own on the first host, and has all of its memory looked at.
    func askAnew(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let program = """
            import socket
            s = socket.create_connection(("\(Self.server)", 80), 10)
            f = s.makefile("rb")
            for _ in range(400):
                s.sendall(b"?")
                print(int(f.readline()) > 0)
            """
        let another = try hosts[0].inBox(
            ["--switch", "wide", "--address", "10.84.0.7/24"], ["python3", "-c", program])
        #expect(another.succeeded && !another.out.contains("False"), "\(another)", sourceLocation: sourceLocation)
    }

    /// How many answers the client has had.
    var done: Int { told.split(separator: "\n").last.flatMap { Int($0.dropFirst(5)) } ?? 0 }

    func expectProgress(_ place: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let before = done
        #expect(
            Clock.waitUntil(timeout: 30) { done > before + 20 || told.contains("broken") },
            "\(place): \(told.suffix(200))",
            sourceLocation: sourceLocation)
        #expect(!told.contains("broken"), "\(place): \(told.suffix(200))", sourceLocation: sourceLocation)
    }

    func sandboxes(_ host: Int) throws -> [String] {
        try hosts[host].sandbox(["ps", "-a", "-q"]).lines.filter { !$0.isEmpty }.sorted()
    }

    func events(_ host: Int) -> String { Files.read(box.file(host == 0 ? "a/events" : "b/events")) ?? "" }

    func snapshots(_ host: Int) throws -> String { try hosts[host].sandbox(["snapshot", "list", "--json"]).text }
}

/// Lets pipes be as large as CRIU wants them where root lacks CAP_SYS_RESOURCE, until the end of the last test that wants it.
private final class PipeLimit {
    private static let file = "/proc/sys/fs/pipe-max-size"
    /// How many want it, and what it was before; `nil` where it was large enough.
    private static let state = Mutex<(users: Int, before: String?)>((0, nil))

    init() {
        Self.state.withLock { state in
            state.users += 1
            if state.users > 1 { return }
            let now = (Files.read(Self.file) ?? "").split(separator: "\n").first.flatMap { Int($0) } ?? 1 << 22
            state.before = now < 1 << 22 ? "\(now)" : nil
            if state.before != nil { try? Files.write("4194304", to: Self.file) }
        }
    }

    deinit {
        Self.state.withLock { state in
            state.users -= 1
            if state.users == 0, let before = state.before { try? Files.write(before, to: Self.file) }
        }
    }
}
