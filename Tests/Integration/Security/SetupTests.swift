import CLinux
import Glibc
import Testing

extension Integration {
    /// What went wrong elsewhere while a box was being set up: CVEs of runc, crun, bubblewrap, flatpak and firejail, by
    /// the ids of the project's list of security cases. Each attack is also made where nothing stands against it.
    @Suite("Security: set-up", .needsRoot) struct SetupTests {
        let box: Box

        init() throws { box = try Box() }

        static let ownPIDs = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"

        /// A copy of the executable that an attack may destroy.
        func victim() throws -> String {
            try box.must(["cp", Binary.path, box.file("victim")])
            return box.file("victim")
        }

        /// Whether a file still has another's bytes.
        func isWhole(_ path: String, as original: String = Binary.path) throws -> Bool {
            try box.run(["cmp", "-s", path, original]).succeeded
        }

        // MARK: - S1: the launcher's own executable is overwritten from within

        @Test("S1: process 1 of the box cannot be written through") func executableOfInit() throws {
            let victim = try victim()
            let words =
                [victim, "run"] + (try box.profile(Self.ownPIDs)) + ["--", try Payload.attack(), "overwrite", "1"]
            let outcome = try box.run(words)
            #expect(!outcome.out.contains("overwrite ok"), "\(outcome)")
            #expect(try isWhole(victim), "\(outcome)")
        }

        @Test("S1: nor a waiter outside, by someone who outlives it") func executableOfWaiter() throws {
            let victim = try victim()
            let toml = """
                [namespaces]
                unshare = ["mount"]
                [process]
                terminal = "pty"
                [filesystem]
                read-only = ["/"]
                [security.capabilities]
                keep = ["CHOWN"]
                """
            let script = "exec \(try Payload.attack()) overwrite $(cut -d' ' -f4 /proc/$PPID/stat)"
            for target in [script, "exec \(try Payload.attack()) overwrite $PPID"] {
                let words = [victim, "run"] + (try box.profile(toml)) + ["--", "sh", "-c", target]
                let terminal = try PseudoTerminal(words, environment: box.environment, directory: box.path)
                _ = terminal.waitForEnd()
                terminal.settle(1)
                #expect(!terminal.transcript.contains("hold ok"), "\(terminal.transcript)")
                #expect(try isWhole(victim), "\(terminal.transcript)")
            }
        }

        @Test("S1: nor a launcher that joins") func executableOfJoiner() throws {
            let victim = try victim()
            let reduced = "[security.capabilities]\nkeep = [\"CHOWN\"]\n"
            let selection = try box.profile(reduced)
            let outcome = try ambush(reduced) { inner in
                for _ in 0..<20 {
                    let joins = ["--join", "pid=/proc/\(inner)/ns/pid", "--join", "mount=/proc/\(inner)/ns/mnt"]
                    let joined = try box.run([victim, "run"] + selection + joins + ["--", "/tmp/true"])
                    #expect(joined.succeeded, "\(joined)")
                }
            }
            #expect(!outcome.contains("overwrite ok"), "\(outcome)")
            #expect(try isWhole(victim))
        }

        @Test("S1: control: careless launchers are overwritten") func executableControl() throws {
            try box.must(["cp", try Payload.naive(), box.file("careless")])
            let script = "exec \(try Payload.attack()) overwrite $PPID"
            _ = try box.run([box.file("careless"), "supervise", "sh", "-c", script])
            let overwritten = try Clock.waitUntil { try !isWhole(box.file("careless"), as: try Payload.naive()) }
            #expect(overwritten)
            try box.must(["cp", try Payload.naive(), box.file("joiner")])
            let outcome = try ambush("") { inner in
                _ = try box.run([box.file("joiner"), "join", "\(inner)", "/tmp/true"])
            }
            #expect(outcome.contains("caught ok") && outcome.contains("overwrite ok"), "\(outcome)")
        }

