import Glibc
import Testing

@Suite("checkpoint --check", .serialized, .needsRoot)
struct CheckpointCheckTests {
    private func begin(_ box: Box, _ command: [String], _ toml: String = EnabledTests.profile) throws {
        let begun = try box.launch(toml, ["-d", "-n", "box"], command)
        #expect(begun.succeeded, "\(begun)")
    }

    private func python(_ box: Box, _ program: String, _ toml: String = EnabledTests.profile) throws {
        try begin(box, ["python3", "-c", program + "\nprint('ready', flush=True)\nimport time; time.sleep(600)"], toml)
        #expect(Clock.waitUntil { Files.read(box.file("state/sandboxes/box/log"))?.contains("ready") == true })
    }

    @Test("a clean sandbox has nothing in the way, as text and as JSON; nothing is changed")
    func clean() throws {
        let box = try Box()
        try begin(box, ["sleep", "600"])
        let before = Files.read(box.file("state/sandboxes/box/state.toml"))
        let text = try box.sandbox(["checkpoint", "box", "--check"])
        #expect(text.succeeded && text.text == "nothing is in the way of saving box", "\(text)")
        let json = try box.sandbox(["checkpoint", "box", "--check", "--json"])
        #expect(json.succeeded && json.text == "[]", "\(json)")
        #expect(Files.read(box.file("state/sandboxes/box/state.toml")) == before)
        #expect(!Files.exists(box.file("state/snapshots")))
        #expect(try box.sandbox(["rm", "-f", "box"]).succeeded)
    }

    @Test("programs that end while they are looked at are not in the way")
    func shortLived() throws {
        let box = try Box()
        try begin(box, ["sh", "-c", "while :; do /bin/true; done"])
        for _ in 0..<60 {
            let told = try box.sandbox(["checkpoint", "box", "--check"])
            #expect(told.succeeded, "\(told)")
        }
        #expect(try box.sandbox(["rm", "-f", "box"]).succeeded)
    }

    @Test("a UNIX socket that leads outside is named, and a save is refused while the application runs on")
    func outsideSocket() throws {
        let box = try Box()
        let path = box.file("outside.sock")
        let server = try box.start(
            [
                "python3", "-c",
                "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind('\(path)'); s.listen(); "
                    + "c = s.accept(); time.sleep(600)",
            ], name: "server")
        #expect(Clock.waitUntil { Files.exists(path) })
        try python(box, "import socket; s = socket.socket(socket.AF_UNIX); s.connect('\(path)')")
        let told = try box.sandbox(["checkpoint", "box", "--check"])
        #expect(told.status == 125 && told.out.contains(" to \(path): its other end is outside"), "\(told)")
        #expect(told.out.contains("descriptor 3, ") && told.lines.count == 1, "\(told)")
        let saved = try box.sandbox(["checkpoint", "box"], environment: ["SANDBOX_CRIU": "/bin/true"])
        #expect(saved.status == 125 && saved.err.contains("its other end is outside"), "\(saved)")
        #expect(saved.errorLines.count == 1, "\(saved)")
        #expect(box.phase("box") == "running")
        #expect(Files.list(box.file("state/snapshots")).isEmpty)
        #expect(try box.sandbox(["rm", "-f", "box"]).succeeded)
        server.end()
    }

    @Test("io_uring, nested namespaces and their like are named where nothing keeps them from the program")
    func unsavable() throws {
        let box = try Box()
        let program = """
            import ctypes, os, socket
            libc = ctypes.CDLL(None, use_errno=True)
            ring = libc.syscall(425, 4, ctypes.create_string_buffer(120))
            fault = libc.syscall(323, 1)
            if os.fork() == 0:
                libc.unshare(0x04000000)
                import time; time.sleep(600)
            """
        let toml = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n[process]\ninit = false\n"
        try python(box, program, toml)
        let told = try box.sandbox(["checkpoint", "box", "--check"])
        for words in ["io_uring", "userfaultfd", "a uts namespace of its own"] {
            #expect(told.lines.contains { $0.contains(words) && $0.contains("checkpoint.enabled = true") }, "\(told)")
        }
        #expect(told.status == 125)
        let refused = try box.sandbox(["checkpoint", "box"])
        #expect(refused.err.contains(" more: 'sandbox checkpoint box --check' lists them)"), "\(refused)")
        #expect(try box.sandbox(["rm", "-f", "box"]).succeeded)
        // With it, there is nothing to name.
        try python(box, program.replacing("    libc.unshare(0x04000000)", with: "    pass"))
        let clean = try box.sandbox(["checkpoint", "box", "--check"])
        #expect(clean.succeeded, "\(clean)")
        #expect(try box.sandbox(["rm", "-f", "box"]).succeeded)
    }

    @Test("who came in by exec is named, and no longer once it has ended")
    func stranger() throws {
        let box = try Box()
        try begin(box, ["sleep", "600"])
        let entered = try box.start([box.binary, "exec", "box", "--", "sleep", "599"], name: "entered")
        #expect(Clock.waitUntil { (try? box.sandbox(["checkpoint", "box", "--check"]))?.status == 125 })
        let told = try box.sandbox(["checkpoint", "box", "--check"])
        #expect(told.lines.count == 1 && told.out.contains("a command of 'sandbox exec'"), "\(told)")
        entered.end()
        #expect(Clock.waitUntil { (try? box.sandbox(["checkpoint", "box", "--check"]))?.succeeded == true })
        #expect(try box.sandbox(["rm", "-f", "box"]).succeeded)
    }

    @Test("sandbox's own init, a shared pid namespace and the foreground are named")
    func whole() throws {
        let box = try Box()
        try begin(box, ["sleep", "600"], "[namespaces]\nunshare = [\"pid\"]\n")
        let own = try box.sandbox(["checkpoint", "box", "--check", "--json"])
        #expect(own.status == 125, "\(own)")
        let first = try JSONDocument(own.out)[0]
        #expect(first["subject"].text == "sandbox's own init" && first["pid"].isNull, "\(own)")
        #expect(first["mend"].text?.contains("checkpoint.enabled = true") == true)
        #expect(try box.sandbox(["rm", "-f", "box"]).succeeded)
        try begin(box, ["sleep", "600"], "[namespaces]\nunshare = [\"net\"]\n")
        let shared = try box.sandbox(["checkpoint", "box", "--check"])
        #expect(shared.out.contains("no pid namespace"), "\(shared)")
        #expect(try box.sandbox(["rm", "-f", "box"]).succeeded)
        let front = try box.startSandbox(EnabledTests.profile, ["-n", "box"], ["sleep", "600"])
        #expect(Clock.waitUntil { box.phase("box") == "running" })
        let told = try box.sandbox(["checkpoint", "box", "--check"])
        #expect(told.out.contains("run -d"), "\(told)")
        front.end()
        #expect(try box.sandbox(["rm", "-f", "box"]).succeeded)
    }
}
