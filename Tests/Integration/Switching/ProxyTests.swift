import Glibc
import Testing

extension Integration {
    /// Functions whose placement is proxy, on real traffic.
    @Suite("Functions that are proxies", .needsRoot, .needsProgram("nft"), .needsProgram("python3"))
    struct ProxyTests: ChainSuite {
        let scene: SwitchScene
        let server: RunningSandbox
        let own: [String: String]

        init() throws {
            scene = try SwitchScene()
            try scene.create("lab", ["--subnet", "10.96.0.0/24", "--subnet", "fd96::/64"])
            server = try scene.startServer(
                "server", ["--address", "10.96.0.7/24", "--address", "fd96::7/64"], ProxyScripts.server)
            let folder = "config/sandbox/profiles/functions"
            try scene.box.folder(folder, mode: 0o755)
            for (name, more) in [("relay", ""), ("other", "drain = \"20s\"\n")] {
                try Files.write(
                    """
                    [function]
                    placement = "proxy"
                    classifier = "tcp dport 80, udp dport 53"
                    \(more)
                    [process]
                    command = ["python3", "-c", '''\(ProxyScripts.relay)''', "\(name)"]
                    [lifecycle]
                    restart = "on-failure"
                    restart-delay = "1500ms"
                    """, to: scene.box.file("\(folder)/\(name).toml"), mode: 0o644)
            }
            own = ["XDG_CONFIG_HOME": scene.box.file("config")]
        }

        private func client(_ options: [String] = []) throws -> RunningSandbox {
            try scene.start("client", ["--address", "10.96.0.9/24", "--address", "fd96::9/64"] + options)
        }

        /// What a client hears: who relayed it, and whom the server took it for.
        private func hear(_ client: RunningSandbox, _ transport: String, _ address: String, _ port: Int) throws
            -> String
        {
            try client.exec([], ["python3", "-c", ProxyScripts.ask, transport, address, "\(port)"]).text
        }

        @Test(
            "only what it stands for passes a proxy's program, which has the client's address",
            arguments: [
                ("10.96.0.7", "10.96.0.9"), ("fd96::7", "fd96::9"),
            ]) func stands(server: String, own: String) throws
        {
            let client = try client()
            try must("insert", "client", "relay")
            #expect(try names() == ["client", "client.relay", "server"])
            #expect(try hear(client, "tcp", server, 80) == "relay \(server) \(own) high")
            #expect(try hear(client, "tcp", server, 81) == "\(own) low")
            #expect(try hear(client, "udp", server, 53) == "relay \(own)")
            #expect(try hear(client, "udp", server, 54) == "\(own)")
            #expect(try client.ping(server))
            let hop = try #require(try hops("client").first)
            #expect(hop["placement"].text == "proxy" && hop["state"].text == "running")
            #expect(hop["toSwitch"]["in"]["packets"].number ?? 0 >= 4 && hop["toSwitch"]["dropped"].number == 0)
            // Nobody else's way leads there, and the client is called as before.
            #expect(try hear(self.server, "tcp", server, 80) == "\(server) low")
            #expect(try self.server.ping(own))
            try must("remove", "client", "relay")
            #expect(try hear(client, "tcp", server, 80) == "\(own) low")
            #expect(try names() == ["client", "server"])
        }

        @Test("given at the start it stands before the command begins, and goes with it") func start() throws {
            let folder = scene.box.file("config/sandbox/profiles/functions")
            let outcome = try scene.box.sandbox(
                [
                    "run", "--unshare", "net", "--switch", "lab", "--address", "10.96.0.9/24", "--chain",
                    "\(folder)/relay.toml", "--chain", "counter", "--", "python3", "-c", ProxyScripts.ask, "tcp",
                    "10.96.0.7", "80",
                ])
            #expect(outcome.text == "relay 10.96.0.7 10.96.0.9 high", "\(outcome)")
            #expect(Clock.waitUntil { (try? names()) == ["server"] })
        }

        @Test("connections that are there go on, with what they began with, until they are over")
        func established() throws {
            let client = try client()
            let direct = try Talk(client, "direct")
            #expect(try direct.say("one") == "10.96.0.9 low one")
            try must("insert", "client", "other")
            #expect(try direct.say("two") == "10.96.0.9 low two", "it began before")
            let relayed = try Talk(client, "relayed")
            #expect(try relayed.say("three") == "other 10.96.0.7 10.96.0.9 high three")
            let removal = try scene.box.start(
                [scene.box.binary, "chain", "remove", "client", "other"], name: "removal")
            #expect(
                Clock.waitUntil { (try? hear(client, "tcp", "10.96.0.7", 80)) == "10.96.0.9 low" },
                "what begins goes past it")
            #expect(try hops("client").first?["state"].text == "draining")
            #expect(try relayed.say("four") == "10.96.0.9 high four", "it is drained")
            #expect(try direct.say("five") == "10.96.0.9 low five")
            relayed.end()
            #expect(removal.wait() == .exited(0))
            #expect(try direct.say("six") == "10.96.0.9 low six" && hops("client").isEmpty)
            direct.end()
        }

