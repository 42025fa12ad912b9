import Glibc
import Testing

@Suite("Saving files in memory", .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct MemoryFileTests {
    private static let program = """
        import os, time
        file = os.memfd_create("kept")
        os.write(file, b"moon")
        again = os.open(f"/proc/self/fd/{file}", os.O_RDONLY)
        print("ready", flush=True)
        while not os.path.exists("/tmp/ask"): time.sleep(0.05)
        print("holds", os.read(again, 9).decode(), flush=True)
        time.sleep(1000)
        """

    @Test("what a program holds in one comes back", .needsProgram("python3"))
    func comesBack() throws {
        let box = try Box()
        let options = ["--unshare", "mount,net,pid,ipc,uts", "--private", "tmp", "--set", "checkpoint.enabled=true"]
        let script = try box.write("memory.py", Self.program)
        let bound = ["--bind", "\(script):/tmp/memory.py"]
        let begun = try box.launch("", ["-d", "-n", "memory"] + options + bound, ["python3", "/tmp/memory.py"])
        try #require(begun.succeeded, "\(begun)")
        func log() -> String { Files.read(box.file("state/sandboxes/memory/log")) ?? "" }
        try #require(Clock.waitUntil { log().contains("ready") })
        let saved = try box.sandbox(["checkpoint", "memory", "--snapshot", "s"])
        #expect(saved.succeeded, "\(saved)")
        let restored = try box.sandbox(["restore", "s", "-d"])
        #expect(restored.succeeded, "\(restored)")
        #expect(try box.sandbox(["exec", "memory", "--", "touch", "/tmp/ask"]).succeeded)
        #expect(Clock.waitUntil { log().contains("holds moon") }, "\(log())")
        #expect(try box.sandbox(["rm", "-f", "memory"]).succeeded)
    }
}
