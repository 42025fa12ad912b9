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
                #expect(terminal.transcript.contains("hold EACCES"), "\(terminal.transcript)")
                #expect(try isWhole(victim), "\(terminal.transcript)")
            }
        }

        /// With fewer capabilities than the launcher, and with all that root in a box has when nothing is said.
        @Test("S1: nor a launcher that joins", arguments: ["[security.capabilities]\nkeep = [\"CHOWN\"]\n", ""])
        func executableOfJoiner(reduced: String) throws {
            let victim = try victim()
            let selection = try box.profile(reduced)
            var joins = 0
            let outcome = try ambush(reduced) { inner in
                // An attacker that got hold of the file read-only has given up before the last.
                for _ in 0..<20 where Files.exists("/proc/\(inner)/ns/mnt") {
                    let places = ["--join", "pid=/proc/\(inner)/ns/pid", "--join", "mount=/proc/\(inner)/ns/mnt"]
                    let joined = try box.run([victim, "run"] + selection + places + ["--", "/tmp/true"])
                    if joined.succeeded { joins += 1 }
                    #expect(joined.succeeded || !Files.exists("/proc/\(inner)/ns/mnt"), "\(joined)")
                }
            }
            #expect(joins > 0, "\(outcome)")
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
            let ambush = try Ambush(in: box)
            defer { withExtendedLifetime(ambush) {} }
            let toml = Self.ownPIDs + ambush.profile + privileges
            let child = try box.startSandbox(toml, [], Ambush.command, name: "ambush")
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
    }
}
