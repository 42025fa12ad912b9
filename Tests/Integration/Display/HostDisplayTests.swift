import Glibc
import Testing

extension Integration {
    @Suite("The host's display, shared", .needsRoot)
    struct HostDisplayTests {
        private static let profile = """
            [namespaces]
            unshare = ["mount", "pid", "net"]
            [filesystem]
            private = ["tmp"]
            [display]
            server = "host"
            """

        /// A Wayland compositor as far as its protocol goes: it says what it is asked, and answers "ask!" with how it takes
        /// the client, `plain` or `confined`.
        private static let compositor = """
            import array, select, socket, struct, sys, threading
            path, manner = sys.argv[1:3]
            def say(*words): print(*words, flush=True)
            def number(value): return struct.pack("=I", value)
            def text(value): return number(len(value) + 1) + value.encode() + b"\\0" * (4 - len(value) % 4)
            def word(body, place): return struct.unpack_from("=I", body, place)[0]
            def string(body, place):
                length = word(body, place)
                return body[place + 4:place + 3 + length].decode(), place + 4 + length + -length % 4
            def accept(listener, close, answer):
                while True:
                    ready = select.poll()
                    ready.register(listener.fileno(), select.POLLIN)
                    if close is not None: ready.register(close, 0)
                    for number, event in ready.poll():
                        if number == close: say("hung up"); return
                        client = listener.accept()[0]
                        threading.Thread(target=answer, args=(client,), daemon=True).start()
            def confined(client):
                if client.recv(4) == b"ask!": client.sendall(b"confined")
            def serve(client):
                kinds, data, files = {1: "display"}, b"", array.array("i")
                def event(target, code, body): client.sendall(number(target) + number((8 + len(body)) << 16 | code) + body)
                while True:
                    more, control, _, _ = client.recvmsg(4096, socket.CMSG_SPACE(32))
                    if not more: return
                    for _, kind, part in control:
                        if kind == socket.SCM_RIGHTS: files.frombytes(part)
                    data += more
                    if data[:4] == b"ask!": client.sendall(b"plain"); return
                    while len(data) >= 8 and len(data) >= word(data, 4) >> 16:
                        target, code, size = word(data, 0), word(data, 4) & 0xffff, word(data, 4) >> 16
                        body, data = data[8:size], data[size:]
                        kind = kinds[target]
                        if kind == "display" and code == 1:
                            kinds[word(body, 0)] = "registry"
                            event(word(body, 0), 0, number(7) + text("wl_compositor") + number(4))
                            if manner != "without": event(word(body, 0), 0, number(9) + text("wp_security_context_manager_v1") + number(1))
                        elif kind == "display":
                            event(word(body, 0), 0, number(0))
                            event(1, 1, body)
                        elif kind == "registry":
                            interface, place = string(body, 4)
                            assert word(body, 0) == 9
                            kinds[word(body, place + 4)] = interface
                        elif kind == "wp_security_context_manager_v1":
                            assert code == 1
                            kinds[word(body, 0)] = "context"
                            listener, close = files[0], files[1]
                            if manner == "refusing": event(1, 0, number(target) + number(2) + text("nested contexts are forbidden"))
                        elif kind == "context" and code == 4:
                            say("commit")
                            threading.Thread(target=accept, args=(socket.socket(fileno=listener), close, confined), daemon=True).start()
                        elif kind == "context": say(["", "engine", "application", "instance"][code], string(body, 0)[0])
            server = socket.socket(socket.AF_UNIX)
            server.bind(path)
            server.listen()
            say("listening")
            accept(server, None, serve)
            """

        /// An X server of the test's own, with a cookie.
        private final class Host {
            let box: Box
            let environment: [String: String]
            private let server: Child
            private let hadFolder = Files.exists("/tmp/.X11-unix")

            init(_ options: [String] = [], guarded: Bool = true) throws {
                let box = try Box()
                let authority = box.file("authority")
                let guarding = guarded ? ["-auth", authority] : []
                // The number is known only once it runs: the cookie is for all of them.
                let cookie =
                    "import os,sys; n=b'MIT-MAGIC-COOKIE-1'; open(sys.argv[1],'wb').write("
                    + "b'\\xff\\xff\\0\\0\\0\\0'+bytes([0,len(n)])+n+b'\\0\\x10'+os.urandom(16))"
                try box.must(["python3", "-c", cookie, authority])
                server = try box.start(
                    ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]
                        + guarding + options, name: "host")
                try #require(box.waitForOutput("\n", name: "host"))
                let number = box.output("host").prefix { $0 != "\n" }
                environment = ["DISPLAY": ":\(number)", "XAUTHORITY": authority]
                self.box = box
            }

            deinit {
                // It removes its socket and lock by itself.
                server.signal(SIGTERM)
                _ = server.wait()
                if !hadFolder { rmdir("/tmp/.X11-unix") }
            }

            func launch(_ toml: String, _ command: [String]) throws -> Outcome {
                try box.launch(toml, [], command, environment: environment)
            }
        }

