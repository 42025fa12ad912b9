import Glibc
import Testing

/// What CRIU forgets, and a restore puts back.
@Suite("Traits after a restore", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct TraitTests {
    /// Words: a file. Sets all kinds of traits, differently in two threads and a child, and says what they are each time
    /// that the file appears: a line for each of the three.
    private static let script = """
        import ctypes, os, sys, threading, time
        libc = ctypes.CDLL(None, use_errno=True)
        def slack(value): libc.prctl(29, ctypes.c_ulong(value), 0, 0, 0)
        def priority(value): libc.syscall(251, 1, 0, value)
        def facts(name):
            key = libc.syscall(250, 0, -3, 1)
            wanted = libc.syscall(250, 10, -3, b"user", b"sandbox-test", 0)
            print(name, sorted(os.sched_getaffinity(threading.get_native_id())), libc.syscall(252, 1, 0),
                  libc.prctl(30, 0, 0, 0, 0), open("/proc/self/coredump_filter").read().strip(),
                  hex(libc.personality(0xffffffff)), wanted, flush=True)
        def wait(name, file):
            while True:
                while not os.path.exists(file): time.sleep(0.02)
                facts(name); os.unlink(file)
        last = max(os.sched_getaffinity(0))
        libc.personality(0x0040000)
        open("/proc/self/coredump_filter", "w").write("0x1f")
        if os.fork() == 0:
            os.sched_setaffinity(0, {last}); priority(3 << 13); slack(77000)
            open("/proc/self/coredump_filter", "w").write("0x11")
            wait("child", sys.argv[1] + ".child")
        def other():
            os.sched_setaffinity(threading.get_native_id(), {last}); priority(2 << 13 | 6); slack(99000)
            wait("other", sys.argv[1] + ".other")
        threading.Thread(target=other, daemon=True).start()
        os.sched_setaffinity(0, {0}); priority(2 << 13 | 2); slack(123000)
        print("ready", flush=True)
        wait("first", sys.argv[1] + ".first")
        """

    /// What the three say.
    private func ask(_ box: Box, _ name: String) throws -> [String] {
        let log = { Files.read(box.file("state/sandboxes/\(name)/log")) ?? "" }
        let before = log().split(separator: "\n").count
        for (index, thread) in ["first", "other", "child"].enumerated() {
            try Files.write("", to: box.file("ask." + thread))
            guard Clock.waitUntil({ log().split(separator: "\n").count > before + index }) else {
                throw Failure(saying: "\(thread) says nothing: \(log())")
            }
        }
        return log().split(separator: "\n").suffix(3).map(String.init)
    }

    @Test("threads and processes have their CPUs, priorities, slack, dump filter and personality again")
    func all() throws {
        let box = try Box()
        let begun = try box.launch(
            EnabledTests.profile, ["-d", "-n", "traits"], ["python3", "-c", Self.script, box.file("ask")])
        #expect(begun.succeeded, "\(begun)")
        #expect(Clock.waitUntil { (Files.read(box.file("state/sandboxes/traits/log")) ?? "").contains("ready") })
        let before = try ask(box, "traits")
        // The control: all of it was set.
        #expect(before[0].contains("[0] 16386 123000 0000001f 0x40000 -1"), "\(before)")
        #expect(before[1].contains(" 16390 99000 0000001f 0x40000 -1"), "\(before)")
        #expect(before[2].contains(" 24576 77000 00000011 0x40000 -1"), "\(before)")
        let saved = try box.sandbox(["checkpoint", "traits", "--snapshot", "s"])
        #expect(saved.succeeded, "\(saved)")
        // With CPUs, a priority and a key of the caller's own, which are not the application's.
        let caller = """
            import ctypes, os, sys
            libc = ctypes.CDLL(None)
            libc.syscall(250, 1, 0)
            assert libc.syscall(248, b"user", b"sandbox-test", b"secret", 6, -3) > 0
            assert libc.syscall(250, 10, -3, b"user", b"sandbox-test", 0) > 0
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}); libc.syscall(251, 1, 0, 2 << 13 | 7)
            os.execv(sys.argv[1], sys.argv[1:])
            """
        let restored = try box.run(["python3", "-c", caller, box.binary, "restore", "s", "-d"])
        #expect(restored.succeeded, "\(restored)")
        #expect(try ask(box, "traits") == before)
        #expect(try box.sandbox(["rm", "-f", "traits"]).succeeded)
    }

    @Test("what was bound to no CPU is bound to none, whatever the caller is bound to")
    func unbound() throws {
        let box = try Box()
        let begun = try box.launch(EnabledTests.profile, ["-d", "-n", "free"], ["sleep", "1000"])
        #expect(begun.succeeded, "\(begun)")
        func list() -> Substring? {
            let text = Files.read("/proc/\(box.recorded("process", of: "free")?.pid ?? 0)/status") ?? ""
            return text.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list") }
        }
        let before = try #require(list())
        #expect(try box.sandbox(["checkpoint", "free", "--snapshot", "s"]).succeeded)
        let restored = try box.run(["taskset", "-c", "0", box.binary, "restore", "s", "-d"])
        #expect(restored.succeeded, "\(restored)")
        #expect(list() == before)
        #expect(try box.sandbox(["rm", "-f", "free"]).succeeded)
    }

    @Test("a child that has ended and was not waited for is no obstacle, and is there again")
    func zombie() throws {
        let box = try Box()
        let script = """
            import os, sys, time
            pid = os.fork()
            if pid == 0: os._exit(7)
            print("ready", flush=True)
            while not os.path.exists(sys.argv[1]): time.sleep(0.02)
            print(os.waitpid(pid, 0)[1] >> 8, flush=True)
            time.sleep(1000)
            """
        let begun = try box.launch(
            EnabledTests.profile, ["-d", "-n", "parent"], ["python3", "-c", script, box.file("ask")])
        #expect(begun.succeeded, "\(begun)")
        let log = { Files.read(box.file("state/sandboxes/parent/log")) ?? "" }
        #expect(Clock.waitUntil { log().contains("ready") })
        let saved = try box.sandbox(["checkpoint", "parent", "--snapshot", "s"])
        #expect(saved.succeeded, "\(saved)")
        let restored = try box.sandbox(["restore", "s", "-d"])
        #expect(restored.succeeded, "\(restored)")
        try Files.write("", to: box.file("ask"))
        #expect(Clock.waitUntil { log().contains("7\n") }, "\(log())")
        #expect(try box.sandbox(["rm", "-f", "parent"]).succeeded)
    }

    @Test("a snapshot tells a person what is inside")
    func shown() throws {
        let scene = try SwitchScene()
        try scene.create()
        let web = try scene.start(
            "web", ["--address", "10.91.0.5/24"] + WarmServer.options,
            ["python3", "-c", WarmServer.script, "10.91.0.5"])
        #expect(Clock.waitUntil { web.log.contains("ready") })
        #expect(
            try scene.box.sandbox(["checkpoint", "web", "--snapshot", "s", "--leave-running", "--compress"]).succeeded)
        let shown = try scene.box.sandbox(["snapshot", "show", "s"])
        for part in [
            "of web: python3", "stood still for", "compressed,", "Processes", "Sockets", "LISTEN", "10.91.0.5:81",
            "Interfaces", "10.91.0.5/24", "Mounts", "/proc",
        ] { #expect(shown.out.contains(part), "\(part) in \(shown)") }
        let listed = try scene.box.sandbox(["snapshot", "list", "web"])
        #expect(listed.out.contains("web") && listed.lines.filter { !$0.isEmpty }.count == 2, "\(listed)")
        #expect(try scene.box.sandbox(["snapshot", "list", "nobody"]).lines.filter { !$0.isEmpty }.count <= 1)
        web.remove()
    }
}
