import Glibc
import Testing

/// Two hosts, each a network namespace with a state directory of its own, joined by a cable; the second one has a real
/// sshd(8). A switch spans both.
private final class TwoHosts {
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

    func migrate(_ words: [String] = ["server"], remote: String? = nil) throws -> Outcome {
        try hosts[0].sandbox(
            ["migrate"] + words + ["root@10.85.0.2", "--ssh", ssh, "--remote-command", remote ?? self.remote],
            timeout: 60)
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

    var told: String { Files.read(box.file("a/sandboxes/client/log")) ?? "" }

    func expectProgress(_ place: String, sourceLocation: SourceLocation = #_sourceLocation) {
        func done() -> Int { told.split(separator: "\n").last.flatMap { Int($0.dropFirst(5)) } ?? 0 }
        let before = done()
        #expect(
            Clock.waitUntil(timeout: 30) { done() > before + 20 || told.contains("broken") },
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

@Suite(
    "A sandbox moves to another host", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"),
    .needsProgram("sshd"))
struct MigrationTests {
    @Test(
        "it goes on there, its client's connection too; nothing of it is left here",
        arguments: [(["server"], 1), (["server", "--lazy"], 40)])
    func moves(_ words: [String], _ megabytes: Int) throws {
        let pair = try TwoHosts()
        try pair.startPair(megabytes: megabytes)
        pair.expectProgress("before")
        let outcome = try pair.migrate(words)
        #expect(outcome.succeeded && outcome.out.contains("stood still for"), "\(outcome)")
        pair.expectProgress("after")
        #expect(try pair.sandboxes(0) == ["client"])
        #expect(try pair.sandboxes(1) == ["server"])
        #expect(try pair.snapshots(0) == "[]" && pair.snapshots(1) == "[]")
        // It can come back, under another name.
        let entered = try pair.hosts[1].exec("server", ["ip", "-br", "-4", "address", "show", "eth0"])
        #expect(entered.out.contains("\(TwoHosts.server)/24"), "\(entered)")
    }

    @Test(
        "what the other host cannot take goes on here",
        arguments: ["no sandbox there", "its name is taken", "no such switch", "the connection breaks"],
        [[], ["--lazy"]])
    func stays(_ way: String, _ options: [String]) throws {
        let pair = try TwoHosts()
        try pair.startPair()
        pair.expectProgress("before")
        let outcome: Outcome
        switch way {
        case "no sandbox there": outcome = try pair.migrate(["server"] + options, remote: "/nowhere/sandbox")
        case "its name is taken":
            try pair.hosts[1].sleeper("server", [])
            outcome = try pair.migrate(["server"] + options)
            try pair.hosts[1].must("rm", "-f", "server")
        case "no such switch": outcome = try pair.migrate(["server", "--switch", "nowhere"] + options)
        default:
            // So much of the snapshot gets there, and no more.
            let count = options.isEmpty ? 300_000 : 20_000
            let cut = "sh -c 'head -c \(count) | \(pair.remote) \"$@\"' sh"
            outcome = try pair.migrate(["server"] + options, remote: cut)
        }
        #expect(outcome.status == 125 && !outcome.err.isEmpty, "\(outcome)")
        pair.expectProgress("after")
        #expect(try pair.sandboxes(0) == ["client", "server"])
        #expect(try pair.sandboxes(1) == [])
        #expect(try pair.snapshots(0) == "[]" && pair.snapshots(1) == "[]")
    }

    @Test("where it cannot begin there without its memory it goes on here, its client's connection too")
    func refuses() throws {
        let pair = try TwoHosts()
        try pair.startPair()
        pair.expectProgress("before")
        let wrapper = try pair.box.write(
            "criu",
            """
            #!/bin/sh
            [ "$1" = lazy-pages ] && exit 1
            exec \(getenv("SANDBOX_CRIU").map { String(cString: $0) } ?? "/usr/local/lib/sandbox/criu/criu") "$@"
            """, mode: 0o755)
        let outcome = try pair.migrate(["server", "--lazy"], remote: "SANDBOX_CRIU=\(wrapper) \(pair.remote)")
        #expect(outcome.status == 125 && outcome.err.contains("memory cannot be brought in"), "\(outcome)")
        pair.expectProgress("after")
        #expect(try pair.sandboxes(0) == ["client", "server"])
        #expect(Clock.waitUntil { (try? pair.sandboxes(1)) == [] })
        #expect(try pair.snapshots(0) == "[]" && pair.snapshots(1) == "[]")
    }

    @Test("when the connection breaks before all memory is there it ends there, and goes on here as it was")
    func breaks() throws {
        let pair = try TwoHosts()
        try pair.startPair(megabytes: 200)
        pair.expectProgress("before")
        let box = pair.box
        let cut = try box.write(
            "cut",
            """
            #!/bin/sh
            until [ -e \(box.file("b/sandboxes/server/memory")) ]; do sleep 0.01; done
            until grep -q '"started","name":"server"' \(box.file("b/events")); do sleep 0.01; done
            for process in $(pgrep -f "^ssh .*\(pair.key)"); do kill -9 "$process"; done
            """, mode: 0o755)
        let cutter = try box.start(["timeout", "60", cut], name: "cut")
        let outcome = try pair.migrate(["server", "--lazy"])
        #expect(cutter.wait(timeout: 60) == .exited(0))
        #expect(outcome.status == 125 && outcome.err.contains("goes on here"), "\(outcome)")
        // What it had in common with its client is out of date.
        #expect(Clock.waitUntil(timeout: 40) { pair.told.contains("broken") }, "\(pair.told.suffix(200))")
        #expect(try pair.sandboxes(0) == ["client", "server"])
        #expect(Clock.waitUntil { (try? pair.sandboxes(1)) == [] })
        #expect(try pair.snapshots(0) == "[]" && pair.snapshots(1) == "[]")
        // Another client is served, and all memory is right.
        let program = """
            import socket
            s = socket.create_connection(("\(TwoHosts.server)", 80), 10)
            f = s.makefile("rb")
            for _ in range(400):
                s.sendall(b"?")
                print(int(f.readline()) > 0)
            """
        let another = try pair.hosts[0].inBox(
            ["--switch", "wide", "--address", "10.84.0.7/24"], ["python3", "-c", program])
        #expect(another.succeeded && !another.out.contains("False"), "\(another)")
        #expect(pair.events(0).contains("migration-failed"))
    }

    @Test("a host that is an option is refused") func host() throws {
        let box = try Box()
        let outcome = try box.sandbox(["migrate", "server", "--", "-oProxyCommand=touch x"])
        #expect(outcome.status == 125 && outcome.err.contains("is no host"), "\(outcome)")
    }
}

/// Lets pipes be as large as CRIU wants them where root lacks CAP_SYS_RESOURCE, until the test's end.
private final class PipeLimit {
    private static let file = "/proc/sys/fs/pipe-max-size"
    private let before: String?

    init() {
        let now = (Files.read(Self.file) ?? "").split(separator: "\n").first.flatMap { Int($0) } ?? 1 << 22
        before = now < 1 << 22 ? "\(now)" : nil
        if before != nil { try? Files.write("4194304", to: Self.file) }
    }

    deinit { if let before { try? Files.write(before, to: Self.file) } }
}
