import Glibc
import Testing

/// Whether CRIU is at hand for root.
let canCheckpoint =
    geteuid() == 0 && (access("/usr/local/lib/sandbox/criu/criu", X_OK) == 0 || getenv("SANDBOX_CRIU") != nil)

@Suite("Checkpoint and restore", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct CheckpointTests {
    private static let options = ["--unshare", "mount,net,pid,ipc,uts", "--set", "process.init=false"]
    private static let counter = "n=0; while :; do n=$((n+1)); echo $n; sleep 0.05; done"

    private func lines(_ box: Box, _ name: String) -> [Int] {
        let text = Files.read(box.file("state/sandboxes/\(name)/log")) ?? ""
        return text.split(separator: "\n").compactMap { Int($0) }
    }

    private func begin(_ box: Box) throws {
        let begun = try box.launch("", ["-d", "-n", "count"] + Self.options, ["/bin/sh", "-c", Self.counter])
        #expect(begun.succeeded, "\(begun)")
        #expect(Clock.waitUntil { lines(box, "count").count > 3 })
    }

    @Test("an application goes on where it was, and its log goes on too")
    func goesOn() throws {
        let box = try Box()
        try begin(box)
        let saved = try box.sandbox(["checkpoint", "count", "--snapshot", "s"])
        #expect(saved.succeeded && saved.text == "s", "\(saved)")
        #expect(box.phase("count") == "checkpointed")
        let before = lines(box, "count").count
        let restored = try box.sandbox(["restore", "s", "-d"])
        #expect(restored.succeeded, "\(restored)")
        #expect(Clock.waitUntil { lines(box, "count").count > before + 3 })
        let all = lines(box, "count")
        #expect(all == Array(1...all.count))
        #expect(box.phase("count") == "running")
        let ended = try box.sandbox(["kill", "-s", "KILL", "count"])
        #expect(ended.succeeded, "\(ended)")
        let status = try box.sandbox(["wait", "count"])
        #expect(status.status == 137, "\(status)")
        #expect(try box.sandbox(["rm", "count"]).succeeded)
    }

    @Test("with --leave-running the application goes on beside its snapshot")
    func leavesRunning() throws {
        let box = try Box()
        try begin(box)
        let saved = try box.sandbox(["checkpoint", "count", "--snapshot", "s", "--leave-running"])
        #expect(saved.succeeded, "\(saved)")
        let before = lines(box, "count").count
        #expect(Clock.waitUntil { lines(box, "count").count > before + 3 })
        #expect(box.phase("count") == "running")
        #expect(try box.sandbox(["rm", "-f", "count"]).succeeded)
    }

    @Test("a failed save lets the application go on, and leaves no snapshot")
    func failure() throws {
        let box = try Box()
        try begin(box)
        let saved = try box.sandbox(
            ["checkpoint", "count", "--snapshot", "s"], environment: ["SANDBOX_CRIU": "/bin/false"])
        #expect(saved.status == 125, "\(saved)")
        let before = lines(box, "count").count
        #expect(Clock.waitUntil { lines(box, "count").count > before + 3 })
        #expect(Files.list(box.file("state/snapshots")).isEmpty)
        #expect(!(try box.sandbox(["restore", "s", "-d"])).succeeded)
        #expect(try box.sandbox(["rm", "-f", "count"]).succeeded)
    }

    @Test("what cannot be saved is named before anything is touched")
    func refused() throws {
        let box = try Box()
        let begun = try box.launch("", ["-d", "-n", "own", "--unshare", "pid"], ["sleep", "60"])
        #expect(begun.succeeded, "\(begun)")
        let saved = try box.sandbox(["checkpoint", "own"])
        #expect(
            saved.status == 125 && saved.errorLines.count == 1 && saved.err.contains("checkpoint.enabled = true"),
            "\(saved)")
        #expect(try box.sandbox(["rm", "-f", "own"]).succeeded)
    }
}
