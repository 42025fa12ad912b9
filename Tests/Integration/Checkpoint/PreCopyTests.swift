import Glibc
import Testing

/// Whether the kernel tells which pages were written to (soft-dirty): bit 55 of their entries in /proc/PID/pagemap, all
/// cleared by a word to /proc/PID/clear_refs.
let tracksMemory: Bool = {
    guard let page = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), page != MAP_FAILED
    else { return false }
    defer { munmap(page, 4096) }
    page.storeBytes(of: 1, as: UInt8.self)
    guard (try? Files.write("4", to: "/proc/self/clear_refs")) != nil else { return false }
    page.storeBytes(of: 2, as: UInt8.self)
    let map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)
    defer { close(map) }
    var entry: UInt64 = 0
    guard pread(map, &entry, 8, off_t(UInt(bitPattern: page) / 4096 * 8)) == 8 else { return false }
    return entry >> 55 & 1 == 1
}()

/// Where the kernel cannot do it; where it can, Tests/vm/cases/precopy.sh and precopy-migrate.sh have it all.
@Suite(
    "Memory that is to be copied before a save", .serialized,
    .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct PreCopyTests {
    private func start(_ box: Box) throws {
        try box.must([
            box.binary, "run", "-d", "-n", "writer", "--set", "checkpoint.enabled=true", "--unshare", "net,pid,mount",
            "--", "python3", "-c", CheckpointCrashTests.counter,
        ])
        #expect(Clock.waitUntil(timeout: 20) { count(box) > 3 })
    }

    private func count(_ box: Box) -> Int {
        let log = Files.read(box.file("state/sandboxes/writer/log")) ?? ""
        return log.split(separator: "\n").last.flatMap { Int($0) } ?? 0
    }

    private func expectProgress(_ box: Box, _ place: String) {
        let before = count(box)
        #expect(Clock.waitUntil(timeout: 20) { count(box) > before + 5 }, "\(place): it stands still")
    }

    @Test(
        "a kernel that does not tell what is written to is named, and nothing is begun",
        .enabled(if: !tracksMemory, "this kernel tells what is written to"))
    func refused() throws {
        let box = try Box()
        try start(box)
        let touched = box.file("reached")
        let wrapper = try box.write("ssh", "#!/bin/sh\ntouch \(touched)\n", mode: 0o755)
        let keyed = ["--set", "checkpoint.enabled=true", "--set", "checkpoint.pre-copy=true"]
        let commands = [
            ["run", "-d", "-n", "keyed"] + keyed + ["--", "touch", touched],
            ["checkpoint", "writer", "--snapshot", "s", "--pre-copy"],
            ["checkpoint", "writer", "--pre-copy", "--rounds", "2", "--leave-running"],
            ["migrate", "writer", "host", "--pre-copy", "--ssh", wrapper],
        ]
        for command in commands {
            let outcome = try box.sandbox(command)
            #expect(outcome.status == 125 && outcome.out.isEmpty && outcome.errorLines.count == 1, "\(outcome)")
            #expect(outcome.err.contains("CONFIG_MEM_SOFT_DIRTY"), "\(outcome)")
        }
        #expect(Files.read(touched) == nil)
        #expect(Files.list(box.file("state/snapshots")).isEmpty)
        expectProgress(box, "refused")
        let doctor = try box.sandbox(["doctor"])
        #expect(doctor.out.contains("not on this kernel: CRIU is told which memory was written to"), "\(doctor)")
        // What needs none of it works.
        let saved = try box.sandbox(["checkpoint", "writer", "--snapshot", "s"])
        #expect(saved.succeeded, "\(saved)")
        #expect(try box.sandbox(["rm", "writer"]).succeeded)
    }

    @Test(
        "what does not go together is refused",
        arguments: [
            (["checkpoint", "x", "--no-pre-copy", "--rounds", "2"], "goes without --no-pre-copy"),
            (["checkpoint", "x", "--pre-copy", "--rounds", "0"], "0 is none of 1 to 32"),
            (["migrate", "x", "host", "--pre-copy", "--rounds", "33"], "33 is none of 1 to 32"),
            (["migrate", "x", "host", "--pre-copy", "--lazy"], "exclude each other"),
            (["checkpoint", "x", "--check", "--pre-copy"], "--check saves nothing"),
        ])
    func usage(_ words: [String], _ reason: String) throws {
        let outcome = try Box().sandbox(words)
        #expect(outcome.status == 125 && outcome.err.contains(reason), "\(outcome)")
    }

    @Test(
        "a paused one has nothing to be copied, and is saved as it is",
        .enabled(if: tracksMemory, "this kernel does not tell what is written to"))
    func paused() throws {
        let box = try Box()
        try start(box)
        try box.must([box.binary, "pause", "writer"])
        let saved = try box.sandbox(["checkpoint", "writer", "--snapshot", "s", "--pre-copy"], timeout: 60)
        #expect(saved.succeeded, "\(saved)")
        #expect(try box.sandbox(["snapshot", "show", "s"]).out.contains("copied before") == false)
        #expect(try box.sandbox(["rm", "-f", "writer"]).succeeded)
    }
}