        @Test("a proxy is replaced with no gap: what begins meets the old or the new one") func replaced() throws {
            let client = try client(["--chain", "\(scene.box.file("config/sandbox/profiles/functions"))/relay.toml"])
            let asking = try client.start([], ["python3", "-c", ProxyScripts.askOften], name: "often")
            #expect(Clock.waitUntil { (Files.read(scene.box.file("often.out")) ?? "").contains("relay") })
            try must("replace", "client", "1", "other")
            #expect(Clock.waitUntil { (Files.read(scene.box.file("often.out")) ?? "").contains("other") })
            #expect(try hops("client").map { $0["name"].text } == ["other"])
            kill(RunningSandbox.command(of: asking), SIGKILL)
            _ = asking.wait()
            let heard = Set((Files.read(scene.box.file("often.out")) ?? "").split(separator: "\n").map(String.init))
            #expect(heard == ["relay", "other"], "\(heard)")
        }

        @Test("a program that dies lets traffic go past it, where that was asked for") func opens() throws {
            let file = scene.box.file("config/sandbox/profiles/functions/")
            try Files.write(
                (Files.read(file + "relay.toml") ?? "").replacing("[process]", with: "fail = \"open\"\n[process]"),
                to: file + "open.toml", mode: 0o644)
            let client = try client()
            try must("insert", "client", "open")
            #expect(try hear(client, "tcp", "10.96.0.7", 80) == "relay 10.96.0.7 10.96.0.9 high")
            kill(try RunningSandbox(joining: "client.open", of: scene.box).command, SIGKILL)
            #expect(Clock.waitUntil { (try? hear(client, "tcp", "10.96.0.7", 80)) == "10.96.0.9 low" })
            #expect(
                Clock.waitUntil { (try? hear(client, "tcp", "10.96.0.7", 80)) == "relay 10.96.0.7 10.96.0.9 high" })
        }

        @Test("a program that dies stops what it stands for, comes back and stands again") func dies() throws {
            let client = try client()
            try must("insert", "client", "relay")
            kill(try RunningSandbox(joining: "client.relay", of: scene.box).command, SIGKILL)
            #expect(Clock.waitUntil { (try? hear(client, "tcp", "10.96.0.7", 80)) == "TimeoutError" })
            #expect(try hear(client, "tcp", "10.96.0.7", 81) == "10.96.0.9 low")
            #expect(
                Clock.waitUntil { (try? hear(client, "tcp", "10.96.0.7", 80)) == "relay 10.96.0.7 10.96.0.9 high" })
        }

        @Test("a removal that is killed while it waits leaves a proxy that gc has take connections again")
        func killed() throws {
            let client = try client()
            try must("insert", "client", "other")
            for step in ["drain proxy", "drained proxy"] {
                let file = scene.box.file("steps")
                unlink(file)
                #expect(
                    try scene.box.sandbox(
                        ["chain", "remove", "client", "other"],
                        environment: own.merging(["SANDBOX_CRASH": file + ":main:0"]) { $1 }
                    ).succeeded)
                let steps = (Files.read(file) ?? "").split(separator: "\n").filter { $0.hasPrefix("main ") }
                let number = try #require(steps.firstIndex(of: "main \(step)")) + 1
                try must("insert", "client", "other")
                let outcome = try scene.box.sandbox(
                    ["chain", "remove", "client", "other"],
                    environment: own.merging(["SANDBOX_CRASH": "\(file).\(number):main:\(number)"]) { $1 })
                #expect(!outcome.succeeded)
                #expect(try hear(client, "tcp", "10.96.0.7", 80) == "10.96.0.9 low")
                #expect(try hops("client").first?["state"].text == "draining")
                #expect(try scene.box.sandbox(["gc"]).succeeded)
                #expect(try hear(client, "tcp", "10.96.0.7", 80) == "other 10.96.0.7 10.96.0.9 high", "after \(step)")
                #expect(try hops("client").first?["state"].text == "running")
            }
        }

        @Test("what cannot stand for an application is refused, and the chain stays as it was") func refused() throws {
            let client = try client()
            expectRefused(try chain("insert", "client", "relay@all"), naming: "shares an instance of a proxy")
            expectRefused(
                try chain("insert", "client", "load-balancer?servers=a"), naming: "is no part of a chain")
            let bare = try scene.start("bare", ["--address", "none"])
            expectRefused(try chain("insert", "bare", "relay"), naming: "\"eth0\" has none")
            #expect(try hops("client").isEmpty && hops("bare").isEmpty)
            #expect(try names() == ["bare", "client", "server"])
            #expect(try client.ping("10.96.0.7"))
            bare.remove()
        }
    }
}

/// A connection of a client's that lasts, a line each way.
final class Talk {
    private let client: RunningSandbox
    private let name: String
    private let child: Child
    private var said = 0
    private var isOver = false

    init(_ client: RunningSandbox, _ name: String, to server: String = "10.96.0.7") throws {
        (self.client, self.name) = (client, name)
        let folder = client.box.file(name)
        try client.box.folder(name, mode: 0o755)
        child = try client.start([], ["python3", "-c", ProxyScripts.talk, server, "80", folder], name: name)
        guard Clock.waitUntil({ Files.exists(folder + "/ready") }) else {
            throw Failure(saying: Files.read(client.box.file(name + ".err")) ?? "no connection")
        }
    }