        private static let isPossible = ["Xvfb", "xauth", "xdpyinfo", "xdotool", "import"]
            .allSatisfy { Machine.hasProgram($0) }
        private static let reason: Comment = "needs Xvfb, xauth, xdpyinfo, xdotool and import"

        @Test(
            "windows appear there, and nothing of other windows is in reach",
            .enabled(if: isPossible, reason), .needsProgram("xterm"))
        func untrusted() throws {
            let host = try Host()
            let shown = try host.launch(
                Self.profile, ["sh", "-c", "xdpyinfo >/dev/null && xterm -e true && echo shown"])
            #expect(shown.text == "shown", "\(shown)")
            let picture = ["timeout", "10", "import", "-window", "root", "/tmp/x.png"]
            #expect(try host.box.run(picture, environment: host.environment).succeeded)
            unlink("/tmp/x.png")
            #expect(!(try host.launch(Self.profile, picture)).succeeded)
            #expect(try host.box.run(["xdotool", "key", "a"], environment: host.environment).succeeded)
            #expect(!(try host.launch(Self.profile, ["xdotool", "key", "a"])).succeeded)
            let without = try host.launch(Self.profile, ["env", "XAUTHORITY=/dev/null", "xdpyinfo"])
            #expect(without.status == 1, "\(without)")
            let sockets = try host.launch(Self.profile, ["ls", "-A", "/tmp/.X11-unix"])
            #expect(sockets.lines.sorted() == ["X" + (host.environment["DISPLAY"] ?? "").dropFirst(), "authority"])
        }

        @Test(
            "a server that trusts everybody is refused, and one that cannot distrust", .enabled(if: isPossible, reason))
        func refused() throws {
            expectRefused(
                try Host(guarded: false).launch(Self.profile, ["true"]), naming: "display.server", "xhost")
            expectRefused(
                try Host(["-extension", "SECURITY"]).launch(Self.profile, ["true"]),
                naming: "display.server", "SECURITY extension")
        }

        @Test("without a display, or with the way around it open, nothing begins")
        func contradictions() throws {
            let box = try Box()
            expectRefused(try box.launch(Self.profile, [], ["true"]), naming: "display.server", "no display to share")
            let open = "[namespaces]\nunshare = [\"mount\"]\n[display]\nserver = \"host\""
            expectRefused(
                try box.launch(open, [], ["true"], environment: ["DISPLAY": ":1"]), naming: "display.server",
                "abstract socket")
            expectRefused(
                try box.launch(Self.profile, [], ["true"], environment: ["DISPLAY": "elsewhere:1"]),
                naming: "display.server", "not on this machine")
            expectRefused(
                try box.launch(Self.profile, [], ["true"], environment: ["DISPLAY": ":987"]), naming: "display.server")
        }

        /// A server that answers whoever connects with a word.
        private func listen(_ box: Box, _ path: String, name: String) throws {
            let program = """
                import os, socket, sys
                os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
                server = socket.socket(socket.AF_UNIX)
                server.bind(sys.argv[1]); server.listen(); print("listening", flush=True)
                while True: server.accept()[0].sendall(b"heard")
                """
            _ = try box.start(["python3", "-c", program, path], name: name)
            try #require(box.waitForOutput("listening", name: name))
        }

        private func ask(_ path: String) -> [String] {
            ["python3", "-c", "import socket; s=socket.socket(socket.AF_UNIX); s.connect('\(path)'); print(s.recv(9))"]
        }

        private static let runtime = profile.replacing(
            "[display]", with: "tmpfs = [{ path = \"$XDG_RUNTIME_DIR\" }]\n[display]")
        private static let waylandEnvironment = ["WAYLAND_DISPLAY": "wayland-7", "DISPLAY": ":1", "XAUTHORITY": "/x"]

        private func compositor(_ box: Box, _ manner: String) throws {
            _ = try box.folder("run")
            let script = try box.write("compositor.py", Self.compositor)
            _ = try box.start(["python3", script, box.path + "/run/wayland-7", manner], name: "wayland")
            try #require(box.waitForOutput("listening", name: "wayland"))
        }

        /// How the compositor takes a client of the box.
        private static let client = [
            "python3", "-c",
            "import os, socket; s=socket.socket(socket.AF_UNIX); s.connect(os.environ['WAYLAND_DISPLAY']); "
                + "s.sendall(b'ask!'); print(s.recv(9))",
        ]

