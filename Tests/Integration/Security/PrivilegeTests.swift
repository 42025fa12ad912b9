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
                ["strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", box.file("trace")] + words)
            #expect(outcome.succeeded, "\(outcome)")
            let programs = executed()
            #expect(programs.count >= 2 && programs.allSatisfy { $0 == box.binary || $0 == "/bin/true" }, "\(programs)")
            #expect(!Files.exists(box.file("made")))
        }

        @Test("S18: control: the same trace sees a shell that is there", .needsProgram("strace")) func noShellControl()
            throws
        {
            let words = [box.binary, "run", "--", "/bin/sh", "-c", "/bin/true"]
            _ = try box.run(["strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", box.file("trace")] + words)
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
                return line.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first.map(String.init)
            }
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

        // MARK: - S19, S20: control groups

        @Test(
            "S19: a delegated control group is not to be written", .needsUserNamespaces,
            .enabled(if: Machine.canDelegate, "no version 2 hierarchy"))
        func delegated() throws {
            let outcome = try delegation(readOnly: true)
            #expect(outcome.status != 0 && outcome.err.contains("Read-only"), "\(outcome)")
        }

        @Test(
            "S19: control: without read-only it is", .needsUserNamespaces,
            .enabled(if: Machine.canDelegate, "no version 2 hierarchy"))
        func delegatedControl() throws {
            let outcome = try delegation(readOnly: false)
            #expect(outcome.succeeded, "control: \(outcome)")
        }

        /// Makes a group below one that was given to a user, from that user's box.
        func delegation(readOnly: Bool) throws -> Outcome {
            let user = try Box(as: Box.user)
            let group = Machine.unified + "/" + user.mark
            try box.must(["mkdir", group])
            defer {
                _ = rmdir(group + "/inner")
                _ = rmdir(group)
            }
            chown(group, Box.user, Box.user)
            let rule = readOnly ? "read-only = [\"/\"]" : ""
            let toml = "[namespaces]\nunshare = [\"user\", \"mount\"]\n[filesystem]\n\(rule)\n"
            return try user.launch(toml, [], ["mkdir", group + "/inner"])
        }

        /// Mounts a hierarchy of version 1 and writes what is already there into its release agent's name.
        static let release = """
            mkdir /tmp/cg && mount -t cgroup -o memory none /tmp/cg && cat /tmp/cg/release_agent > /tmp/agent
            cat /tmp/agent > /tmp/cg/release_agent && printf '' > /tmp/cg/release_agent && echo WRITTEN
            """

        static func release(_ security: String) -> String {
            "[namespaces]\nunshare = [\"mount\"]\n[filesystem]\nprivate = [\"tmp\"]\n[process]\nworking-directory = \"/\"\n"
                + security
        }

        @Test(
            "S20: release_agent is out of reach, nested namespaces allowed or not", .needsControllerV1("memory"),
            arguments: ["allow", "deny"])
        func releaseAgent(nested: String) throws {
            let security = "user = \"1234\"\ngroup = \"1234\"\n[security]\nuser-namespaces = \"\(nested)\"\n"
            let direct = try box.shell(Self.release(security), [], Self.release)
            #expect(!direct.out.contains("WRITTEN") && direct.status != 0, "\(direct)")
            let further = "unshare -UrmC sh -c '\(Self.release.replacing("'", with: "\""))'"
            let outcome = try box.shell(Self.release(security), [], further)
            #expect(!outcome.out.contains("WRITTEN") && outcome.status != 0, "\(outcome)")
            // Allowed, it fails where the hierarchy is written or mounted, and not before.
            #expect(outcome.err.contains("unshare failed") == (nested == "deny"), "\(outcome)")
        }

        @Test("S20: control: with all of root's capabilities it is not", .needsControllerV1("memory"))
        func releaseAgentControl() throws {
            let outcome = try box.shell(Self.release(""), [], Self.release)
            #expect(outcome.out.contains("WRITTEN"), "control: \(outcome)")
        }

        // MARK: - S21: nested user namespaces

        @Test("S21: no user namespace by any call of any table, and none of the mount calls", .needsX86)
        func nested() throws {
            let toml = "[security]\nuser-namespaces = \"deny\"\nseccomp = { deny = [\"@mount\"] }\n"
            for profile in [toml, toml + Self.asUser] {
                let outcome = try box.launch(profile, [], [try Payload.probe(), "userns"])
                #expect(outcome.succeeded && outcome.lines.count == 5 && !outcome.out.contains(" ok"), "\(outcome)")
                let calls = try box.launch(profile, [], [try Payload.probe(), "calls", "fsopen", "fsconfig"])
                #expect(calls.lines == ["fsopen ENOSYS", "fsconfig ENOSYS"], "\(calls)")
                #expect(try box.shell(profile, [], "sh -c 'exit 3'").ending == .exited(3), "ordinary processes go on")
            }
        }

        @Test("S21: control: allowed, they are made", .needsX86) func nestedControl() throws {
            let toml = "[security]\nuser-namespaces = \"allow\"\n"
            let outcome = try box.launch(toml, [], [try Payload.probe(), "userns"])
            #expect(outcome.lines.prefix(3) == ["clone ok", "clone3 ok", "unshare ok"], "control: \(outcome)")
        }

        // MARK: - S22: a state folder that someone else made

        @Test("S22: a hostile state folder is refused", arguments: ["link", "foreign", "open"])
        func hostileState(kind: String) throws {
            let state = box.file("hostile")
            switch kind {
            case "link":
                try box.folder("target")
                try Files.makeLink(state, to: box.file("target"))
            case "foreign":
                try box.folder("hostile")
                chown(state, Box.user, Box.user)
            default: try box.folder("hostile", mode: 0o777)
            }
            let outcome = try box.launch(
                "", ["-n", "named"], ["touch", box.file("started")], environment: ["SANDBOX_STATE": state])
            expectRefused(outcome, naming: state)
            #expect(!Files.exists(box.file("started")))
            #expect(Files.list(box.file("target")).isEmpty)
        }

        @Test("S22: control: one's own is made, for its owner only") func hostileStateControl() throws {
            let state = box.file("new/state")
            try box.folder("new")
            let outcome = try box.launch("", ["-n", "named"], ["true"], environment: ["SANDBOX_STATE": state])
            #expect(outcome.succeeded, "control: \(outcome)")
            var status = stat()
            if stat(state, &status) == 0 { #expect(status.st_mode & 0o077 == 0) }
        }
    }
}

extension Machine {
    /// The version 2 hierarchy, alone or beside version 1.
    static let unified =
        Files.exists("/sys/fs/cgroup/unified/cgroup.procs") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup"
    static let canDelegate = Files.exists(unified + "/cgroup.procs")
}
