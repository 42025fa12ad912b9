import Glibc
import Testing

/// What a box stands on comes back: its root, changes of its files, mounts, control groups, and what it has written.
@Suite("Surroundings of a restored box", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct SurroundingsTests {
    private func begin(_ box: Box, _ options: [String], _ command: [String]) throws {
        let words = ["run", "-d", "-n", "box", "--set", "checkpoint.enabled=true"] + options + ["--"] + command
        let begun = try box.sandbox(words)
        #expect(begun.succeeded, "\(begun)")
    }

    /// Saves, forgets and restores it.
    private func cycle(_ box: Box, _ id: String, between: () throws -> Void = {}) throws {
        let saved = try box.sandbox(["checkpoint", "box", "--snapshot", id])
        #expect(saved.succeeded, "\(saved)")
        #expect(try box.sandbox(["rm", "box"]).succeeded)
        try between()
        let restored = try box.sandbox(["restore", id, "-d"])
        #expect(restored.succeeded, "\(restored)")
    }

    private func shell(_ box: Box, _ script: String) throws -> Outcome {
        try box.sandbox(["exec", "box", "--", "/bin/sh", "-c", script])
    }

    private func end(_ box: Box) throws {
        let removed = try box.sandbox(["rm", "-f", "box"])
        #expect(removed.succeeded, "\(removed)")
        #expect(Files.list(box.file("state/sandboxes")).isEmpty)
    }

    @Test("an overlay's changes go with the snapshot, watches on its files too")
    func overlay() throws {
        let box = try Box()
        let program = """
            import ctypes, os, time
            libc = ctypes.CDLL(None)
            open("/etc/added", "w").write("new")
            os.remove("/etc/hostname") if os.path.exists("/etc/hostname") else None
            watch = libc.inotify_init1(0o4000)
            libc.inotify_add_watch(watch, b"/etc/added", 2)
            n = 0
            while True:
                try:
                    print("seen", len(os.read(watch, 4096)), flush=True)
                except BlockingIOError:
                    n += 1
                    print("tick", n, flush=True)
                time.sleep(0.05)
            """
        try begin(box, ["--set", "filesystem.overlay={ upper = \"tmpfs\" }"], ["python3", "-c", program])
        func log() -> String { Files.read(box.file("state/sandboxes/box/log")) ?? "" }
        #expect(Clock.waitUntil { log().contains("tick 3") })
        for round in 1...2 {
            try cycle(box, "s\(round)")
            let told = try shell(box, "cat /etc/added; test -e /etc/hostname || echo gone; echo more >> /etc/added")
            #expect(told.out.hasPrefix("new") && told.out.hasSuffix("gone\n"), "\(told)")
            #expect(Clock.waitUntil { log().contains("seen") }, "round \(round)")
        }
        #expect(!Files.exists("/etc/added"))
        try end(box)
    }

    @Test("the place of a mount that is gone is named; made again, it is restored") func lostPlace() throws {
        let box = try Box()
        let place = try box.folder("place")
        let options = ["--set", "filesystem.tmpfs=[{ path = \"\(place)\" }]"]
        try begin(box, options, ["/bin/sh", "-c", "echo kept > \(place)/value; exec sleep 600"])
        #expect(Clock.waitUntil { (try? shell(box, "cat \(place)/value").text) == "kept" })
        try cycle(box, "s") {
            Harness.remove(place)
            expectRefused(try box.sandbox(["restore", "s", "-d"]), naming: place, "tmpfs", "make it again")
            try box.folder("place")
        }
        expectOutput(try shell(box, "cat \(place)/value"), "kept")
        try end(box)
    }

    @Test("a directory of changes is as it was at the save, whatever was done to it since; another name cannot have it")
    func keptOverlay() throws {
        let box = try Box()
        let kept = try box.folder("kept", mode: 0o700)
        let options = ["--set", "filesystem.overlay={ upper = \"\(kept)\" }"]
        try begin(box, options, ["/bin/sh", "-c", "echo old > /srv/value; exec sleep 600"])
        #expect(Clock.waitUntil { (try? shell(box, "cat /srv/value"))?.text == "old" })
        try cycle(box, "s") {
            let again = try box.launch(
                "", ["--unshare", "mount,pid"] + options, ["/bin/sh", "-c", "echo x > /srv/value"])
            #expect(again.succeeded, "\(again)")
            let other = try box.sandbox(["restore", "s", "-d", "-n", "other"])
            #expect(other.status == 125 && other.err.contains("filesystem.overlay.upper"), "\(other)")
        }
        expectOutput(try shell(box, "cat /srv/value"), "old")
        try end(box)
    }

    @Test("another root tree, with a directory bound into it")
    func root() throws {
        let box = try Box()
        let root = try Rootfs(in: box).path
        try box.folder("data")
        try begin(
            box, ["--root", root, "--bind", "\(box.file("data")):/home/alice:ro"],
            ["/bin/sh", "-c", "while :; do sleep 1; done"])
        try cycle(box, "s")
        let told = try shell(
            box,
            "cat /etc/os-release; grep -c '^[0-9]* [0-9]* [0-9:]* [^ ]* / ' /proc/self/mountinfo; echo x > /home/alice/x"
        )
        #expect(told.lines == ["ID=tiny", "1"] && told.err.contains("ead-only"), "\(told)")
        try end(box)
    }

    @Test("files of a profile, hidden paths, masks, namespaces and the control group are as they were")
    func mounts() throws {
        let box = try Box()
        let toml = """
            [checkpoint]
            enabled = true
            [namespaces]
            unshare = ["uts", "ipc", "cgroup"]
            [process]
            hostname = "inside"
            [filesystem]
            hide = ["/srv"]
            private = ["tmp", "dev"]
            files = [{ path = "/etc/motd", content = "from the profile", mode = "0640" }]
            masked-paths = ["/proc/keys"]
            [resources]
            pids = 50
            """
        let begun = try box.launch(toml, ["-d", "-n", "box"], ["sleep", "600"])
        #expect(begun.succeeded, "\(begun)")
        let script = """
            cat /etc/motd; stat -c %a /etc/motd; hostname; ls -A /srv | wc -l
            for path in /srv /etc/motd /proc/keys /tmp /dev; do
                awk -v p=$path '$5 == p { print $5, $6 }' /proc/1/mountinfo | tail -1
            done
            """
        let before = try shell(box, script)
        #expect(before.succeeded && before.lines.count == 8, "\(before)")
        for round in 1...2 {
            try cycle(box, "s\(round)")
            let after = try shell(box, script)
            #expect(after.lines == before.lines, "round \(round): \(after)")
            let inside = try box.sandbox(["exec", "box", "--", "cat", "/proc/self/cgroup"])
            #expect(inside.lines.allSatisfy { $0.hasSuffix(":/") || $0.contains("exec") }, "\(inside)")
        }
        let text = try box.sandbox(["snapshot", "show", "s1", "--json"]).document()[0]
        #expect(text["mounts"].items.contains { $0["path"].text == "/etc/motd" }, "\(text)")
        #expect(text["stdio"].items.count == 3 && (text["frozen"].number ?? 0) > 0, "\(text)")
        try end(box)
    }

    @Test("a process that has ended and waits for its parent comes back as that")
    func ended() throws {
        let box = try Box()
        let program = "import os, time\nif os.fork() == 0: os._exit(7)\nprint('ready', flush=True)\ntime.sleep(600)"
        try begin(box, [], ["python3", "-c", program])
        #expect(Clock.waitUntil { Files.read(box.file("state/sandboxes/box/log"))?.contains("ready") == true })
        try cycle(box, "s")
        let states = try shell(box, "grep -h ^State: /proc/[0-9]*/status")
        #expect(states.out.contains("Z (zombie)"), "\(states)")
        try end(box)
    }

    @Test("a log of limited size goes on without a gap")
    func limitedLog() throws {
        let box = try Box()
        let script = "n=0; while :; do n=$((n+1)); echo $n; sleep 0.005; done"
        try begin(box, ["--set", "lifecycle.log-size=\"1M\""], ["/bin/sh", "-c", script])
        func numbers() -> [Int] { ((try? box.sandbox(["logs", "box"]))?.lines ?? []).compactMap { Int($0) } }
        #expect(Clock.waitUntil { numbers().count > 20 })
        for round in 1...3 {
            try cycle(box, "s\(round)")
            let before = numbers().count
            #expect(Clock.waitUntil { numbers().count > before + 20 }, "round \(round)")
            let all = numbers()
            #expect(all == Array(1...max(1, all.count)), "round \(round): \(all.suffix(30))")
        }
        try end(box)
    }
}
