import Glibc
import Testing

/// What is saved in these tests, and how it is asked.
enum WarmServer {
    static let options = ["--unshare", "mount,net,pid,ipc,uts", "--set", "process.init=false"]

    /// Words: its own address. Listens on that, port 81, and on all addresses, port 80; has 20 MB of state. Tells its
    /// process id, how often it was asked, a sum of the state, and the address that it was asked at. A connection that is
    /// silent is kept, and its end is printed.
    static let script = """
        import os, select, socket, sys, zlib
        state = bytearray(os.urandom(1 << 20) * 20)
        def listen(address, port):
            s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port)); s.listen(); return s
        doors = [listen("0.0.0.0", 80), listen(sys.argv[1], 81)]
        kept, count, number = [], 0, {}
        print("ready", flush=True)
        while True:
            for s in select.select(doors + kept, [], [])[0]:
                if s in doors:
                    kept.append(s.accept()[0]); number[kept[-1]] = len(number) + 1; continue
                try: word = s.recv(9)
                except OSError as e: word = b""
                if not word:
                    print(f"closed {number[s]}.", flush=True); kept.remove(s); s.close(); continue
                count += 1
                s.sendall(f"{os.getpid()} {count} {zlib.crc32(state)} {s.getsockname()[0]}".encode())
        """

    /// Words: an address, a port. Asks once.
    static let ask = """
        import socket, sys
        s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5); s.sendall(b"?")
        print(s.recv(99).decode())
        """

    /// Words: an address, a port. Asks once, and again each time that its file appears.
    static let hold = """
        import os, socket, sys, time
        s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5); s.settimeout(5)
        while True:
            s.sendall(b"?"); print(s.recv(99).decode(), flush=True)
            while not os.path.exists(sys.argv[3]): time.sleep(0.02)
            os.unlink(sys.argv[3])
        """
}

