import Glibc
import Testing

@Suite(
    "Snapshots by the clock, and back to them", .serialized,
    .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct PeriodicTests {
    /// Counts; ends with a failure once its word, a file, is there.
    private static let counter =
        "n=0; while :; do n=$((n+1)); echo $n; sleep 0.05; if test -e \"$0\"; then exit 3; fi; done"

    private func begin(_ box: Box, _ keys: String = "", _ lifecycle: String = "") throws {
        let begun = try box.launch(
            EnabledTests.profile + keys + "\n[lifecycle]\n" + lifecycle, ["-d", "-n", "count"],
            ["/bin/sh", "-c", Self.counter, box.file("fail")])
        #expect(begun.succeeded, "\(begun)")
        #expect(Clock.waitUntil { lines(box).count > 3 })
    }

    private func lines(_ box: Box) -> [Int] {
        let text = Files.read(box.file("state/sandboxes/count/log")) ?? ""
        return text.split(separator: "\n").compactMap { Int($0) }
    }

    private func restarts(_ box: Box) -> Int {
        let text = Files.read(box.file("state/sandboxes/count/state.toml")) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("restarts = ") }
        return line.flatMap { Int($0.dropFirst(11)) } ?? 0
    }

    private func snapshots(_ box: Box) -> [String] {
        Files.list(box.file("state/snapshots")).filter { !$0.hasPrefix(".") }.sorted()
    }

    @Test("checkpoint.every takes snapshots of which the newest are kept, and others stay")
    func every() throws {
        let box = try Box()
        try begin(box, "every = \"1s\"\nkeep = 2\ncompression = \"zstd\"\n")
        #expect(try box.sandbox(["checkpoint", "count", "--snapshot", "mine", "--leave-running"]).succeeded)
        var seen: Set<String> = []
        #expect(
            Clock.waitUntil(timeout: 30) {
                seen.formUnion(snapshots(box))
                return seen.count >= 5
            })
        #expect(Clock.waitUntil { snapshots(box).count <= 3 })
        #expect(snapshots(box).contains("mine"))
        #expect(box.phase("count") == "running")
        let all = lines(box)
        #expect(all == Array(1...all.count))
        // Restored, it goes on to be saved.
        #expect(try box.sandbox(["rm", "-f", "count"]).succeeded)
        let kept = Set(snapshots(box))
        let restored = try box.sandbox(["restore", "--latest", "count", "-d"])
        #expect(restored.succeeded, "\(restored)")
        #expect(Clock.waitUntil(timeout: 30) { !Set(snapshots(box)).isSubset(of: kept) })
        #expect(try box.sandbox(["rm", "-f", "count"]).succeeded)
        // One that was being saved at that time is given up.
        #expect(Clock.waitUntil { !Files.list(box.file("state/snapshots")).contains { $0.hasPrefix(".") } })
    }

    @Test("what cannot be saved by the clock is told of, and the application goes on")
    func fails() throws {
        let box = try Box()
        // Known at the launch, and not there any more later.
        let criu = try box.write("criu", "#!/bin/sh\nexit 1\n", mode: 0o755)
        let profile = try box.profile(EnabledTests.profile + "every = \"1s\"\n")
        let begun = try box.sandbox(
            ["run"] + profile + ["-d", "-n", "count", "--", "/bin/sh", "-c", Self.counter, box.file("fail")],
            environment: ["SANDBOX_CRIU": criu])
        #expect(begun.succeeded, "\(begun)")
        #expect(
            Clock.waitUntil(timeout: 30) {
                (try? box.sandbox(["events", "--no-follow"]).out.contains("save-failed")) ?? false
            })
        #expect(box.phase("count") == "running" && snapshots(box).isEmpty)
        #expect(try box.sandbox(["rm", "-f", "count"]).succeeded)
    }

    @Test("--replace ends what runs and goes back to the newest snapshot")
    func back() throws {
        let box = try Box()
        try begin(box)
        #expect(try box.sandbox(["checkpoint", "count", "--snapshot", "s", "--leave-running"]).succeeded)
        let saved = lines(box).count
        #expect(Clock.waitUntil { lines(box).count > saved + 20 })
        let running = try box.sandbox(["restore", "--latest", "count", "-d"])
        #expect(running.status == 125 && running.err.contains("running already"), "\(running)")
        let first = box.recorded("process", of: "count")?.pid ?? 0
        let replaced = try box.sandbox(["restore", "--latest", "count", "-d", "--replace"])
        #expect(replaced.succeeded, "\(replaced)")
        #expect(kill(first, 0) != 0)
        #expect(lines(box).count < saved + 20)
        #expect(Clock.waitUntil { lines(box).count > saved + 3 })
        let unknown = try box.sandbox(["restore", "--latest", "nobody", "-d", "--replace"])
        #expect(unknown.status == 125 && unknown.err.contains("no snapshot of \"nobody\""), "\(unknown)")
        #expect(try box.sandbox(["rm", "-f", "count"]).succeeded)
    }

    @Test("after a failure the policy from-snapshot goes on from the newest, or begins anew while there is none")
    func restart() throws {
        let box = try Box()
        try begin(box, "", "restart = \"from-snapshot\"\n")
        try Files.write("", to: box.file("fail"))
        // Nothing to go on from.
        #expect(Clock.waitUntil { lines(box).filter { $0 == 1 }.count >= 2 })
        unlink(box.file("fail"))
        let fresh = lines(box).count
        #expect(Clock.waitUntil { lines(box).count > fresh + 5 })
        #expect(try box.sandbox(["checkpoint", "count", "--snapshot", "s", "--leave-running"]).succeeded)
        let begins = lines(box).filter { $0 == 1 }.count
        let reached = lines(box).last ?? 0
        #expect(Clock.waitUntil { (lines(box).last ?? 0) > reached + 10 })
        let before = restarts(box)
        try Files.write("", to: box.file("fail"))
        #expect(Clock.waitUntil { self.restarts(box) > before })
        unlink(box.file("fail"))
        #expect(Clock.waitUntil { box.phase("count") == "running" && (lines(box).last ?? 0) > reached + 5 })
        #expect(lines(box).filter { $0 == 1 }.count == begins, "it began anew: \(lines(box))")
        #expect(try box.sandbox(["rm", "-f", "count"]).succeeded)
    }

    @Test("a compressed snapshot is restored, alone and as clones, and leaves no expanded copy")
    func compressed() throws {
        let box = try Box()
        try begin(box)
        #expect(try box.sandbox(["checkpoint", "count", "--snapshot", "s", "--compress"]).succeeded)
        #expect(Files.list(box.file("state/snapshots/s/images")).contains { $0.hasSuffix(".zst") })
        #expect(try box.sandbox(["snapshot", "verify", "s"]).succeeded)
        let before = lines(box).count
        let restored = try box.sandbox(["restore", "s", "-d"])
        #expect(restored.succeeded, "\(restored)")
        #expect(Clock.waitUntil { lines(box).count > before + 3 })
        let clones = try box.sandbox(["restore", "s", "--count", "2"], timeout: 60)
        #expect(clones.succeeded, "\(clones)")
        #expect(Files.list(box.file("state/snapshots")) == ["s"])
        #expect(try box.sandbox(["rm", "-f", "count", "count-1", "count-2"]).succeeded)
    }

    @Test("what a killed restore left of its images is taken away by gc")
    func swept() throws {
        let box = try Box()
        try begin(box)
        #expect(try box.sandbox(["checkpoint", "count", "--snapshot", "s", "--leave-running"]).succeeded)
        let left = ["state/sandboxes/count/.images.4194303.1", "state/snapshots/.s.images.4194303.1"]
        for folder in left {
            try Files.makeDirectory(box.file(folder), mode: 0o700)
            try box.write(folder + "/files.img", "x", mode: 0o600)
            symlink("/etc/passwd", box.file(folder + "/pages-1.img"))
        }
        let swept = try box.sandbox(["gc"])
        #expect(swept.succeeded, "\(swept)")
        for folder in left { #expect(!Files.exists(box.file(folder))) }
        #expect(Files.exists("/etc/passwd") && snapshots(box) == ["s"])
        #expect(try box.sandbox(["rm", "-f", "count"]).succeeded)
    }
}