        /// A box with an attacker that lies in wait for what enters; `entering` gets its process id outside.
        func ambush(_ privileges: String, _ entering: (pid_t) throws -> Void) throws -> String {
            let root = try Rootfs(in: box, name: "ambush")
            try box.must(["mount", "-t", "tmpfs", "none", root.path + "/tmp"])
            defer { _ = try? box.run(["umount", "-l", root.path + "/tmp"]) }
            // On a file system of its own, the attacker's executable is told from others by its device.
            try box.must(["cp", try Payload.attack(), root.path + "/tmp/attack"])
            try box.must(["cp", root.path + "/bin/busybox", root.path + "/tmp/true"])
            let place = "[filesystem]\nroot = \"\(root.path)\"\n[process]\nworking-directory = \"/\"\n"
            let toml = Self.ownPIDs + place + privileges
            let child = try box.startSandbox(toml, [], ["/tmp/attack", "ambush", "/tmp/attack", "3"], name: "ambush")
            try #require(box.waitForOutput("waiting", name: "ambush"), "\(Files.read(box.file("ambush.err")) ?? "")")
            let inner = try #require(
                Processes.marked(Leaks.variable, box.mark).first {
                    Processes.command($0).contains("ambush") && $0 != child.pid
                })
            try entering(inner)
            _ = child.wait()
            return box.output("ambush")
        }

        // MARK: - S2: the working directory leads out of the box

        @Test("S2: a working directory through an inherited descriptor is refused") func descriptorDirectory() throws {
            let root = try Rootfs(in: box)
            let outside = linux_open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
            defer { close(outside) }
            let held = Dictionary(uniqueKeysWithValues: (3...20).map { (Int32($0), outside) })
            for number in 0...30 {
                for toml in ["", Self.ownPIDs] {
                    let outcome = try box.launch(
                        toml, ["--unshare", "mount", "--root", root.path, "--workdir", "/proc/self/fd/\(number)"],
                        ["/bin/sh", "-c", "pwd; ls"], descriptors: held)
                    expectRefused(outcome)
                }
            }
        }

        @Test("S2: nothing is inherited, and the working directory is a path of the box") func inherited() throws {
            let root = try Rootfs(in: box)
            let outside = linux_open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
            defer { close(outside) }
            let held = Dictionary(uniqueKeysWithValues: (3...20).map { (Int32($0), outside) })
            for toml in ["", Self.ownPIDs] {
                let outcome = try box.launch(
                    toml, ["--unshare", "mount", "--root", root.path], ["/bin/sh", "-c", "/bin/probe open; pwd"],
                    descriptors: held)
                expectOutput(outcome, "0\n1\n2\n/")
            }
        }

        @Test("S2: control: a kept descriptor leads out, and so does a careless launcher's") func inheritedControl()
            throws
        {
            let root = try Rootfs(in: box)
            try box.write("outside-file", "")
            let outside = linux_open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
            defer { close(outside) }
            let kept = try box.launch(
                "[process]\nkeep-descriptors = [7]\n", ["--unshare", "mount", "--root", root.path],
                ["/bin/sh", "-c", "ls /proc/self/fd/7/"], descriptors: [7: outside])
            #expect(kept.out.contains("outside-file"), "control: \(kept)")
            try box.must(["mkdir", "-p", root.path + "/proc/self/fd"])
            let careless = try box.run(
                [try Payload.naive(), "enter-first", root.path, "/proc/self/fd/7", "/bin/ls"], descriptors: [7: outside]
            )
            #expect(careless.out.contains("outside-file"), "control: \(careless)")
        }

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
                #expect(outcome.status == 125 || outcome.lines == ["end"], "\(outcome)")
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
                _ = terminal.waitForEnd()
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

        // MARK: - S8: the box swaps its own folder for a link

        @Test("S8: a folder that became a link is not followed") func swappedSource() throws {
            let outcomes = try swapSource(options: "[\"nofollow\"]")
            #expect(outcomes.first.succeeded, "\(outcomes.first)")
            expectRefused(outcomes.second, naming: "persist")
        }

        @Test("S8: control: without nofollow the second run shows the link's target") func swappedSourceControl() throws
        {
            let outcomes = try swapSource(options: "[]")
            #expect(outcomes.first.succeeded && outcomes.second.text == "private key", "control: \(outcomes.second)")
        }

