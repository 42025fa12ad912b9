import Glibc
import Testing

extension Integration {
    @Suite("Viewing a display", .enabled(if: DisplayBox.isPossible, DisplayBox.reason))
    struct ViewTests {
        /// Speaks enough of WebSocket to hear an RFB server's greeting: `GREETED`, or `REFUSED`.
        private static let client = """
            import base64, os, socket, sys, urllib.parse
            place = urllib.parse.urlparse(sys.argv[1])
            path = sys.argv[2] if len(sys.argv) > 2 else urllib.parse.parse_qs(place.query)["path"][0]
            peer = socket.create_connection((place.hostname, place.port), 10)
            peer.settimeout(10)
            key = base64.b64encode(os.urandom(16)).decode()
            peer.sendall((f"GET /{path} HTTP/1.1\\r\\nHost: {place.netloc}\\r\\nUpgrade: websocket\\r\\n"
                f"Connection: Upgrade\\r\\nSec-WebSocket-Key: {key}\\r\\nSec-WebSocket-Version: 13\\r\\n"
                "Sec-WebSocket-Protocol: binary\\r\\n\\r\\n").encode())
            heard = b""
            while b"RFB 003" not in heard:
                part = peer.recv(4096)
                if not part: break
                heard += part
            print("GREETED" if b"RFB 003" in heard else "REFUSED")
            """

        @Test(
            "a browser sees it on the loopback interface, with the secret of the address only", .needsRoot,
            .needsProgram("websockify"))
        func web() throws {
            let it = try DisplayBox()
            try it.start()
            let view = try it.box.start([it.box.binary, "view", it.name, "--web"], name: "web")
            #expect(it.box.waitForOutput("\n", name: "web"))
            let address = it.box.output("web").split(separator: "\n").first.map { String($0) } ?? ""
            #expect(address.hasPrefix("http://127.0.0.1:"), "\(address)")
            let script = try it.box.write("client.py", Self.client)
            #expect(
                try Clock.waitUntil(timeout: 30) {
                    try it.box.run(["curl", "-sf", "--max-time", "5", address]).out.contains("noVNC")
                })
            #expect(try it.box.run(["python3", script, address]).text == "GREETED")
            for path in ["websockify", "websockify?token=", "websockify?token=0123456789abcdef"] {
                #expect(try it.box.run(["python3", script, address, path]).text == "REFUSED")
            }
            let secret = address.split(separator: "D").last ?? ""
            for pid in Processes.marked(Leaks.variable, it.box.mark) {
                #expect(!Processes.command(pid).contains { $0.contains(secret) }, "the secret is on a command line")
            }
            #expect(try it.box.sandbox(["rm", "-f", it.name]).succeeded)
            #expect(view.wait() == .exited(0))
        }

        @Test("what serves the browser ends with the view, however that ends", .needsRoot, .needsProgram("websockify"))
        func orphan() throws {
            let it = try DisplayBox()
            try it.start()
            for ending in [SIGTERM, SIGKILL] {
                let name = "web\(ending)"
                let view = try it.box.start([it.box.binary, "view", it.name, "--web"], name: name)
                #expect(it.box.waitForOutput("\n", name: name))
                let children = Files.read("/proc/\(view.pid)/task/\(view.pid)/children") ?? ""
                let server = try #require(children.split(separator: " ").first.flatMap { pid_t($0) })
                kill(view.pid, ending)
                #expect(view.wait() == .signalled(ending))
                #expect(Clock.waitUntil { !Files.exists("/proc/\(server)") || Processes.command(server).isEmpty })
            }
            #expect(try it.box.sandbox(["rm", "-f", it.name]).succeeded)
        }

        @Test("a viewer of the host's shows it", .needsRoot, .needsProgram("xtigervncviewer"), .needsProgram("Xvfb"))
        func viewer() throws {
            let hadFolder = Files.exists("/tmp/.X11-unix")
            defer { if !hadFolder { rmdir("/tmp/.X11-unix") } }
            let it = try DisplayBox()
            try it.start()
            try it.type("seen")
            // A server that begins anew when its last client goes would drop the viewer while xdotool looks for it.
            let server = try it.box.start(
                ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"], name: "host")
            defer {
                // It removes its socket and lock by itself.
                server.signal(SIGTERM)
                _ = server.wait()
            }
            try #require(it.box.waitForOutput("\n", name: "host"))
            let display = ":" + it.box.output("host").prefix { $0 != "\n" }
            let view = try it.box.start(["env", "DISPLAY=\(display)", it.box.binary, "view", it.name], name: "view")
            let search = ["env", "DISPLAY=\(display)", "xdotool", "search", "--name", "TigerVNC"]
            #expect(try Clock.waitUntil { try it.box.run(search).succeeded }, "\(it.box.output("view"))")
            #expect(try it.box.sandbox(["rm", "-f", it.name]).succeeded)
            #expect(view.wait() == .exited(0))
        }

        @Test("without a display or a viewer it is told how", .needsRoot)
        func how() throws {
            let it = try DisplayBox()
            try it.start()
            let path = ["PATH": try it.box.folder("bin")]
            expectRefused(
                try it.box.sandbox(["view", it.name], environment: path),
                naming: "no VNC viewer is installed", "tigervnc-viewer", "/root/tmp/.X11-unix/vnc")
            if Machine.hasProgram("xtigervncviewer") {
                expectRefused(
                    try it.box.sandbox(["view", it.name]), naming: "no display here", "--web", "/root/tmp/.X11-unix/vnc"
                )
            }
        }
    }
}
