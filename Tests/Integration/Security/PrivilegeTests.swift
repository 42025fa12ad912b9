import CLinux
import Glibc
import Testing

extension Integration {
    /// Privileges that others' boxes gained or kept.
    @Suite("Security: privileges", .needsRoot) struct PrivilegeTests {
        let box: Box

        init() throws { box = try Box() }

        static let asUser = "[process]\nuser = \"1234\"\ngroup = \"1234\"\n"

        // MARK: - S14: inheritable and ambient capabilities

        @Test("S14: inheritable and ambient sets are exactly what was declared")
        func inheritable() throws {
            let plain = Status(try box.launch("", [], ["cat", "/proc/self/status"]).out)
            #expect(plain.set("CapInh") == 0 && plain.set("CapAmb") == 0)
            let kept = "[security.capabilities]\nkeep = [\"NET_RAW\"]\n"
            let some = Status(try box.launch(kept, [], ["cat", "/proc/self/status"]).out)
            #expect(some.set("CapInh") == 0 && some.set("CapAmb") == 0 && some.set("CapBnd") == 1 << 13)
            // The caller's own inheritable set does not pass through.
            let words = [box.binary, "run", "--", "cat", "/proc/self/status"]
            let caller = try box.run(["setpriv", "--inh-caps=+net_raw,+chown", "--ambient-caps=+net_raw"] + words)
            let inherited = Status(caller.out)
            #expect(caller.succeeded && inherited.set("CapInh") == 0 && inherited.set("CapAmb") == 0, "\(caller)")
        }

        @Test("S14: a file's inheritable capability gives nothing", .needsProgram("setcap"))
        func fileCapability() throws {
            let program = try capable()
            let lenient = Self.asUser + "no-new-privileges = false\n[security.capabilities]\nkeep = [\"NET_RAW\"]\n"
            let outcome = try box.launch(lenient, [], [program, "/proc/self/status"])
            #expect(outcome.succeeded && Status(outcome.out).set("CapPrm") == 0, "\(outcome)")
        }

        @Test("S14: control: with an inheritable set it does", .needsProgram("setcap"))
        func fileCapabilityControl() throws {
            let program = try capable()
            let lenient = Self.asUser + "no-new-privileges = false\n"
            let given = "[security.capabilities]\nkeep = [\"NET_RAW\"]\ninheritable = [\"NET_RAW\"]\n"
            let outcome = try box.launch(lenient + given, [], [program, "/proc/self/status"])
            #expect(outcome.succeeded && Status(outcome.out).set("CapPrm") == 1 << 13, "control: \(outcome)")
        }

        /// A program with cap_net_raw in its file's inheritable set.
        func capable() throws -> String {
            try box.must(["cp", "/bin/cat", box.file("capable")])
            try box.must(["setcap", "cap_net_raw+i", box.file("capable")])
            return box.file("capable")
        }

        // MARK: - S16: same-user processes and the privileged phase

        @Test("S16: there is no set-user-id mode") func noSetuid() throws {
            var status = stat()
            try #require(stat(box.binary, &status) == 0)
            #expect(status.st_mode & (S_ISUID | S_ISGID) == 0)
            try setuidCopy(of: box.binary)
            let user = try Box(as: Box.user)
            let outcome = try user.run([box.file("setuid"), "run", "--", "id", "-u"])
            #expect(outcome.status == 125 || outcome.text == "\(Box.user)", "\(outcome)")
        }

        @Test("S16: control: the set-user-id bit makes a careless launcher root") func noSetuidControl() throws {
            try setuidCopy(of: try Payload.naive())
            let user = try Box(as: Box.user)
            let outcome = try user.run([box.file("setuid"), "supervise", "cat", "/proc/self/status"])
            #expect(Status(outcome.out)["Uid"] == "\(Box.user) 0 0 0", "control: \(outcome)")
        }

        func setuidCopy(of path: String) throws {
            try box.must(["cp", path, box.file("setuid")])
            try box.must(["chmod", "4755", box.file("setuid")])
        }

        static let supervised = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"

        @Test("S16: the box cannot look into its process 1", arguments: ["", "[security.capabilities]\nkeep = []\n"])
        func traceInit(capabilities: String) throws {
            let toml = Self.supervised + (capabilities.isEmpty ? Self.asUser : "") + capabilities
            let outcome = try box.launch(toml, [], [try Payload.attack(), "trace", "1"])
            #expect(outcome.lines.count == 4 && !outcome.out.contains(" ok"), "\(outcome)")
        }

        @Test("S16: nor into its waiter, without root too", .needsUserNamespaces) func traceWaiter() throws {
            let user = try Box(as: Box.user)
            let toml = """
                [namespaces]
                unshare = ["user", "pid", "mount"]
                [filesystem]
                proc = "host"
                """
            let fifo = user.file("fifo")
            try user.must(["mkfifo", "-m", "666", fifo])
            let script = "echo up; read pid < \(fifo); exec \(try Payload.attack()) trace $pid"
            let child = try user.startSandbox(toml, [], ["sh", "-c", script])
            try #require(user.waitForOutput("up"), "\(Files.read(user.file("started.err")) ?? "")")
            // Process ids are those of the host here, as /proc is; attaching needs one of the box, hence no look at it.
            try Files.write("\(child.pid)\n", to: fifo)
            _ = child.wait()
            let lines = user.output().split(separator: "\n")
            #expect(lines.count == 5 && !lines.dropFirst().contains { $0.hasSuffix(" ok") }, "\(lines)")
        }