    deinit { end() }

    func say(_ word: String) throws -> String {
        said += 1
        let folder = client.box.file(name)
        try Files.write(word + "\n", to: "\(folder)/.new", mode: 0o600)
        rename("\(folder)/.new", "\(folder)/say\(said)")
        let answer = "\(folder)/answer\(said)"
        guard Clock.waitUntil({ Files.exists(answer) }) else { return "nothing" }
        return (Files.read(answer) ?? "").trimmingEnd
    }

    func end() {
        if isOver { return }
        isOver = true
        kill(RunningSandbox.command(of: child), SIGKILL)
        _ = child.wait()
    }
}

extension String {
    fileprivate var trimmingEnd: String { hasSuffix("\n") ? String(dropLast()) : self }
}

enum ProxyScripts {
    /// Answers each line with the caller's address and where among ports its own is, on TCP 80 and 81; on UDP 53 and 54
    /// with the address.
    static let server = """
        import selectors, socket, threading
        def plain(a): return a[7:] if a.startswith("::ffff:") else a
        def make(kind, port):
            s = socket.socket(socket.AF_INET6, kind); s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("::", port))
            if kind == socket.SOCK_STREAM: s.listen()
            return s
        def serve(c, who):
            try:
                for line in c.makefile():
                    c.sendall((plain(who[0]) + (" high " if who[1] >= 61000 else " low ") + line).encode())
            except OSError: pass
            c.close()
        tcp = [make(socket.SOCK_STREAM, p) for p in (80, 81)]
        udp = [make(socket.SOCK_DGRAM, p) for p in (53, 54)]
        look = selectors.DefaultSelector()
        for s in tcp + udp: look.register(s, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _ in look.select():
                s = key.fileobj
                if s in tcp: threading.Thread(target=serve, args=s.accept(), daemon=True).start()
                else:
                    _, who = s.recvfrom(99); s.sendto(plain(who[0]).encode(), who)
        """

    /// Says its name and whom it was called as, and passes all on to there; of datagrams it knows no more than that they
    /// came, and asks the server of the test.
    static let relay = """
        import socket, sys, threading
        name = sys.argv[1]
        def make(kind, port):
            s = socket.socket(socket.AF_INET6, kind); s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("::", port))
            return s
        def plain(a): return a[7:] if a.startswith("::ffff:") else a
        def pump(a, b):
            try:
                while True:
                    d = a.recv(65536)
                    if not d: break
                    b.sendall(d)
            except OSError: pass
            for s in (a, b):
                try: s.shutdown(socket.SHUT_RDWR)
                except OSError: pass
        def serve(c):
            to = c.getsockname()
            c.sendall((name + " " + plain(to[0]) + " ").encode())
            s = socket.create_connection((plain(to[0]), to[1]), 5); s.settimeout(None)
            threading.Thread(target=pump, args=(s, c), daemon=True).start()
            pump(c, s)
        def datagrams(u):
            while True:
                d, who = u.recvfrom(999)
                six = not who[0].startswith("::ffff:")
                s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
                s.sendto(d, ("fd96::7" if six else "10.96.0.7", 53))
                try: u.sendto(name.encode() + b" " + s.recv(999), who)
                except OSError: pass
        t = make(socket.SOCK_STREAM, 80); t.listen()
        threading.Thread(target=datagrams, args=(make(socket.SOCK_DGRAM, 53),), daemon=True).start()
        while True: threading.Thread(target=serve, args=(t.accept()[0],), daemon=True).start()
        """

    /// One line there and back, without the line itself.
    static let ask = """
        import socket, sys
        kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
        try:
            if kind == "udp":
                s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(2); s.connect((host, port)); s.send(b"x"); print(s.recv(99).decode())
            else:
                s = socket.create_connection((host, port), 2); s.settimeout(3)
                s.sendall(b"x\\n"); print(s.makefile().readline()[:-3])
        except OSError as e: print(type(e).__name__)
        """

    /// The first word of each answer, one connection after the other.
    static let askOften = """
        import socket
        while True:
            s = socket.create_connection(("10.96.0.7", 80), 5); s.sendall(b"x\\n")
            print(s.makefile().readline().split(" ")[0], flush=True); s.close()
        """

    /// One connection: each file `say1`, `say2`… is a line there, each `answerN` one back.
    static let talk = """
        import os, socket, sys, time
        s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5); f = s.makefile(); n = 0
        open(sys.argv[3] + "/ready", "w").close()
        while True:
            n += 1
            while not os.path.exists(f"{sys.argv[3]}/say{n}"): time.sleep(0.01)
            s.sendall(open(f"{sys.argv[3]}/say{n}").read().encode())
            line = f.readline()
            with open(sys.argv[3] + "/.answer", "w") as out: out.write(line or "closed")
            os.rename(sys.argv[3] + "/.answer", f"{sys.argv[3]}/answer{n}")
        """
}
