import CLinux
import Glibc
import Testing

extension Integration.SetupTests {
    // MARK: - S3: a part of a mount's target is swapped for a symbolic link

    @Test("S3: nothing appears outside while names are swapped") func swapped() throws {
        let race = try Race(box, try Rootfs(in: box))
        defer { race.end() }
        let toml = """
            [namespaces]
            unshare = ["mount"]
            [filesystem]
            root = "\(race.root.path)"
            overlay = { upper = "tmpfs" }
            tmpfs = [{ path = "/swap/mount" }]
            files = [{ path = "/swap/made/file", content = "x" }]
            bind = [{ from = "/etc", to = "/swap/bound/etc" }]
            [process]
            working-directory = "/"
            """
        var completed = 0
        for _ in 0..<60 {
            let outcome = try box.launch(toml, [], ["/bin/sh", "-c", "grep -c /swap/ /proc/self/mountinfo; true"])
            if outcome.succeeded { completed += 1 }
            #expect(outcome.succeeded || outcome.status == 125, "\(outcome)")
        }
        #expect(Clock.waitUntil(timeout: 60) { race.count > 10_000 })
        #expect(completed > 0)
        #expect(race.outside == ["witness"], "\(race.outside)")
    }

    @Test("S3: control: working by paths, the same race is lost") func swappedControl() throws {
        let race = try Race(box, try Rootfs(in: box))
        defer { race.end() }
        let lost = try Clock.waitUntil(timeout: 20) {
            for _ in 0..<50 { _ = try box.run([try Payload.naive(), "populate", race.root.path + "/swap/made"]) }
            return race.outside != ["witness"]
        }
        #expect(lost, "\(race.count) swaps")
    }

    // MARK: - S4: the parent of what is made is a symbolic link to the outside

    @Test("S4: nothing is made through a link to the outside") func linkedParent() throws {
        let root = try Rootfs(in: box)
        let outside = try box.folder("outside")
        try root.link("/absolute", to: outside)
        try root.link("/relative", to: "../../../../../../../../" + outside)
        try root.link("/oldroot", to: "/oldroot" + outside)
        for parent in ["absolute", "relative", "oldroot"] {
            for line in [
                "files = [{ path = \"/\(parent)/made\", content = \"x\" }]",
                "tmpfs = [{ path = \"/\(parent)/made\" }]",
                "bind = [{ from = \"/etc\", to = \"/\(parent)/made\" }]",
                "symlinks = [{ path = \"/\(parent)/made\", target = \"x\" }]",
            ] {
                for layer in ["", "overlay = { upper = \"tmpfs\" }"] {
                    let lines = "root = \"\(root.path)\"\n\(layer)\n\(line)\n"
                    let toml = "[namespaces]\nunshare = [\"mount\"]\n[filesystem]\n" + lines
                    let outcome = try box.launch(toml, ["--workdir", "/"], ["/bin/true"])
                    #expect(outcome.succeeded || outcome.status == 125, "\(line): \(outcome)")
                    #expect(Files.list(outside).isEmpty, "\(line): \(outcome)")
                }
            }
        }
    }

    @Test("S4: links within the root still work") func linkedParentInside() throws {
        let root = try Rootfs(in: box)
        try root.link("/var/run", to: "/run")
        try root.link("/var/relative", to: "../run")
        let toml = """
            [namespaces]
            unshare = ["mount"]
            [filesystem]
            root = "\(root.path)"
            files = [{ path = "/var/run/one", content = "1" }, { path = "/var/relative/two", content = "2" }]
            tmpfs = [{ path = "/run" }, { path = "/var/run/three" }]
            """
        let outcome = try box.launch(
            toml, ["--workdir", "/"], ["/bin/sh", "-c", "cat /run/one /run/two; echo; ls -d /run/three"])
        expectOutput(outcome, "12\n/run/three")
    }