        /// A box replaces the folder that was bound for it by a link to the user's keys; then it is run again.
        func swapSource(options: String) throws -> (first: Outcome, second: Outcome) {
            try box.folder("home/.ssh")
            try box.write("home/.ssh/id", "private key\n")
            try box.folder("home/persist/data")
            let toml = """
                [namespaces]
                unshare = ["mount"]
                [filesystem]
                private = ["home"]
                bind = [{ from = "~/persist", to = "\(box.path)/home/persist" },
                        { from = "~/persist/data", to = "/mnt", options = \(options) }]
                """
            let swap = "cd ~/persist && mv data gone && ln -s ../.ssh data"
            let first = try box.launch(toml, ["--workdir", "/"], ["sh", "-c", swap])
            return (first, try box.launch(toml, ["--workdir", "/"], ["cat", "/mnt/id"]))
        }

        @Test("S8: a kept overlay whose folders became links is refused") func swappedOverlay() throws {
            let root = try Rootfs(in: box)
            let upper = try box.folder("changes")
            let target = try box.folder("target")
            let toml = """
                [namespaces]
                unshare = ["mount"]
                [filesystem]
                root = "\(root.path)"
                overlay = { upper = "\(upper)" }
                [process]
                working-directory = "/"
                """
            #expect(try box.launch(toml, [], ["/bin/touch", "/made"]).succeeded)
            for name in Files.list(upper) {
                try box.must(["mv", upper + "/" + name, box.file("away")])
                try Files.makeLink(upper + "/" + name, to: target)
                let outcome = try box.launch(toml, [], ["/bin/touch", "/second"])
                #expect(outcome.status == 125 || Files.list(target).isEmpty, "\(name): \(outcome)")
                #expect(Files.list(target).isEmpty, "\(name): \(Files.list(target))")
                try box.must(["rm", upper + "/" + name])
                try box.must(["mv", box.file("away"), upper + "/" + name])
            }
        }

        // MARK: - S9: words of the command taken for ours

        @Test("S9: a command whose name looks like an option is a command") func optionNames() throws {
            for name in ["--bind", "--dev-bind", "-p", "--", "--set"] {
                let folder = try box.folder("bin")
                try Files.write("#!/bin/sh\necho ran \"$0\" \"$@\"\n", to: folder + "/" + name, mode: 0o755)
                let path = ["PATH": folder + ":/usr/bin:/bin"]
                let words = ["run", "--env", "PATH=\(folder):/usr/bin:/bin", "--", name, "/", "/mnt"]
                expectOutput(try box.sandbox(words, environment: path), "ran \(folder)/\(name) / /mnt")
                let toml = "[process]\ncommand = [\"\(name)\", \"/\", \"/mnt\"]\n"
                let chosen = try box.sandbox(["run"] + (try box.profile(toml)), environment: path)
                expectOutput(chosen, "ran \(folder)/\(name) / /mnt")
            }
            expectRefused(try box.sandbox(["run", "--", "--no-such-option"]), status: 127, naming: "--no-such-option")
        }

        @Test("S9: options after the first word are the command's") func laterOptions() throws {
            let before = Processes.namespace("net") ?? ""
            let command = ["sh", "-c", "readlink /proc/self/ns/net; echo $1", "sh"]
            let outcome = try box.sandbox(["run"] + command + ["--unshare=net"])
            expectOutput(outcome, before + "\n--unshare=net")
            let control = try box.sandbox(["run", "--unshare=net"] + command)
            #expect(control.succeeded && control.lines.first != before, "control: \(control)")
        }

        // MARK: - S10: files written on the user's behalf

        @Test(
            "S10: no option writes, fetches or puts files",
            arguments: ["--output=x", "--output", "--get", "--put", "--log"])
        func noFileOptions(option: String) throws {
            expectRefused(try box.sandbox(["run", option, "--", "true"]))
            expectOutput(try box.sandbox(["run", "--", "echo", option]), option)
            #expect(!Files.exists(box.file("x")))
            for command in ["get", "put", "--get=x"] { expectRefused(try box.sandbox([command, "x", "/etc/passwd"])) }
        }

        @Test("S10: control: an option of ours before the command does act") func fileOptionsControl() throws {
            expectOutput(try box.sandbox(["run", "--env", "A=acts", "--", "printenv", "A"]), "acts")
        }
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
