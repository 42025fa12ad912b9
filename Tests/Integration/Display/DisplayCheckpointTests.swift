import Glibc
import Testing

extension Integration {
    @Suite(
        "Saving what has a display", .enabled(if: canCheckpoint, "needs root and CRIU: make deps"),
        .enabled(if: DisplayBox.isPossible, DisplayBox.reason))
    struct DisplayCheckpointTests {
        @Test("windows come back as they were, take input at once, and the snapshot has their picture")
        func comesBack() throws {
            let it = try DisplayBox()
            try it.start()
            try it.type("before")
            #expect(try it.hasRead(["before"]))
            let before = try it.picture("before.png")
            let saved = try it.box.sandbox(["checkpoint", it.name, "--snapshot", "s"])
            #expect(saved.succeeded && saved.err.isEmpty, "\(saved)")
            #expect(try it.box.sandbox(["rm", it.name]).succeeded)
            let shown = it.box.file("shown.png")
            let show = try it.box.sandbox(["snapshot", "show", "s", "--picture", shown])
            #expect(show.succeeded && show.out.isEmpty, "\(show)")
            #expect(try it.difference(before, shown) == 0)
            let verified = try it.box.sandbox(["snapshot", "verify", "s"])
            #expect(verified.succeeded, "\(verified)")
            let restored = try it.box.sandbox(["restore", "s", "-d"])
            try #require(restored.succeeded, "\(restored)")
            #expect(try it.difference(before, try it.picture()) == 0)
            try it.type("after")
            #expect(try it.hasRead(["before", "after"]))
            #expect(try (it.difference(before, try it.picture()) ?? 0) > 20)
        }

        @Test("an altered picture is not shown, and what has none is told so")
        func altered() throws {
            let it = try DisplayBox()
            try it.start()
            let saved = try it.box.sandbox(["checkpoint", it.name, "--snapshot", "s", "--leave-running"])
            try #require(saved.succeeded, "\(saved)")
            let listed = try it.box.sandbox(["snapshot", "list", "--json"])
            #expect(listed.out.contains("\"picture\": true") || listed.out.contains("\"picture\":true"), "\(listed)")
            let file = it.box.file("state/snapshots/s/screen.png")
            #expect(try it.box.run(["sh", "-c", "printf x | dd of='\(file)' bs=1 seek=100 conv=notrunc"]).succeeded)
            expectRefused(
                try it.box.sandbox(["snapshot", "show", "s", "--picture", "-"]), naming: "screen.png", "altered")
            #expect(try it.box.sandbox(["rm", "-f", it.name]).succeeded)
            try it.start("[namespaces]\nunshare = [\"mount\", \"pid\"]\n[process]\ninit = false", ["sleep", "1000"])
            let plain = try it.box.sandbox(["checkpoint", it.name, "--snapshot", "plain"])
            try #require(plain.succeeded, "\(plain)")
            expectRefused(try it.box.sandbox(["snapshot", "show", "plain", "--picture", "-"]), naming: "no picture")
        }

        @Test("who views it does not keep it from being saved", .needsProgram("python3"))
        func viewed() throws {
            let it = try DisplayBox()
            try it.start()
            let viewer = """
                import socket, sys
                peer = socket.socket(socket.AF_UNIX)
                peer.connect(sys.argv[1])
                assert peer.recv(12).startswith(b"RFB")
                peer.sendall(b"RFB 003.008\\n"); peer.recv(2); peer.sendall(b"\\1"); peer.recv(4); peer.sendall(b"\\1")
                print("viewing", flush=True)
                while peer.recv(4096): pass
                print("sent away", flush=True)
                """
            let server = try #require(it.servers.first)
            let socket = "/proc/\(server)/root/tmp/.X11-unix/vnc"
            _ = try it.box.start(["python3", try it.box.write("viewer.py", viewer), socket], name: "viewer")
            #expect(it.box.waitForOutput("viewing", name: "viewer"), "\(it.box.output("viewer"))")
            let saved = try it.box.sandbox(["checkpoint", it.name, "--snapshot", "s"])
            #expect(saved.succeeded, "\(saved)")
            #expect(it.box.waitForOutput("sent away", name: "viewer"))
        }

        @Test("a view in a browser goes on where the sandbox goes on", .needsProgram("websockify"))
        func webGoesOn() throws {
            let it = try DisplayBox()
            try it.start()
            let view = try it.box.start([it.box.binary, "view", it.name, "--web"], name: "web")
            #expect(it.box.waitForOutput("\n", name: "web"))
            let address = it.box.output("web").split(separator: "\n").first.map { String($0) } ?? ""
            #expect(try it.box.sandbox(["checkpoint", it.name, "--snapshot", "s"]).succeeded)
            #expect(Clock.waitUntil { (Files.read(it.box.file("web.err")) ?? "").contains("the view waits") })
            #expect(try it.box.sandbox(["restore", "s", "-d"]).succeeded)
            #expect(
                try Clock.waitUntil(timeout: 30) {
                    try it.box.run(["curl", "-sf", "--max-time", "5", address]).out.contains("noVNC")
                })
            #expect(try it.box.sandbox(["rm", "-f", it.name]).succeeded)
            #expect(view.wait() == .exited(0))
        }
    }
}