        @Test("the compositor knows the box's clients as confined", .needsProgram("python3"))
        func securityContext() throws {
            let box = try Box()
            try compositor(box, "with")
            let heard = try box.launch(
                Self.runtime, ["-n", "viewer"], Self.client, environment: Self.waylandEnvironment)
            #expect(heard.text == "b'confined'" && heard.err.isEmpty, "\(heard)")
            #expect(box.waitForOutput("hung up", name: "wayland"))
            let said = box.output("wayland").split(separator: "\n").map { String($0) }
            #expect(said.starts(with: ["listening", "engine sandbox", "application viewer"]), "\(said)")
            #expect(
                said.contains { $0.hasPrefix("instance viewer-") } && said.suffix(2) == ["commit", "hung up"], "\(said)"
            )
            // The compositor's own socket, which would take it for any other program, is out of reach.
            let direct = Self.client.map {
                $0.replacing("os.environ['WAYLAND_DISPLAY']", with: "'\(box.path)/run/wayland-7'")
            }
            let open = Self.profile
            #expect(!(try box.launch(open, [], direct, environment: Self.waylandEnvironment)).succeeded)
            let outside = try box.run(direct)
            #expect(outside.text == "b'plain'", "\(outside)")
        }

        @Test("detached, the compositor hears of the end, whatever that is", .needsProgram("python3"))
        func detached() throws {
            let box = try Box()
            try compositor(box, "with")
            let begun = try box.launch(
                Self.runtime, ["-d", "-n", "viewer"], ["sleep", "1000"], environment: Self.waylandEnvironment)
            try #require(begun.succeeded, "\(begun)")
            #expect(try box.sandbox(["exec", "viewer", "--"] + Self.client).text == "b'confined'")
            #expect(!box.output("wayland").contains("hung up"))
            #expect(try box.sandbox(["kill", "-s", "KILL", "viewer"]).succeeded)
            #expect(box.waitForOutput("hung up", name: "wayland"))
            #expect(try box.sandbox(["rm", "-f", "viewer"]).succeeded)
        }

        @Test("a compositor that cannot tell is told of, or refused", .needsProgram("python3"))
        func withoutContext() throws {
            let box = try Box()
            try compositor(box, "without")
            let heard = try box.launch(Self.runtime, [], Self.client, environment: Self.waylandEnvironment)
            #expect(heard.text == "b'plain'" && heard.err.contains("does not tell confined clients"), "\(heard)")
            let required = Self.runtime + "\nwayland-security-context = \"required\""
            expectRefused(
                try box.launch(required, [], ["true"], environment: Self.waylandEnvironment),
                naming: "display.wayland-security-context", "preferred")
            expectRefused(
                try box.launch(required, [], ["true"], environment: ["DISPLAY": ":1"]),
                naming: "display.wayland-security-context", "X server")
        }

        @Test("what a compositor refuses, and what is none, is an error", .needsProgram("python3"))
        func refusing() throws {
            let box = try Box()
            try compositor(box, "refusing")
            expectRefused(
                try box.launch(Self.runtime, [], ["true"], environment: Self.waylandEnvironment),
                naming: "display.server",
                "nested contexts are forbidden")
            try listen(box, box.path + "/run/wayland-8", name: "other")
            let other = Self.waylandEnvironment.merging(["WAYLAND_DISPLAY": "wayland-8"]) { $1 }
            expectRefused(
                try box.launch(Self.runtime, [], ["true"], environment: other), naming: "display.server", "compositor")
        }

        @Test("no other socket of the runtime directory, and no variable of another display", .needsProgram("python3"))
        func wayland() throws {
            let box = try Box()
            try compositor(box, "without")
            try listen(box, box.path + "/run/bus", name: "bus")
            let environment = Self.waylandEnvironment
            #expect(!(try box.launch(Self.runtime, [], ask(box.path + "/run/bus"), environment: environment)).succeeded)
            let seen = try box.launch(
                Self.runtime, [], ["sh", "-c", "echo $WAYLAND_DISPLAY $DISPLAY $XAUTHORITY"], environment: environment)
            #expect(seen.text == "/tmp/.X11-unix/wayland", "\(seen)")
        }

        @Test("sound is off unless it is asked for", .needsProgram("python3"))
        func sound() throws {
            let box = try Box()
            let socket = box.path + "/run/pulse/native"
            try compositor(box, "without")
            try listen(box, socket, name: "pulse")
            let environment = ["WAYLAND_DISPLAY": "wayland-7", "PULSE_SERVER": "unix:" + socket]
            #expect(!(try box.launch(Self.profile, [], ask(socket), environment: environment)).succeeded)
            let on = Self.profile + "\nsound = true"
            let heard = try box.launch(on, [], ask(socket), environment: environment)
            #expect(heard.text == "b'heard'", "\(heard)")
            let variable = ["sh", "-c", "echo ${PULSE_SERVER:-none}"]
            #expect(try box.launch(Self.profile, [], variable, environment: environment).text == "none")
            #expect(try box.launch(on, [], variable, environment: environment).text == "unix:" + socket)
        }

        @Test(
            "graphics devices that the host does not have are an error",
            .enabled(if: !Files.exists("/dev/dri"), "has them"))
        func graphics() throws {
            let box = try Box()
            let profile = "[namespaces]\nunshare = [\"mount\"]\n[display]\ngpu = true"
            expectRefused(try box.launch(profile, [], ["true"]), naming: "display.gpu", "/dev/dri")
        }
    }
}
