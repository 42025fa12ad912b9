import CLinux
import Glibc
import Testing

extension Integration {
    /// What entered others' boxes from outside and was more than what was in it, and what took it for something else.
    @Suite("Security: entering a box", .needsRoot) struct ExecSecurityTests {
        let box: Box

        init() throws { box = try Box() }

        static let own = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"
        static let powerless = own + "[security.capabilities]\nkeep = []\n"

        // MARK: - S11: somebody else's box, or none at all

        @Test("S11: the state of another user is not believed, by root as little as by others") func foreignState()
            throws
        {
            let user = try Box(as: Box.user)
            let theirs = try RunningSandbox(user)
            defer { theirs.end() }
            let state = ["SANDBOX_STATE": user.file("state")]
            expectRefused(try box.sandbox(["exec", "first", "--", "id"], environment: state), naming: "belong to you")
            let mine = try RunningSandbox(box, Self.own)
            defer { mine.end() }
            chmod(box.file("state"), 0o755)
            let reversed = ["SANDBOX_STATE": box.file("state")]
            let outcome = try user.sandbox(["exec", "first", "--", "id"], environment: reversed)
            expectRefused(outcome)
        }

        @Test("S11: nor is one that others can write, or a link") func writableState() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            for folder in ["state", "state/sandboxes", "state/sandboxes/first"] {
                chmod(box.file(folder), 0o777)
                expectRefused(try first.exec([], ["id"]), naming: "writable for nobody else")
                chmod(box.file(folder), 0o700)
            }
            for (place, kind) in [
                ("state", "dir"), ("state/sandboxes", "dir"), ("state/sandboxes/first/state.toml", "file"),
            ] {
                try box.must(["mv", box.file(place), box.file("moved")])
                try Files.makeLink(box.file(place), to: box.file("moved"))
                expectRefused(try first.exec([], ["id"]))
                try box.must(["rm", box.file(place)])
                try box.must(["mv", box.file("moved"), box.file(place)])
                #expect(try first.exec([], ["true"]).succeeded, "\(kind) \(place) is back")
            }
        }

        @Test("S11: a state file that names a process which is not in the box") func strangers() throws {
            let first = try RunningSandbox(box, Self.powerless + "[security]\nuser-namespaces = \"deny\"\n")
            defer { first.end() }
            let genuine = try #require(Files.read(first.folder + "/state.toml"))
            let stranger = try box.start(["sleep", "1000"], name: "stranger")
            let start = try Self.startTime(stranger.pid)
            for keys in [["process", "application"], ["process"], ["application"]] {
                for key in keys { try first.forge(key, "[\(stranger.pid), \(start)]") }
                expectRefused(try first.exec([], ["id"]))
                try Files.write(genuine, to: first.folder + "/state.toml", mode: 0o600)
            }
            #expect(try first.exec([], ["true"]).succeeded, "the genuine one is fine")
        }

        @Test("S11: a process with the right number and another start time is another process") func startTime() throws
        {
            let first = try RunningSandbox(box, Self.own)
            let (process, command) = (first.process, first.command)
            defer {
                kill(process, SIGKILL)
                first.end()
            }
            let genuine = try #require(Files.read(first.folder + "/state.toml"))
            let start = try #require(first.recorded("application")).start
            try first.forge("application", "[\(command), \(start + 1)]")
            expectRefused(try first.exec([], ["id"]), naming: "ended")
            try Files.write(genuine, to: first.folder + "/state.toml", mode: 0o600)
            expectOutput(try first.exec([], ["echo", "in"]), "in")
        }

        @Test("S11: a user's state cannot lead into a process of root's, or of another user's", .needsUserNamespaces)
        func others() throws {
            let user = try Box(as: Box.user)
            let first = try RunningSandbox(user, Self.own)
            defer { first.end() }
            let genuine = try #require(Files.read(first.folder + "/state.toml"))
            let other = try Box(as: Box.user + 1)
            let theirs = try RunningSandbox(other, Self.own)
            defer { theirs.end() }
            let rooted = try RunningSandbox(box, Self.own, name: "rooted")
            defer { rooted.end() }
            for pair in [(rooted.process, rooted.command), (theirs.process, theirs.command)] {
                try first.forge("process", "[\(pair.0), \(try Self.startTime(pair.0))]")
                try first.forge("application", "[\(pair.1), \(try Self.startTime(pair.1))]")
                try first.forge("groups", "[]")
                expectRefused(try first.exec([], ["id"]))
                try Files.write(genuine, to: first.folder + "/state.toml", mode: 0o600)
            }
            #expect(try first.exec([], ["true"]).succeeded)
        }