    @Test("S4: control: by paths, a directory is made outside") func linkedParentControl() throws {
        let root = try Rootfs(in: box)
        let outside = try box.folder("outside")
        try root.link("/absolute", to: outside)
        try box.must([try Payload.naive(), "populate", root.path + "/absolute/made"])
        #expect(Files.list(outside) == ["made"])
    }

    // MARK: - S5, S6: device nodes that are something else

    @Test("S5: a null device that is a link masks all the same") func falseNull() throws {
        let (root, outside) = try falseDevices()
        for devices in ["", "private = [\"dev\"]"] {
            let toml = """
                [namespaces]
                unshare = ["mount", "pid"]
                [filesystem]
                root = "\(root.path)"
                hide = ["/etc/secret"]
                \(devices)
                """
            let outcome = try box.launch(
                toml, ["--workdir", "/"],
                [
                    "/bin/sh", "-c",
                    "cat /etc/secret; echo written > /etc/secret; echo written > /proc/kcore; echo end",
                ])
            #expect(outcome.lines == ["end"], "\(outcome)")
            #expect(Files.read(root.path + "/etc/secret") == "secret")
            #expect(Files.read(outside) == "ATTACK" && Files.read(root.path + "/leak") == "ATTACK", "\(outcome)")
        }
    }

    @Test("S5: a /dev that is a link to the outside is not followed") func falseDev() throws {
        let root = try Rootfs(in: box)
        let outside = try box.folder("outside")
        Harness.remove(root.path + "/dev")
        try root.link("/dev", to: outside)
        let toml =
            "[namespaces]\nunshare = [\"mount\"]\n[filesystem]\nroot = \"\(root.path)\"\nprivate = [\"dev\"]\n"
        let outcome = try box.launch(toml, ["--workdir", "/"], ["/bin/true"])
        #expect(outcome.succeeded || outcome.status == 125, "\(outcome)")
        #expect(Files.list(outside).isEmpty, "\(outcome)")
    }

    @Test("S5: control: masking by a path shows what the link names") func falseNullControl() throws {
        let (root, _) = try falseDevices()
        let outcome = try box.run(
            [
                try Payload.naive(), "cover", root.path + "/dev/null", root.path + "/etc/secret", "cat",
                root.path + "/etc/secret",
            ])
        expectOutput(outcome, "ATTACK")
    }

    /// A root whose null device and console are links to a file outside.
    func falseDevices() throws -> (Rootfs, String) {
        let root = try Rootfs(in: box)
        let outside = try box.write("target", "ATTACK")
        try root.write("/leak", "ATTACK")
        try root.write("/etc/secret", "secret")
        for name in ["null", "console", "ptmx", "tty"] { try root.link("/dev/" + name, to: outside) }
        try box.folder("rootfs/dev/pts")
        for number in 0..<4 { try root.link("/dev/pts/\(number)", to: outside) }
        return (root, outside)
    }

    @Test("S6: terminals that are links are not followed") func falseTerminals() throws {
        let (root, outside) = try falseDevices()
        for devices in ["", "private = [\"dev\"]"] {
            let toml = """
                [namespaces]
                unshare = ["mount", "pid"]
                [filesystem]
                root = "\(root.path)"
                \(devices)
                [process]
                terminal = "pty"
                working-directory = "/"
                """
            let words =
                [box.binary, "run"] + (try box.profile(toml)) + [
                    "--", "/bin/sh", "-c",
                    "tty; stat -f -c %T /dev/pts; cat /dev/console < /dev/null & sleep 0.2; echo end",
                ]
            let terminal = try PseudoTerminal(words, environment: box.environment, directory: box.path)
            #expect(terminal.waitForEnd() == .exited(0), "\(terminal.transcript)")
            #expect(terminal.transcript.contains("/dev/pts/0") && terminal.transcript.contains("devpts"))
            var status = stat()
            #expect(
                stat(outside, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o777 == 0o644
            )
            #expect(Files.read(outside) == "ATTACK", "\(terminal.transcript)")
            #expect(!terminal.transcript.contains("ATTACK"), "\(terminal.transcript)")
        }
    }

