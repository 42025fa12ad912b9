import Glibc
import Testing

extension Integration {
    @Suite("A display of the box's own", .enabled(if: DisplayBox.isPossible, DisplayBox.reason))
    struct PrivateDisplayTests {
        /// Who stands over the command: its init, nobody in a pid namespace, nobody at all.
        static let kinds = [
            "unshare = [\"mount\", \"pid\", \"net\"]\n[process]\ninit = true",
            "unshare = [\"mount\", \"pid\", \"net\"]\n[process]\ninit = false", "unshare = [\"mount\", \"net\"]",
        ]

        private func profile(_ kind: String, _ more: String = "") -> String {
            """
            [namespaces]
            \(kind)
            [filesystem]
            private = ["tmp"]
            [display]
            server = "private"
            size = "640x480"
            \(more)
            """
        }

        @Test("it answers before the command begins, and ends with it", .needsRoot, arguments: kinds)
        func ready(kind: String) throws {
            let it = try DisplayBox()
            let script = "xdpyinfo | grep dimensions; echo $DISPLAY"
            let shown = try it.box.launch(profile(kind), [], ["sh", "-c", script])
            #expect(shown.succeeded && shown.text.contains("640x480 pixels") && shown.lines.last == ":0", "\(shown)")
            #expect(Clock.waitUntil { it.servers.isEmpty })
        }

        @Test("a command that is killed takes it along", .needsRoot, arguments: kinds)
        func killed(kind: String) throws {
            let it = try DisplayBox()
            try it.start(profile(kind), ["sleep", "1000"])
            #expect(it.servers.count == 1)
            let ended = try it.box.sandbox(["kill", "-s", "KILL", it.name])
            #expect(ended.succeeded, "\(ended)")
            #expect(Clock.waitUntil { it.servers.isEmpty })
        }

        @Test("a user without privileges has one too", .needsUserNamespaces)
        func rootless() throws {
            let it = try DisplayBox(as: Box.user)
            try it.start()
            try it.type("hello")
            #expect(try it.hasRead(["hello"]))
            #expect(try it.box.run(["identify", "-format", "%wx%h", try it.picture()]).text == "640x480")
        }

        @Test(
            "nobody reaches it but through the box: no TCP, no abstract socket, a cookie, an owner's socket", .needsRoot
        )
        func closed() throws {
            let hadFolder = Files.exists("/tmp/.X11-unix")
            let it = try DisplayBox()
            try it.start(profile(Self.kinds[0]), ["sleep", "1000"])
            #expect(Files.exists("/tmp/.X11-unix") == hadFolder)
            let sockets = try it.exec(["ss", "-Hln", "-t", "-u", "-x"])
            #expect(
                sockets.lines.count == 2 && sockets.lines.allSatisfy { $0.contains(" /tmp/.X11-unix/") }, "\(sockets)")
            let open = try it.box.launch(profile("unshare = [\"mount\"]"), [], ["true"])
            expectRefused(open, naming: "display.server", "needs a net namespace", "abstract socket")
            let modes = try it.exec(["stat", "-c", "%a", "/tmp/.X11-unix/vnc", "/tmp/.X11-unix/authority"])
            #expect(modes.text == "600\n600", "\(modes)")
            let stranger = try it.exec(["env", "XAUTHORITY=/dev/null", "xdpyinfo"])
            #expect(stranger.status == 1 && stranger.err.contains("Authorization required"), "\(stranger)")
            #expect(try it.exec(["xdpyinfo"]).succeeded)
        }

        @Test("other displays' variables do not come in", .needsRoot)
        func environment() throws {
            let it = try DisplayBox()
            let strange = [
                "DISPLAY": ":77", "XAUTHORITY": "/root/x", "WAYLAND_DISPLAY": "wayland-0", "PULSE_SERVER": "unix:/x",
            ]
            let shown = try it.box.launch(profile(Self.kinds[0]), [], ["env"], environment: strange)
            let names = shown.lines.filter { line in strange.keys.contains { line.hasPrefix($0 + "=") } }
            #expect(names.sorted() == ["DISPLAY=:0", "XAUTHORITY=/tmp/.X11-unix/authority"], "\(shown)")
        }