@Suite("Clones of a snapshot", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct CloneTests {
    private func startServer(
        _ scene: SwitchScene, _ name: String = "web", _ options: [String] = [], at address: String = "10.91.0.5"
    ) throws -> RunningSandbox {
        let server = try scene.start(
            name, ["--address", "\(address)/24"] + WarmServer.options + options,
            ["python3", "-c", WarmServer.script, address])
        guard Clock.waitUntil({ server.log.contains("ready") }) else { throw Failure(saying: server.log) }
        return server
    }

    private func ask(_ client: RunningSandbox, _ address: String, _ port: Int = 80) throws -> [String] {
        let outcome = try client.exec([], ["python3", "-c", WarmServer.ask, address, "\(port)"])
        guard outcome.succeeded else { throw Failure(saying: "\(outcome)") }
        return outcome.text.split(separator: " ").map(String.init)
    }

    private func clones(_ outcome: Outcome) -> [(name: String, address: String)] {
        outcome.lines.filter { !$0.isEmpty }.map { line in
            let words = line.split(separator: " ").map(String.init)
            return (words[0], words.count > 1 ? words[1] : "")
        }
    }

    @Test("three clones answer on their own addresses with the state, and the first goes on beside them")
    func three() throws {
        let scene = try SwitchScene()
        try scene.create()
        let web = try startServer(scene)
        let client = try scene.start("client", ["--unshare", "mount"])
        let again = scene.box.file("again")
        let holder = try client.start([], ["python3", "-c", WarmServer.hold, "10.91.0.5", "80", again], name: "holder")
        #expect(scene.box.waitForOutput("10.91.0.5", name: "holder"))
        let before = try ask(client, "10.91.0.5")

        let saved = try scene.box.sandbox(["checkpoint", "web", "--snapshot", "warm", "--leave-running"])
        #expect(saved.succeeded, "\(saved)")
        let made = try scene.box.sandbox(["restore", "warm", "--count", "3"], timeout: 60)
        #expect(made.succeeded, "\(made)")
        let clones = clones(made)
        #expect(clones.map(\.name) == ["web-1", "web-2", "web-3"])
        #expect(Set(clones.map(\.address) + ["10.91.0.5"]).count == 4)
        for clone in clones {
            for port in [80, 81] {
                let answer = try ask(client, clone.address, port)
                #expect(answer.count == 4 && answer[0] == "1" && answer[2] == before[2] && answer[3] == clone.address)
            }
            let log = Files.read(scene.box.file("state/sandboxes/\(clone.name)/log")) ?? ""
            #expect(log.contains("closed 1."), "the connection of before was not closed: \(log)")
            #expect(Files.list(scene.box.file("state/sandboxes/\(clone.name)")).allSatisfy { !$0.contains("images") })
        }
        // Hardware addresses too are each one's own.
        let macs = try scene.show()["ports"].items.map { $0["mac"].text }
        #expect(macs.count == 5 && Set(macs).count == 5)
        // The first one's connection has not been touched.
        try Files.write("", to: again)
        #expect(Clock.waitUntil { scene.box.output("holder").split(separator: "\n").count >= 2 })
        #expect(!web.log.contains("closed 1."))
        holder.end()
        for name in ["web-1", "web-2", "web-3", "web", "client"] {
            #expect(try scene.box.sandbox(["rm", "-f", name]).succeeded)
        }
        #expect(try scene.box.sandbox(["snapshot", "verify", "warm"]).succeeded)
    }

    @Test("one that cannot be made leaves none")
    func allOrNothing() throws {
        let scene = try SwitchScene()
        try scene.create()
        let web = try startServer(scene)
        let saved = try scene.box.sandbox(["checkpoint", "web", "--snapshot", "warm", "--leave-running"])
        #expect(saved.succeeded, "\(saved)")
        // The second to be started fails.
        let criu = getenv("SANDBOX_CRIU").map { String(cString: $0) } ?? "/usr/local/lib/sandbox/criu/criu"
        let wrapper = try scene.box.write(
            "criu", "#!/bin/sh\nif mkdir \"$0.once\" 2>/dev/null; then exec \(criu) \"$@\"; fi\nexit 1\n", mode: 0o755)
        let made = try scene.box.sandbox(
            ["restore", "warm", "--count", "3", "-n", "copy"], environment: ["SANDBOX_CRIU": wrapper], timeout: 60)
        #expect(made.status == 125 && made.err.contains("copy-"), "\(made)")
        #expect(Files.list(scene.box.file("state/sandboxes")).filter { $0.contains("copy") }.isEmpty)
        #expect(Clock.waitUntil { (try? scene.ports()) == 1 })
        web.remove()
    }

    @Test("what clones cannot have is said before anything is made")
    func refused() throws {
        let scene = try SwitchScene()
        // What is published leads to the host.
        try scene.create("lab", ["--subnet", "10.87.0.0/24"])
        let web = try startServer(scene, "web", ["--set", "network.publish=['127.0.0.1:18080:80']"], at: "10.87.0.5")
        let other = try scene.start("free-2")
        let saved = try scene.box.sandbox(["checkpoint", "web", "--snapshot", "warm", "--leave-running"])
        #expect(saved.succeeded, "\(saved)")
        for (words, part) in [
            (["--count", "2"], "network.publish"), (["--count", "0"], "1 to 1000"),
            (["--count", "2", "--address", "auto"], "--address"), (["-d"], "running already"),
            (["-d", "-n", "other"], "is taken by the sandbox \"web\""),
            (["-d", "-n", "x", "--address", "10.1.1.1/24"], "10.87.0.0/24"),
            (["-d", "-n", "x", "--address", "nonsense"], "nonsense"),
        ] {
            let made = try scene.box.sandbox(["restore", "warm"] + words)
            #expect(made.status == 125 && made.err.contains(part), "\(words): \(made)")
        }
        web.remove()
        let plain = try startServer(scene, "plain", at: "10.87.0.5")
        #expect(try scene.box.sandbox(["checkpoint", "plain", "--snapshot", "free", "--leave-running"]).succeeded)
        let taken = try scene.box.sandbox(["restore", "free", "--count", "3", "-n", "free"])
        #expect(taken.status == 125 && taken.err.contains("\"free-2\" is running already"), "\(taken)")
        #expect(Files.list(scene.box.file("state/sandboxes")).sorted() == ["free-2", "plain"])
        for sandbox in [plain, other] { sandbox.remove() }
    }

    @Test("restored at another address, and on another switch, its listening sockets are there")
    func elsewhere() throws {
        let scene = try SwitchScene()
        try scene.create()
        try scene.create("other", ["--subnet", "10.92.0.0/24"])
        let web = try startServer(scene)
        let client = try scene.start("client", ["--unshare", "mount"])
        let far = try scene.start("far", on: "other", ["--unshare", "mount"])
        let saved = try scene.box.sandbox(["checkpoint", "web", "--snapshot", "warm"])
        #expect(saved.succeeded, "\(saved)")
        let moved = try scene.box.sandbox(["restore", "warm", "-d", "--address", "10.91.0.50/24"])
        #expect(moved.succeeded, "\(moved)")
        for port in [80, 81] { #expect(try ask(client, "10.91.0.50", port).last == "10.91.0.50") }
        #expect(try scene.box.sandbox(["rm", "-f", "web"]).succeeded)
        // It has no address there unless it is given one.
        let lost = try scene.box.sandbox(["restore", "warm", "-d", "--switch", "other"])
        #expect(lost.status == 125 && lost.err.contains("10.92.0.0/24"), "\(lost)")
        let there = try scene.box.sandbox(["restore", "warm", "-d", "--switch", "other", "--address", "auto"])
        #expect(there.succeeded, "\(there)")
        let address = try scene.port(of: "web", on: "other")["addresses"][0].text ?? ""
        let plain = address.split(separator: "/").first.map(String.init) ?? ""
        for port in [80, 81] { #expect(try ask(far, plain, port).last == plain) }
        for sandbox in [web, client, far] { sandbox.remove() }
    }

    @Test("clones of nginx serve from their own addresses")
    func nginx() throws {
        let scene = try SwitchScene()
        try scene.create()
        let folder = try scene.box.folder("nginx")
        // Workers of another user cannot be saved where root lacks CAP_SYS_RESOURCE.
        let configuration = try scene.box.write(
            "nginx/nginx.conf",
            """
            daemon off; user root; worker_processes 2; pid \(folder)/pid; error_log \(folder)/error.log;
            events { worker_connections 64; }
            http { access_log off; client_body_temp_path \(folder)/b; proxy_temp_path \(folder)/p;
              fastcgi_temp_path \(folder)/f; uwsgi_temp_path \(folder)/u; scgi_temp_path \(folder)/s;
              server { listen 80; location / { return 200 "from $server_addr\\n"; } } }
            """)
        let nginx = try scene.start("nginx", WarmServer.options, ["nginx", "-c", configuration])
        let client = try scene.start("client", ["--unshare", "mount"])
        let address = (try scene.port(of: "nginx")["addresses"][0].text ?? "").split(separator: "/").first.map(
            String.init)
        func get(_ address: String) throws -> String {
            try client.exec([], ["curl", "-s", "--max-time", "5", "http://\(address)/"]).text
        }
        let first = try #require(address)
        #expect(Clock.waitUntil { (try? get(first)) == "from \(first)" })
        let saved = try scene.box.sandbox(["checkpoint", "nginx", "--snapshot", "warm", "--leave-running"])
        #expect(saved.succeeded, "\(saved)")
        let made = try scene.box.sandbox(["restore", "warm", "--count", "4"], timeout: 60)
        #expect(made.succeeded, "\(made)")
        for clone in clones(made) { #expect(try get(clone.address) == "from \(clone.address)") }
        #expect(try get(first) == "from \(first)")
        #expect(try scene.box.sandbox(["rm", "-f", "nginx-1", "nginx-2", "nginx-3", "nginx-4"]).succeeded)
        for sandbox in [nginx, client] { sandbox.remove() }
    }

    @Test("the functions before a sandbox come back with it, and each clone has its own")
    func functions() throws {
        let scene = try SwitchScene()
        try scene.create()
        let web = try startServer(scene, "web", ["--chain", "bridge", "--chain", "counter"])
        let client = try scene.start("client", ["--unshare", "mount"])
        #expect(try ask(client, "10.91.0.5").last == "10.91.0.5")
        #expect(try scene.box.sandbox(["checkpoint", "web", "--snapshot", "warm"]).succeeded)
        let restored = try scene.box.sandbox(["restore", "warm", "-d"])
        #expect(restored.succeeded, "\(restored)")
        #expect(try ask(client, "10.91.0.5").last == "10.91.0.5")
        let made = try scene.box.sandbox(["restore", "warm", "--count", "2"], timeout: 60)
        #expect(made.succeeded, "\(made)")
        for clone in clones(made) { #expect(try ask(client, clone.address).last == clone.address) }
        let boxes = Files.list(scene.box.file("state/sandboxes")).filter { $0.hasSuffix(".bridge") }
        #expect(boxes.sorted() == ["web-1.bridge", "web-2.bridge", "web.bridge"])
        #expect(try scene.box.sandbox(["rm", "-f", "web-1", "web-2", "web", "client"]).succeeded)
        for sandbox in [web, client] { sandbox.end() }
    }

    /// Writes its name and number to a file of the test's, and what it may do.
    private func hook(_ script: String) -> [String] {
        ["--set", "checkpoint.on-clone=['/bin/sh', '-c', '\(script)']"]
    }

    @Test("the command of on-clone runs in each clone, as confined as the clone is")
    func onClone() throws {
        let scene = try SwitchScene()
        try scene.create()
        let folder = scene.box.path
        let script =
            "cat /proc/self/status /proc/self/cgroup > \(folder)/$SANDBOX_NAME.$SANDBOX_CLONE; cat /proc/1/status > \(folder)/one.$SANDBOX_CLONE"
        let web = try startServer(
            scene, "web",
            hook(script) + [
                "--set", "security.capabilities.keep=['NET_BIND_SERVICE', 'DAC_OVERRIDE']", "--set",
                "resources.pids=50",
            ])
        let saved = try scene.box.sandbox(["checkpoint", "web", "--snapshot", "warm", "--leave-running"])
        #expect(saved.succeeded, "\(saved)")
        let made = try scene.box.sandbox(["restore", "warm", "--count", "2"], timeout: 60)
        #expect(made.succeeded, "\(made)")
        for number in 1...2 {
            let own = Files.read(scene.box.file("web-\(number).\(number)")) ?? ""
            let first = Files.read(scene.box.file("one.\(number)")) ?? ""
            #expect(!own.isEmpty && first.contains("python3"))
            func line(_ text: String, _ key: String) -> Substring? {
                text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
            }
            for key in ["CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Uid"] {
                #expect(line(own, key) == line(first, key), "\(key)")
            }
        }
        for name in ["web-1", "web-2"] { #expect(try scene.box.sandbox(["rm", "-f", name]).succeeded) }
        web.remove()
    }

    @Test("where on-clone fails in one, no clone stays")
    func onCloneFails() throws {
        let scene = try SwitchScene()
        try scene.create()
        let web = try startServer(scene, "web", hook("echo sorry >&2; test $SANDBOX_CLONE != 2"))
        #expect(try scene.box.sandbox(["checkpoint", "web", "--snapshot", "warm", "--leave-running"]).succeeded)
        let made = try scene.box.sandbox(["restore", "warm", "--count", "3"], timeout: 60)
        #expect(
            made.status == 125 && made.err.contains("sorry") && made.err.contains("web-2: /bin/sh has failed"),
            "\(made)")
        #expect(Files.list(scene.box.file("state/sandboxes")) == ["web"])
        #expect(Clock.waitUntil { (try? scene.ports()) == 1 })
        web.remove()
    }

    @Test("interrupted or killed in the middle, it leaves no clone", arguments: [SIGINT, SIGTERM, SIGKILL])
    func interrupted(_ signal: Int32) throws {
        let scene = try SwitchScene()
        try scene.create()
        let folder = scene.box.path
        let script =
            "touch \(folder)/begun.$SANDBOX_CLONE; if test $SANDBOX_CLONE = 2; then while ! test -e \(folder)/go; do sleep 0.05; done; fi"
        let web = try startServer(scene, "web", hook(script))
        #expect(try scene.box.sandbox(["checkpoint", "web", "--snapshot", "warm", "--leave-running"]).succeeded)
        let made = try scene.box.start([scene.box.binary, "restore", "warm", "--count", "2"], name: "made")
        #expect(Clock.waitUntil { Files.exists(scene.box.file("begun.1")) && Files.exists(scene.box.file("begun.2")) })
        #expect(Files.list(scene.box.file("state/sandboxes")).sorted() == ["web", "web-1", "web-2"])
        made.signal(signal)
        try Files.write("", to: scene.box.file("go"))
        let ended = made.wait()
        #expect(ended != .exited(0))
        #expect(Clock.waitUntil { Files.list(scene.box.file("state/sandboxes")) == ["web"] })
        // A network namespace goes a moment after its last process.
        #expect(Clock.waitUntil { (try? scene.ports()) == 1 })
        web.remove()
    }

    /// Words: an IPv4 and an IPv6 address of its own. Answers on both, by TCP and UDP, with the address it was asked at.
    private static let both = """
        import select, socket, sys
        socks = []
        for address in sys.argv[1:3]:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                s = socket.socket(family, kind); s.bind((address, 80)); socks.append(s)
                if kind == socket.SOCK_STREAM: s.listen()
        print("ready", flush=True)
        while True:
            for s in select.select(socks, [], [])[0]:
                if s.type == socket.SOCK_STREAM:
                    c, _ = s.accept(); c.sendall(c.getsockname()[0].encode()); c.close()
                else:
                    _, who = s.recvfrom(99); s.sendto(s.getsockname()[0].encode(), who)
        """

    @Test("sockets bound to old addresses of both families follow, of UDP too")
    func families() throws {
        let scene = try SwitchScene()
        try scene.create("lab", ["--subnet", "10.91.0.0/24", "--subnet", "fd00:91::/64"])
        let web = try scene.start(
            "web", ["--address", "10.91.0.5/24,fd00:91::5/64"] + WarmServer.options,
            ["python3", "-c", Self.both, "10.91.0.5", "fd00:91::5"])
        #expect(Clock.waitUntil { web.log.contains("ready") }, "\(web.log)")
        let client = try scene.start("client", ["--unshare", "mount"])
        #expect(try scene.box.sandbox(["checkpoint", "web", "--snapshot", "warm", "--leave-running"]).succeeded)
        let made = try scene.box.sandbox(["restore", "warm", "--count", "2"], timeout: 60)
        #expect(made.succeeded, "\(made)")
        for line in made.lines where !line.isEmpty {
            let words = line.split(separator: " ").map(String.init)
            #expect(words.count == 3 && words[2].contains(":"), "\(line)")
            for address in words.dropFirst() {
                for kind in ["tcp", "udp"] {
                    let answer = try client.exec(
                        [],
                        [
                            "python3", "-c", PortScripts.client.replacing("recv(9)", with: "recv(99)"), kind, address,
                            "80", "5",
                        ])
                    #expect(answer.text == address, "\(kind) \(address): \(answer)")
                }
            }
        }
        // Without an address of that family it cannot come back.
        try scene.create("narrow", ["--subnet", "10.93.0.0/24"])
        let lost = try scene.box.sandbox(
            ["restore", "warm", "-d", "-n", "narrow", "--switch", "narrow", "--address", "auto"])
        #expect(lost.status == 125 && lost.err.contains("fd00:91::5, port 80"), "\(lost)")
        #expect(!Files.exists(scene.box.file("state/sandboxes/narrow")))
        #expect(try scene.box.sandbox(["rm", "-f", "web-1", "web-2"]).succeeded)
        for sandbox in [web, client] { sandbox.remove() }
    }
}
