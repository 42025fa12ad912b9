import CLinux
import Glibc
import Testing

private let keepsNotes: Bool = {
    var status = statfs()
    return statfs("/run", &status) == 0 && status.f_type == 0x0102_1994
}()

/// CRIU's notes about the kernel where it cannot keep them itself.
@Suite(
    "What CRIU need not find out again", .serialized,
    .enabled(
        if: canCheckpoint && !keepsNotes,
        "needs root, CRIU (make deps), and a /run that is no tmpfs: elsewhere CRIU keeps its notes itself"))
struct KernelNotesTests {
    private func start(_ box: Box) throws {
        try box.must([
            box.binary, "run", "-d", "-n", "quiet", "--set", "checkpoint.enabled=true", "--unshare", "pid,mount", "--",
            "sleep", "1000",
        ])
    }

    private func notes(_ box: Box) -> [String] {
        Files.list(box.file("state/criu")).filter { !$0.hasPrefix(".") }.map { box.file("state/criu/\($0)") }
    }

    private func inode(_ path: String) -> UInt64 {
        var status = Glibc.stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    private func saveAndRestore(_ box: Box, _ id: String) throws {
        let saved = try box.sandbox(["checkpoint", "quiet", "--snapshot", id], timeout: 60)
        #expect(saved.succeeded, "\(saved)")
        let restored = try box.sandbox(["restore", id, "-d"], timeout: 60)
        #expect(restored.succeeded, "\(restored)")
        #expect(box.phase("quiet") == "running")
    }

    @Test("they are taken once, and shown to each CRIU") func once() throws {
        let box = try Box()
        defer { _ = try? box.sandbox(["rm", "-f", "quiet"]) }
        try start(box)
        try saveAndRestore(box, "a")
        let first = try #require(notes(box).first)
        let before = inode(first)
        try saveAndRestore(box, "b")
        #expect(notes(box) == [first] && inode(first) == before)
        // Nothing of it is mounted where others see it.
        #expect(!(Files.read("/proc/self/mountinfo") ?? "").contains("criu.kdat"))
    }

    @Test("damaged ones, and those of another boot, are in nobody's way") func damaged() throws {
        let box = try Box()
        defer { _ = try? box.sandbox(["rm", "-f", "quiet"]) }
        try start(box)
        try saveAndRestore(box, "a")
        let file = try #require(notes(box).first)
        #expect(truncate(file, 7) == 0)
        try saveAndRestore(box, "b")
        #expect(rename(file, box.file("state/criu/another-boot")) == 0)
        try saveAndRestore(box, "c")
        #expect(notes(box) == [file])
    }
}
