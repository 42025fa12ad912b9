import Glibc
import Testing

/// `checkpoint.enabled = true`: a box that can be saved with nothing else said.
@Suite("Boxes made to be saved", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct EnabledTests {
    static let profile = "[checkpoint]\nenabled = true\n"

    private func answers(_ toml: String) throws -> [String: String] {
        let box = try Box()
        let outcome = try box.launch(toml, [], [Payload.probe(), "unsavable"])
        #expect(outcome.succeeded, "\(outcome)")
        var answers: [String: String] = [:]
        for line in outcome.lines {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 2 { answers[words[0]] = words[1] }
        }
        return answers
    }

    @Test("what no snapshot can hold is refused as by a kernel without it, and nothing else is")
    func refusals() throws {
        let inside = try answers(Self.profile)
        for name in ["io_uring", "memfd_secret", "userfaultfd", "perf_event_open", "mq_open"] {
            #expect(inside[name] == "ENOSYS", "\(name): \(inside)")
        }
        for name in ["bpf", "user", "pid", "ipc", "uts", "cgroup", "time"] {
            #expect(inside[name] == "EPERM", "\(name): \(inside)")
        }
        #expect(inside["vsock"] == "EAFNOSUPPORT" && inside["mptcp"] == "EPROTONOSUPPORT", "\(inside)")
        for name in ["tcp", "mount", "net"] { #expect(inside[name] == "ok", "\(name): \(inside)") }
        let outside = try answers("")
        for name in ["io_uring", "userfaultfd", "pid", "ipc", "uts"] {
            #expect(outside[name] == "ok", "control: \(name): \(outside)")
        }
    }

    @Test("an application is saved and goes on, with nothing said but checkpoint.enabled")
    func goesOn() throws {
        let box = try Box()
        let script = "n=0; while :; do n=$((n+1)); echo $n; sleep 0.05; done"
        let begun = try box.launch(Self.profile, ["-d", "-n", "count"], ["/bin/sh", "-c", script])
        #expect(begun.succeeded, "\(begun)")
        func lines() -> [Int] {
            (Files.read(box.file("state/sandboxes/count/log")) ?? "").split(separator: "\n").compactMap { Int($0) }
        }
        #expect(Clock.waitUntil { lines().count > 3 })
        for cycle in 1...2 {
            let clean = try box.sandbox(["checkpoint", "count", "--check"])
            #expect(clean.succeeded && clean.text == "nothing is in the way of saving count", "\(clean)")
            let saved = try box.sandbox(["checkpoint", "count", "--snapshot", "s\(cycle)"])
            #expect(saved.succeeded, "\(saved)")
            let before = lines().count
            let restored = try box.sandbox(["restore", "s\(cycle)", "-d"])
            #expect(restored.succeeded, "\(restored)")
            #expect(Clock.waitUntil { lines().count > before + 3 })
            #expect(lines() == Array(1...lines().count))
            let entered = try box.sandbox(["exec", "count", "--", Payload.probe(), "calls", "getpid", "bpf"])
            #expect(entered.lines == ["getpid ok", "bpf EPERM"], "\(entered)")
        }
        #expect(try box.sandbox(["rm", "-f", "count"]).succeeded)
    }

    @Test("--dry-run tells of it, and Landlock is refused with the reason")
    func told() throws {
        let box = try Box()
        let text = try box.launch(Self.profile, ["--dry-run"], ["true"])
        #expect(text.out.contains("io_uring") && text.out.contains("new: mount, pid"), "\(text)")
        let document = try box.launch(Self.profile, ["--dry-run", "--json"], ["true"]).document()
        #expect(document["checkpoint"]["enabled"].isTrue, "\(document)")
        let refused = try box.launch(Self.profile + "[filesystem]\nlandlock = true\n", [], ["true"])
        #expect(refused.status == 125 && refused.err.contains("CRIU drops"), "\(refused)")
    }

    @Test("files of the host's that keep namespaces are not in it: they come and go while it is saved")
    func namespaceFiles() throws {
        let scene = try SwitchScene()
        try scene.create("lab", ["--subnet", "10.86.0.0/24"])
        func mounts(_ options: [String]) throws -> String {
            try scene.box.sandbox(["run"] + options + ["--", "cat", "/proc/self/mountinfo"]).out
        }
        let own = scene.box.path + "/state/switches/"
        #expect(try mounts(["--unshare", "mount"]).contains(own))
        let enabled = try mounts(["--set", "checkpoint.enabled=true"])
        #expect(enabled.contains(" / ") && !enabled.contains(" - nsfs "), "\(enabled)")
    }

    @Test("one that is in it nevertheless is taken out before a save, and its going does not matter to a restore")
    func lateNamespaceFile() throws {
        let scene = try SwitchScene()
        try scene.create("lab", ["--subnet", "10.86.0.0/24"])
        let box = try RunningSandbox(scene.box, Self.profile)
        let (folder, pin) = (scene.box.file("pins"), scene.box.path + "/state/switches/lab/netns")
        let bind = "mkdir \(folder) && touch \(folder)/one && mount --bind /proc/self/ns/net \(folder)/one"
        try scene.box.must(
            ["nsenter", "-t", "\(box.process)", "-m", "-p", "--net=\(pin)", "--", "/bin/sh", "-c", bind])
        func mounts() -> String { Files.read("/proc/\(box.process)/mountinfo") ?? "" }
        #expect(mounts().contains(folder + "/one"))
        let saved = try scene.box.sandbox(["checkpoint", "first", "--snapshot", "late", "--leave-running"])
        #expect(saved.succeeded, "\(saved)")
        #expect(!mounts().contains(folder + "/one"))
        box.remove()
        #expect(unlink(folder + "/one") == 0 && rmdir(folder) == 0)
        let restored = try scene.box.sandbox(["restore", "late", "-d"])
        #expect(restored.succeeded, "\(restored)")
        #expect(try scene.box.sandbox(["rm", "-f", "first"]).succeeded)
    }
}
