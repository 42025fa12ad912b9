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

        @Test("a Wayland compositor's socket, and no other of the runtime directory", .needsProgram("python3"))
        func wayland() throws {
            let box = try Box()
            try listen(box, box.path + "/run/wayland-7", name: "wayland")
            try listen(box, box.path + "/run/bus", name: "bus")
            let profile = Self.profile.replacing(
                "[display]", with: "tmpfs = [{ path = \"$XDG_RUNTIME_DIR\" }]\n[display]")
            let environment = ["WAYLAND_DISPLAY": "wayland-7", "DISPLAY": ":1", "XAUTHORITY": "/x"]
            let heard = try box.launch(profile, [], ask(box.path + "/run/wayland-7"), environment: environment)
            #expect(heard.text == "b'heard'", "\(heard)")
            #expect(!(try box.launch(profile, [], ask(box.path + "/run/bus"), environment: environment)).succeeded)
            let seen = try box.launch(
                profile, [], ["sh", "-c", "echo $WAYLAND_DISPLAY $DISPLAY $XAUTHORITY"], environment: environment)
            #expect(seen.text == box.path + "/run/wayland-7", "\(seen)")
        }

        @Test("sound is off unless it is asked for", .needsProgram("python3"))
        func sound() throws {
            let box = try Box()
            let socket = box.path + "/run/pulse/native"
            try listen(box, box.path + "/run/wayland-7", name: "wayland")
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