        @Test("S11: root is kept from a user's namespaces too, should its own state name them", .needsUserNamespaces)
        func rootIntoUsers() throws {
            let user = try Box(as: Box.user)
            let theirs = try RunningSandbox(user, Self.own)
            defer { theirs.end() }
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            let genuine = try #require(Files.read(first.folder + "/state.toml"))
            try first.forge("process", "[\(theirs.process), \(try Self.startTime(theirs.process))]")
            try first.forge("application", "[\(theirs.command), \(try Self.startTime(theirs.command))]")
            try first.forge("groups", "[]")
            expectRefused(try first.exec([], ["id"]), naming: "belongs to user \(Box.user)")
            try Files.write(genuine, to: first.folder + "/state.toml", mode: 0o600)
        }

        @Test("S11: control: nsenter follows whatever number it is told") func strangerControl() throws {
            let stranger = try box.start(["sleep", "1000"], name: "stranger")
            let outcome = try box.run(["nsenter", "-t", "\(stranger.pid)", "-m", "echo", "in"])
            #expect(outcome.text == "in", "control: \(outcome)")
        }

        static func startTime(_ pid: pid_t) throws -> Int { try #require(Processes.startTime(pid)) }

        // MARK: - S15: users that are none

        static let wrongUsers = [
            "1000:", "0x0", "-1", "+0", "name:grp", "root:root", ":", "4294967296", "4294967295", "00", "0 ", "1e3",
            "no-such-user",
        ]

        @Test("S15: nothing but a name or a plain number becomes a user or group", arguments: wrongUsers)
        func users(text: String) throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            let marker = box.file("marker")
            for option in ["--user", "--group"] {
                expectRefused(try first.exec([option, text], ["touch", marker]), naming: option)
                expectRefused(try box.launch("", [option, text], ["touch", marker]))
            }
            #expect(!Files.exists(marker))
        }

        @Test("S15: an empty one is none either") func emptyUser() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            for option in ["--user", "--group"] {
                expectRefused(try first.exec([option, ""], ["id"]), naming: option)
                expectRefused(try box.launch("", [option, ""], ["id"]), naming: option)
            }
        }

        @Test("S15: a box's own passwd cannot turn its user into root") func hostilePasswd() throws {
            let root = try Rootfs(in: box)
            let toml = Self.own + "[filesystem]\nroot = \"\(root.path)\"\n[process]\nuser = \"alice\"\n"
            let first = try RunningSandbox(box, toml, [], ["/bin/sleep", "1000"])
            defer { first.end() }
            try root.write("/etc/passwd", "alice:x:0:0::/home/alice:/bin/sh\nroot:x:0:0::/:/bin/sh\n")
            try root.write("/etc/group", "root:x:0:alice\n")
            let outcome = try first.exec([], ["/bin/busybox", "id"])
            #expect(outcome.succeeded && outcome.text.hasPrefix("uid=1234 gid=2345"), "\(outcome)")
            // Asked for by that name, it is what the file says, and still without a capability.
            let status = Status(try first.exec(["--user", "alice"], ["/bin/cat", "/proc/self/status"]).out)
            #expect(status["Uid"] == "0 0 0 0" && status.set("CapPrm") == 0 && status.set("CapBnd") == 0)
        }

        @Test("S15: a passwd that is a device, a pipe or a directory is not opened, one without end not read to it")
        func strangePasswd() throws {
            let root = try Rootfs(in: box)
            let toml = Self.own + "[filesystem]\nroot = \"\(root.path)\"\n"
            let first = try RunningSandbox(box, toml, [], ["/bin/sleep", "1000"])
            defer { first.end() }
            let file = root.path + "/etc/passwd"
            for make in [["mkfifo", file], ["mkdir", file], ["ln", "-s", "/dev/zero", file]] {
                try box.must(["rm", "-rf", file])
                try box.must(make)
                expectRefused(try first.exec(["--user", "alice"], ["/bin/true"], timeout: 10), naming: "no user")
                let numbered = try first.exec(["--user", "1234"], ["/bin/cat", "/proc/self/status"], timeout: 10)
                #expect(Status(numbered.out)["Uid"] == "1234 1234 1234 1234", "\(numbered)")
            }
            try box.must(["rm", file])
            try box.must(["truncate", "-s", "1T", file])
            expectRefused(try first.exec(["--user", "alice"], ["/bin/true"], timeout: 10), naming: "File too large")
            try box.must(["rm", file])
        }
    }
}