    @Test("S6: control: a terminal that is bound by a path covers the link's target") func falseTerminalsControl()
        throws
    {
        let (root, outside) = try falseDevices()
        let outcome = try box.run(
            [try Payload.naive(), "cover", "/dev/zero", root.path + "/dev/console", "stat", "-c", "%F", outside])
        expectOutput(outcome, "character special file")
    }

    // MARK: - S7: a /proc that is not procfs

    @Test("S7: what is written for the box goes to the kernel, not to a file that poses as /proc") func falseProc()
        throws
    {
        let root = try Rootfs(in: box)
        for folder in ["proc/self/attr", "proc/1", "proc/sys/kernel"] { try box.folder("rootfs/" + folder) }
        let posing = [
            "self/oom_score_adj", "self/uid_map", "self/gid_map", "self/setgroups", "self/attr/exec",
            "self/timens_offsets",
        ]
        for name in posing { try root.write("/proc/" + name, "posing") }
        let toml = """
            [namespaces]
            unshare = ["user", "mount", "time"]
            time-offset = { monotonic = 1000 }
            [filesystem]
            root = "\(root.path)"
            proc = "none"
            [process]
            oom-score-adjust = 456
            working-directory = "/"
            """
        let child = try box.startSandbox(
            toml, [], ["/bin/sh", "-c", "echo up; cat /proc/self/uid_map; exec sleep 100"])
        defer { child.end() }
        try #require(box.waitForOutput("up"), "\(Files.read(box.file("started.err")) ?? "")")
        #expect(Files.read("/proc/\(child.pid)/oom_score_adj") == "456\n")
        for name in posing { #expect(Files.read(root.path + "/proc/" + name) == "posing", "\(name)") }
    }

    @Test("S7: control: after a change of root, careless writes land in the posing file") func falseProcControl()
        throws
    {
        let root = try Rootfs(in: box)
        try box.folder("rootfs/proc/self")
        try root.write("/proc/self/oom_score_adj", "posing")
        try box.must([try Payload.naive(), "adjust", root.path, "/proc/self/oom_score_adj", "456"])
        #expect(Files.read(root.path + "/proc/self/oom_score_adj") == "456ing")
    }

    @Test(
        "S7: a /proc that is a link is refused, or becomes procfs",
        arguments: ["/fake", "outside", "fake", "/etc/passwd"])
    func linkedProc(target: String) throws {
        let root = try Rootfs(in: box)
        let outside = try box.folder("outside/sys")
        try box.folder("rootfs/fake/sys/kernel")
        Harness.remove(root.path + "/proc")
        try root.link("/proc", to: target == "outside" ? box.file("outside") : target)
        let toml = Self.ownPIDs + "[filesystem]\nroot = \"\(root.path)\"\n[process]\nworking-directory = \"/\"\n"
        let outcome = try box.launch(
            toml, [],
            ["/bin/sh", "-c", "stat -f -c %T /proc/self/; echo x > /proc/sys/kernel/domainname || echo refused"])
        #expect(outcome.status == 125 || outcome.lines == ["proc", "refused"], "\(outcome)")
        #expect(Files.list(outside).isEmpty)
    }
}

/// Two names that a process keeps swapping: a folder of a root, and a link to a folder outside of it.
private struct Race {
    let root: Rootfs
    private let box: Box
    private let child: Child

    init(_ box: Box, _ root: Rootfs) throws {
        self.box = box
        self.root = root
        let outside = try box.folder("outside")
        try box.write("outside/witness", "")
        try box.folder("rootfs/swap")
        try root.link("/link", to: outside)
        child = try box.start(
            [try Payload.attack(), "swap", root.path + "/swap", root.path + "/link", box.file("count")], name: "race")
    }

    /// How often the names were swapped so far.
    var count: Int { Int(Files.read(box.file("count")) ?? "") ?? 0 }
    var outside: [String] { Files.list(box.file("outside")) }

    func end() { child.end() }
}
