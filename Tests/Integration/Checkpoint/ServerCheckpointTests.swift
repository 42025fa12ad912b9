import Glibc
import Testing

/// Real servers on a switch, with a client in another sandbox whose connection must not notice more than a pause.
@Suite("Servers saved and restored", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct ServerCheckpointTests {
    private static let server = "10.83.0.5"

    /// A client in Python, in a sandbox of its own; `work` is what it does again and again with its connection `s`.
    private func startClient(_ lan: ServerScene, port: Int, prepare: String = "", work: String, finish: String) throws {
        let indent = { (text: String) in
            text.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
        }
        let program = """
            import os, socket, sys, time, hashlib
            def say(*words): print(*words, flush=True)
            for _ in range(200):
                try:
                    s = socket.create_connection(("\(Self.server)", \(port)), 1)
                    break
                except OSError:
                    time.sleep(0.05)
            s.settimeout(60)
            f = s.makefile("rb")
            \(prepare.split(separator: "\n").joined(separator: "\n"))
            n = 0
            try:
                while not os.path.exists("\(lan.box.file("stop"))"):
            \(indent(indent(work)))
                    n += 1
                    say("done", n)
                    time.sleep(0.005)
            \(indent(finish))
            except Exception as error:
                say("broken", n, repr(error))
            say("end")
            """
        try lan.start("client", "10.83.0.6", ["python3", "-c", program])
    }

    private func client(_ lan: ServerScene) -> String { Files.read(lan.box.file("state/sandboxes/client/log")) ?? "" }

    /// How many requests the client has had answered.
    private func done(_ lan: ServerScene) -> Int {
        client(lan).split(separator: "\n").last { $0.hasPrefix("done ") }.flatMap { Int($0.dropFirst(5)) } ?? 0
    }

    private func expectProgress(_ lan: ServerScene, _ place: String) {
        let before = done(lan)
        #expect(
            Clock.waitUntil(timeout: 30) { done(lan) > before + 10 || client(lan).contains("broken") },
            "\(place): \(client(lan).suffix(200))")
        #expect(!client(lan).contains("broken"), "\(place): \(client(lan).suffix(200))")
    }

    /// Saves, removes and restores the sandbox `server`, again and again, while the client works.
    private func cycle(_ lan: ServerScene, _ count: Int, _ check: (Int) throws -> Void = { _ in }) throws {
        for cycle in 1...count {
            let saved = try lan.box.sandbox(["checkpoint", "server", "--snapshot", "s\(cycle)"])
            #expect(saved.succeeded, "cycle \(cycle): \(saved)")
            #expect(try lan.box.sandbox(["rm", "server"]).succeeded)
            #expect(!client(lan).contains("broken"))
            let restored = try lan.box.sandbox(["restore", "s\(cycle)", "-d"])
            #expect(restored.succeeded, "cycle \(cycle): \(restored)")
            expectProgress(lan, "cycle \(cycle)")
            try check(cycle)
            if !saved.succeeded || !restored.succeeded { return }
        }
    }

    private func stop(_ lan: ServerScene) throws -> String {
        try lan.box.write("stop", "")
        #expect(Clock.waitUntil(timeout: 30) { client(lan).contains("end\n") }, "\(client(lan).suffix(200))")
        return client(lan)
    }

    @Test(
        "redis: data and the same connection are there after 5 saves; no acknowledged write is lost",
        .needsProgram("redis-server"))
    func redis() throws {
        let lan = try ServerScene()
        try lan.start(
            "server", Self.server,
            [
                "redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir", lan.box.path,
            ])
        let ask = """
            def ask(*words):
                words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
                s.sendall(b"*%d\\r\\n" % len(words) + b"".join(b"$%d\\r\\n%s\\r\\n" % (len(w), w) for w in words))
                head = f.readline()
                if head[:1] in b"+:": return head[1:-2]
                if head[:1] != b"$": raise Exception(head)
                return f.read(int(head[1:]) + 2)[:-2]
            big = [hashlib.sha256(b"%d" % i).digest() * 512 for i in range(600)]
            for i, value in enumerate(big): ask("set", "big%d" % i, value)
            """
        try startClient(
            lan, port: 6379, prepare: ask, work: "if ask('set', 'k%d' % n, n) != b'OK': raise Exception('no')",
            finish: """
                lost = [i for i in range(n) if ask('get', 'k%d' % i) != b'%d' % i]
                lost += [i for i, value in enumerate(big) if ask('get', 'big%d' % i) != value]
                say("lost", len(lost), "of", n + len(big), "keys", ask("dbsize").decode())
                """)
        expectProgress(lan, "before")
        try cycle(lan, 5)
        let told = try stop(lan)
        let count = done(lan)
        #expect(told.contains("lost 0 of \(count + 600) keys \(count + 600)\n"), "\(told.suffix(300))")
        #expect(count > 50)
    }

    @Test("nginx: master and workers come back, and the same connection is answered", .needsProgram("nginx"))
    func nginx() throws {
        let lan = try ServerScene()
        try lan.box.write("www/index.html", "our page\n")
        try lan.box.write(
            "nginx.conf",
            """
            user root; worker_processes 2; pid \(lan.box.file("nginx.pid")); daemon off;
            error_log \(lan.box.file("error.log"));
            events { worker_connections 64; }
            http {
                access_log \(lan.box.file("access.log"));
                keepalive_requests 1000000; keepalive_timeout 1h;
                client_body_temp_path \(lan.box.path); proxy_temp_path \(lan.box.path);
                fastcgi_temp_path \(lan.box.path); uwsgi_temp_path \(lan.box.path); scgi_temp_path \(lan.box.path);
                server { listen 80; root \(lan.box.file("www")); }
            }
            """)
        try lan.start("server", Self.server, ["nginx", "-c", lan.box.file("nginx.conf")])
        let work = """
            s.sendall(b"GET /index.html HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
            if b"200" not in f.readline(): raise Exception("no page")
            length = 0
            while True:
                line = f.readline()
                if line.lower().startswith(b"content-length:"): length = int(line.split(b":")[1])
                if line in (b"\\r\\n", b""): break
            if f.read(length) != b"our page\\n": raise Exception("another page")
            """
        try startClient(lan, port: 80, work: work, finish: "pass")
        expectProgress(lan, "before")
        func workers() throws -> [String] {
            try lan.box.sandbox(["exec", "server", "--", "sh", "-c", "cat /proc/[0-9]*/comm"]).lines.filter {
                $0 == "nginx"
            }
        }
        let before = try workers()
        #expect(before.count == 3)
        try cycle(lan, 3) { cycle in
            let now = try workers()
            #expect(now == before, "cycle \(cycle): \(now)")
        }
        _ = try stop(lan)
        // All that the client was answered is in the server's own log.
        let logged = (Files.read(lan.box.file("access.log")) ?? "").split(separator: "\n").count
        #expect(logged >= done(lan))
        // It still knows its master's signals.
        let quit = try lan.box.sandbox(["stop", "server"])
        #expect(quit.succeeded, "\(quit)")
    }
}

/// A switch of a test's own, and sandboxes on it that can be saved. They are ended with the value.
final class ServerScene {
    let box: Box
    private var names: [String] = []

    init() throws {
        box = try Box()
        try box.folder("www")
        try box.must([box.binary, "switch", "create", "lan", "--subnet", "10.83.0.0/24"])
    }

    deinit {
        // What is left after this, the suite's end finds.
        for name in names { _ = try? box.sandbox(["rm", "-f", name]) }
        _ = try? box.sandbox(["switch", "delete", "-f", "lan"])
    }

    func start(_ name: String, _ address: String, _ command: [String]) throws {
        names.append(name)
        try box.must(
            [
                box.binary, "run", "-d", "-n", name, "--set", "checkpoint.enabled=true", "--unshare", "net,pid,mount",
                "--switch", "lan", "--address", address + "/24", "--",
            ] + command)
    }
}