        @Test("S16: control: a process of the same user that takes no care is open") func traceControl() throws {
            let user = try Box(as: Box.user)
            let child = try user.start([try Payload.naive(), "linger"], name: "linger")
            defer { child.end() }
            try #require(user.waitForOutput("lingering", name: "linger"))
            let outcome = try user.run([try Payload.attack(), "trace", "\(child.pid)"])
            #expect(
                outcome.lines == ["memory ok", "environment ok", "descriptors ok", "attach ok"], "control: \(outcome)")
        }

        // MARK: - S18: helpers and shells

        @Test("S18: no shell and nothing but the command is executed", .needsProgram("strace")) func noShell() throws {
            let toml = """
                [namespaces]
                unshare = ["mount", "pid", "net", "uts", "ipc"]
                [filesystem]
                read-only = ["/usr"]
                private = ["tmp", "dev"]
                files = [{ path = "/tmp/$(touch made)", content = "x" }]
                [process]
                hostname = "a"
                [resources]
                pids = 50
                """
            let words = [box.binary, "run"] + (try box.profile(toml)) + ["--workdir", "/", "--", "/bin/true"]
            let outcome = try box.run(
                ["strace", "-f", "-qq", "-y", "-e", "trace=execve,execveat", "-o", box.file("trace")] + words)
            #expect(outcome.succeeded, "\(outcome)")
            let programs = executed()
            let own = try box.run(["realpath", box.binary]).text
            #expect(
                programs.count >= 2 && programs.allSatisfy { $0 == box.binary || $0 == own || $0 == "/bin/true" },
                "\(programs)")
            #expect(!Files.exists(box.file("made")))
        }

        @Test("S18: control: the same trace sees a shell that is there", .needsProgram("strace")) func noShellControl()
            throws
        {
            let words = [box.binary, "run", "--", "/bin/sh", "-c", "/bin/true"]
            _ = try box.run(
                ["strace", "-f", "-qq", "-y", "-e", "trace=execve,execveat", "-o", box.file("trace")] + words)
            #expect(executed().contains("/bin/sh"))
        }

        @Test(
            "S18: the id helpers get numbers and nothing else", .needsUserNamespaces, .needsProgram("strace"),
            .needsProgram("newuidmap"))
        func helperArguments() throws {
            let user = try Box(as: Box.user)
            // Traced, a set-user-id helper gains nothing: what counts is what it would have been told.
            let toml =
                "[namespaces]\nunshare = [\"user\"]\n[security]\nuid-map = [\"0 \(Box.user) 1\", \"1 300000 10\"]\n"
            let words = [user.binary, "run"] + (try user.profile(toml)) + ["--", "true"]
            let outcome = try user.run(["strace", "-f", "-qq", "-e", "trace=execve", "-o", user.file("trace")] + words)
            expectRefused(outcome)
            let lines = (Files.read(user.file("trace")) ?? "").split(separator: "\n")
            let helpers = lines.filter { $0.contains("newuidmap") || $0.contains("newgidmap") }
            #expect(!helpers.isEmpty, "\(lines)")
            for line in helpers {
                let words =
                    line.split(separator: "[").dropFirst().first?.split(separator: "]").first?.split(separator: ", ")
                    ?? []
                #expect(words.dropFirst().allSatisfy { $0.dropFirst().dropLast().allSatisfy(\.isNumber) }, "\(line)")
            }
            #expect(!lines.contains { $0.contains("/bin/sh\"") || $0.contains("bash\"") })
        }

        /// The programs in a trace.
        func executed() -> [String] {
            (Files.read(box.file("trace")) ?? "").split(separator: "\n").compactMap { line in
                guard line.contains("execve"), line.hasSuffix("= 0") else { return nil }
                // By a path, or by a descriptor, which strace names in angle brackets.
                if !line.contains("execveat(") { return Self.between("\"", "\"", line) }
                return Self.between("<", ">", line)
            }
        }

        /// What stands between the first two such marks of a line.
        static func between(_ opening: Character, _ closing: Character, _ line: Substring) -> String? {
            guard let start = line.firstIndex(of: opening) else { return nil }
            let rest = line[line.index(after: start)...]
            return rest.firstIndex(of: closing).map { String(rest[..<$0]) }
        }

        @Test("S18: an upper layer that is a link, or another user's, is refused") func overlayOwner() throws {
            let target = try box.folder("target")
            try Files.makeLink(box.file("link"), to: target)
            try box.folder("theirs")
            chown(box.file("theirs"), Box.user, Box.user)
            for name in ["link", "theirs"] {
                let outcome = try box.launch(overlay(name), [], ["touch", "/etc/\(box.mark)"])
                expectRefused(outcome, naming: "overlay.upper")
            }
            #expect(Files.list(target).isEmpty && Files.list(box.file("theirs")).isEmpty)
        }

        @Test("S18: control: one's own folder is used") func overlayOwnerControl() throws {
            try box.folder("mine")
            #expect(try box.launch(overlay("mine"), [], ["touch", "/etc/\(box.mark)"]).succeeded)
            #expect(!Files.list(box.file("mine")).isEmpty)
        }

        func overlay(_ name: String) -> String {
            "[namespaces]\nunshare = [\"mount\"]\n[filesystem]\noverlay = { upper = \"\(box.path)/\(name)\" }\n"
        }
    }
}
