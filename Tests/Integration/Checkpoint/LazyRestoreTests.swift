import Glibc
import Testing

/// A sandbox begins before its memory is there.
@Suite(
    "A sandbox whose memory comes in later", .serialized,
    .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct LazyRestoreTests {
    /// Looks at all of its memory again and again, every third time in a child, too, and says whether it is right.
    static func program(_ megabytes: Int) -> String {
        """
        import hashlib, os, time
        memory = [bytearray(hashlib.sha256(b"%d" % i).digest() * 32768) for i in range(\(megabytes))]
        def right():
            return all(m[-32:] == m[:32] == m[65536:65568] == hashlib.sha256(b"%d" % i).digest()
                       for i, m in enumerate(memory))
        n = 0
        while True:
            ok = right()
            n += 1
            if n % 3 == 0:
                child = os.fork()
                if child == 0: os._exit(0 if right() else 1)
                ok = ok and os.waitpid(child, 0)[1] == 0
            print(n, ok, flush=True)
            time.sleep(0.05)
        """
    }

    private func start(_ box: Box, _ megabytes: Int) throws {
        let unshared = ["--set", "checkpoint.enabled=true", "--unshare", "net,pid,mount"]
        try box.must(
            [box.binary, "run", "-d", "-n", "large"] + unshared + ["--", "python3", "-c", Self.program(megabytes)])
        #expect(Clock.waitUntil(timeout: 30) { lines(box).count > 3 })
    }

    private func save(_ box: Box) throws {
        let saved = try box.sandbox(["checkpoint", "large", "--snapshot", "s"], timeout: 60)
        #expect(saved.succeeded, "\(saved)")
    }

    private func lines(_ box: Box) -> [Substring] {
        (Files.read(box.file("state/sandboxes/large/log")) ?? "").split(separator: "\n")
    }

    private func expectRight(_ box: Box, _ place: String) {
        let before = lines(box).count
        #expect(Clock.waitUntil(timeout: 30) { lines(box).count > before + 6 }, "\(place): \(lines(box).suffix(3))")
        #expect(
            lines(box).allSatisfy { $0.hasSuffix("True") }, "\(place): \(lines(box).filter { !$0.hasSuffix("True") })")
    }

    private func has(_ box: Box, _ event: String) -> Bool {
        (Files.read(box.file("state/events")) ?? "").contains("\"event\":\"\(event)\"")
    }

    /// Processes that bring in memory for this box's sandbox.
    private func servers(_ box: Box) -> [pid_t] {
        Processes.all.filter { pid in
            Processes.command(pid).contains("lazy-pages")
                && (Files.linkTarget("/proc/\(pid)/cwd") ?? "").hasPrefix(box.file("state"))
        }
    }

    /// Processes of ours that belong to the restored sandbox, by their words.
    private func keepers(_ box: Box) -> [pid_t] {
        Processes.all.filter { pid in
            let words = Processes.command(pid)
            return words.first == box.binary && words.contains("restore") && words.contains("--lazy")
        }
    }

    private func restoreAndCheck(_ box: Box, _ place: String) throws {
        let restored = try box.sandbox(["restore", "s", "-d", "--lazy"], timeout: 60)
        #expect(restored.succeeded, "\(place): \(restored)")
        expectRight(box, place)
        #expect(Clock.waitUntil(timeout: 30) { has(box, "loaded") }, "\(place)")
        #expect(Clock.waitUntil { servers(box).isEmpty }, "\(place)")
        // The one that waits for it, and no other.
        #expect(Clock.waitUntil { keepers(box).count <= 1 }, "\(place): \(keepers(box))")
        let left = Files.list(box.file("state/sandboxes/large"))
        #expect(!left.contains("memory") && !left.contains("lazy-pages.socket"), "\(place): \(left)")
        expectRight(box, place)
    }

    @Test("it is right at once, and in the end; who brings it in is gone then; it can be saved again")
    func isRight() throws {
        let box = try Box()
        defer { _ = try? box.sandbox(["rm", "-f", "large"]) }
        try start(box, 100)
        try save(box)
        try restoreAndCheck(box, "whole")
        let again = try box.sandbox(["checkpoint", "large", "--snapshot", "t"], timeout: 60)
        #expect(again.succeeded, "\(again)")
        let restored = try box.sandbox(["restore", "t", "-d"], timeout: 60)
        #expect(restored.succeeded, "\(restored)")
        expectRight(box, "saved again")
    }

    @Test("from a compressed snapshot, too, of which no copy is left") func compressed() throws {
        let box = try Box()
        defer { _ = try? box.sandbox(["rm", "-f", "large"]) }
        try start(box, 40)
        try save(box)
        try box.must([box.binary, "snapshot", "compress", "s"])
        try restoreAndCheck(box, "compressed")
        #expect(Files.list(box.file("state/snapshots")).filter { $0 != "." && $0 != ".." } == ["s"])
    }

    /// Restores, and stops who brings the memory in while much of it is missing.
    private func interrupted(_ box: Box) throws -> pid_t {
        try start(box, 300)
        try save(box)
        let restored = try box.sandbox(["restore", "s", "-d", "--lazy"], timeout: 60)
        guard let server = servers(box).first else { throw Failure(saying: "all is there already: \(restored)") }
        kill(server, SIGSTOP)
        guard !has(box, "loaded") else { throw Failure(saying: "all was there already: \(restored)") }
        return server
    }

    @Test("while memory is missing it is not saved; when no more comes it is killed, which is told")
    func isLost() throws {
        let box = try Box()
        defer { _ = try? box.sandbox(["rm", "-f", "large"]) }
        let server = try interrupted(box)
        let saved = try box.sandbox(["checkpoint", "large"])
        #expect(saved.status == 125 && saved.err.contains("still coming in"), "\(saved)")
        kill(server, SIGKILL)
        #expect(Clock.waitUntil { box.phase("large") == "stopped" })
        #expect(Clock.waitUntil { has(box, "memory-lost") })
        #expect(lines(box).allSatisfy { !$0.hasSuffix("False") }, "\(lines(box).suffix(3))")
        #expect(Clock.waitUntil { servers(box).isEmpty && keepers(box).isEmpty })
        // The snapshot is as it was.
        let again = try box.sandbox(["restore", "s", "-d"], timeout: 60)
        #expect(again.succeeded, "\(again)")
        expectRight(box, "again")
    }

    @Test("one that ends while memory is missing leaves nobody") func ends() throws {
        let box = try Box()
        _ = try interrupted(box)
        let removed = try box.sandbox(["rm", "-f", "large"])
        #expect(removed.succeeded, "\(removed)")
        #expect(Clock.waitUntil { servers(box).isEmpty && keepers(box).isEmpty }, "\(servers(box)) \(keepers(box))")
        #expect(!has(box, "memory-lost"))
    }

    /// The snapshot's largest file of memory.
    private func memoryFile(_ box: Box) throws -> String {
        let folder = box.file("state/snapshots/s/images")
        let files = Files.list(folder).filter { $0.hasPrefix("pages-") }
        return folder + "/" + (try #require(files.max { size(folder + "/" + $0) < size(folder + "/" + $1) }))
    }

    private func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    private func flip(_ path: String, at place: Int) throws {
        let file = open(path, O_RDWR)
        defer { close(file) }
        var byte: UInt8 = 0
        try #require(pread(file, &byte, 1, place) == 1)
        byte ^= 4
        try #require(pwrite(file, &byte, 1, place) == 1)
    }

    @Test("a byte that was altered ends it before it is read; the others have come in until then") func altered() throws
    {
        let box = try Box()
        defer { _ = try? box.sandbox(["rm", "-f", "large"]) }
        try start(box, 100)
        try save(box)
        let file = try memoryFile(box)
        try flip(file, at: size(file) / 2)
        let restored = try box.sandbox(["restore", "s", "-d", "--lazy"], timeout: 60)
        #expect(restored.succeeded, "\(restored)")
        #expect(Clock.waitUntil(timeout: 30) { box.phase("large") == "stopped" })
        #expect(Clock.waitUntil { has(box, "memory-lost") })
        let events = Files.read(box.file("state/events")) ?? ""
        #expect(events.contains("has been altered") && !has(box, "loaded"), "\(events)")
        #expect(lines(box).allSatisfy { !$0.hasSuffix("False") }, "\(lines(box).suffix(3))")
        #expect(Clock.waitUntil { servers(box).isEmpty && keepers(box).isEmpty })
        // All of it before is refused at once, and nothing is altered any more when the byte is as it was.
        let whole = try box.sandbox(["restore", "s", "-d"], timeout: 60)
        #expect(whole.status == 125 && whole.err.contains("has been altered"), "\(whole)")
        try flip(file, at: size(file) / 2)
        try restoreAndCheck(box, "as it was")
    }

    @Test("digests of blocks that were altered, and memory that does not come later, are refused before")
    func refusedEarly()
        throws
    {
        let box = try Box()
        defer { _ = try? box.sandbox(["rm", "-f", "large"]) }
        try start(box, 10)
        try save(box)
        let blocks = box.file("state/snapshots/s/blocks")
        let list = blocks + "/" + (try #require(Files.list(blocks).first { $0.hasPrefix("pages-") }))
        try flip(list, at: 7)
        let restored = try box.sandbox(["restore", "s", "-d", "--lazy"], timeout: 60)
        #expect(restored.status == 125 && restored.err.contains("has been altered"), "\(restored)")
        #expect(box.phase("large") == "checkpointed")
        #expect(servers(box).isEmpty && keepers(box).isEmpty)
    }

    @Test("a CRIU that cannot do it is told, and nothing is left") func fails() throws {
        let box = try Box()
        try start(box, 5)
        try save(box)
        let wrapper = try box.write(
            "criu",
            """
            #!/bin/sh
            [ "$1" = lazy-pages ] && exit 1
            exec \(getenv("SANDBOX_CRIU").map { String(cString: $0) } ?? "/usr/local/lib/sandbox/criu/criu") "$@"
            """, mode: 0o755)
        let restored = try box.sandbox(["restore", "s", "-d", "--lazy"], environment: ["SANDBOX_CRIU": wrapper])
        #expect(restored.status == 125 && restored.err.contains("memory cannot be brought in"), "\(restored)")
        #expect(servers(box).isEmpty && keepers(box).isEmpty)
        #expect(box.phase("large") == "checkpointed")
        let whole = try box.sandbox(["restore", "s", "-d"], timeout: 60)
        #expect(whole.succeeded, "\(whole)")
        _ = try box.sandbox(["rm", "-f", "large"])
    }

    @Test("several at a time, each with memory of its own") func clones() throws {
        let box = try Box()
        defer { _ = try? box.sandbox(["rm", "-f", "large", "copy-1", "copy-2", "copy-3"]) }
        try start(box, 40)
        try save(box)
        let clones = try box.sandbox(["restore", "s", "--lazy", "--count", "3", "-n", "copy"], timeout: 60)
        #expect(clones.succeeded, "\(clones)")
        for name in ["copy-1", "copy-2", "copy-3"] {
            let log = { (Files.read(box.file("state/sandboxes/\(name)/log")) ?? "").split(separator: "\n") }
            let before = log().count
            #expect(Clock.waitUntil(timeout: 30) { log().count > before + 6 }, "\(name): \(log().suffix(3))")
            #expect(log().allSatisfy { $0.hasSuffix("True") }, "\(name): \(log().suffix(3))")
        }
        let events = { Files.read(box.file("state/events")) ?? "" }
        #expect(Clock.waitUntil(timeout: 30) { events().split(separator: "\"event\":\"loaded\"").count == 4 })
        #expect(Clock.waitUntil { servers(box).isEmpty && keepers(box).count <= 3 }, "\(servers(box)) \(keepers(box))")
    }

    @Test("a kernel without userfaultfd is refused with the reason") func refused() throws {
        let box = try Box()
        try start(box, 5)
        try save(box)
        defer { _ = try? box.sandbox(["rm", "-f", "large"]) }
        // As a kernel does that has no such call.
        let older = try box.sandbox([
            "run", "--set", "namespaces.unshare=[]", "--set", "security.seccomp.deny=[\"userfaultfd\"]", "--set",
            "security.seccomp.action=ENOSYS", "--", box.binary, "restore", "s", "-d", "--lazy",
        ])
        #expect(older.status == 125 && older.err.contains("no userfaultfd"), "\(older)")
        #expect(box.phase("large") == "checkpointed")
    }
}