        @Test("without the X server's package nothing begins", .needsRoot)
        func missing() throws {
            let it = try DisplayBox()
            let path = ["--env", "PATH=\(try it.box.folder("bin"))"]
            expectRefused(
                try it.box.launch(profile(Self.kinds[0]), path, ["/bin/true"]),
                naming: "display.server: Xvnc: not found", "install the package tigervnc-standalone-server")
            let manager = profile(Self.kinds[0], "window-manager = \"matchbox\"")
            try it.box.write("bin/Xtigervnc", "#!/bin/sh\nexit 1\n", mode: 0o755)
            let bind = ["--bind", "\(it.box.file("bin")):/srv", "--env", "PATH=/srv"]
            expectRefused(
                try it.box.launch(manager, bind, ["/bin/true"]),
                naming: "display.window-manager: matchbox-window-manager: not found",
                "install the package matchbox-window-manager")
        }

        @Test("an X server that ends says why, in one line", .needsRoot, arguments: kinds)
        func broken(kind: String) throws {
            let it = try DisplayBox()
            try it.box.folder("bin")
            try it.box.write("bin/Xtigervnc", "#!/bin/sh\necho '(EE) no screens today' >&2\nexit 1\n", mode: 0o755)
            let bind = ["--bind", "\(it.box.file("bin")):/srv", "--env", "PATH=/srv"]
            expectRefused(
                try it.box.launch(profile(kind), bind, ["/bin/true"]),
                naming: "display.server: the X server ended: no screens today")
        }

        @Test("a window manager, when asked for", .needsRoot, arguments: ["openbox", "matchbox"])
        func windowManager(name: String) throws {
            try #require(Machine.hasProgram(name == "openbox" ? name : "matchbox-window-manager"))
            let it = try DisplayBox()
            try it.start(profile(Self.kinds[1], "window-manager = \"\(name)\""))
            let property = ["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"]
            #expect(try Clock.waitUntil { try it.exec(property).text.contains("window id") })
            try it.type("managed")
            #expect(try it.hasRead(["managed"]))
        }

        @Test("the picture shows what is typed, and comes by a file or standard output", .needsRoot)
        func picture() throws {
            let it = try DisplayBox()
            try it.start()
            try it.type("one")
            #expect(try it.hasRead(["one"]))
            let first = try it.picture("first.png")
            #expect(try it.box.run(["stat", "-c", "%a", first]).text == "600")
            #expect(try it.box.run(["identify", "-format", "%m %wx%h", first]).text == "PNG 640x480")
            try it.type("two")
            #expect(try it.hasRead(["one", "two"]))
            #expect(try Clock.waitUntil { (try it.difference(first, try it.picture()) ?? 0) > 20 })
            let piped = try it.box.run(
                ["sh", "-c", "'\(it.box.binary)' view \(it.name) --picture - | identify -format %m png:-"])
            #expect(piped.text == "PNG", "\(piped)")
        }

        @Test("what has no display is told so", .needsRoot)
        func without() throws {
            let it = try DisplayBox()
            try it.start("[namespaces]\nunshare = [\"mount\"]", ["sleep", "1000"])
            for words in [["--picture", it.box.file("x.png")], ["--web"], []] {
                expectRefused(
                    try it.box.sandbox(["view", it.name] + words), naming: "\"desk\" has no display of its own")
            }
            #expect(!Files.exists(it.box.file("x.png")))
            expectRefused(try it.box.sandbox(["view", "nobody"]), naming: "nobody")
        }

        @Test("a box cannot lead a viewer to a socket of the host", .needsRoot)
        func swapped() throws {
            let it = try DisplayBox()
            try it.start(profile(Self.kinds[1]), ["sleep", "1000"])
            let swap = "cd /tmp/.X11-unix; mv vnc old; ln -s /run/host.sock vnc"
            #expect(try it.exec(["sh", "-c", swap]).succeeded)
            let link = try it.box.sandbox(["view", it.name, "--picture", it.box.file("x.png")])
            expectRefused(link, naming: "/tmp/.X11-unix/vnc")
            #expect(try it.exec(["sh", "-c", "cd /tmp/.X11-unix; rm vnc; echo x > vnc"]).succeeded)
            expectRefused(
                try it.box.sandbox(["view", it.name, "--picture", it.box.file("x.png")]), naming: "/tmp/.X11-unix/vnc")
        }
    }
}
