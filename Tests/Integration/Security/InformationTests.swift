import CLinux
import Glibc
import Testing

extension Integration {
    /// Terminals, system calls, and what a box learns or reaches.
    @Suite("Security: terminal, calls, information", .needsRoot) struct InformationTests {
        let box: Box

        init() throws { box = try Box() }

        // MARK: - S23 to S25: the terminal

        /// Runs an attack under an interactive shell and tells whether the shell executed what was injected.
        func injected(_ toml: String, _ way: String) throws -> (happened: Bool, transcript: String) {
            let marker = box.file("injected")
            unlink(marker)
            try box.write("t.toml", toml)
            let shell = try InteractiveShell(in: box)
            shell.enter(
                "\(box.binary) run -p \(box.file("t.toml")) -- \(try Payload.attack()) \(way) 'touch \(marker)'")
            #expect(shell.prompt(), "\(shell.terminal.transcript)")
            shell.enter("echo alive")
            #expect(shell.terminal.expect("\nalive"), "\(shell.terminal.transcript)")
            shell.terminal.settle(0.3)
            return (Files.exists(marker), shell.terminal.transcript)
        }

        static let guarded = [
            "", "[namespaces]\nunshare = [\"pid\", \"mount\"]\n", "[process]\nterminal = \"pty\"\n",
            "[process]\nterminal = \"none\"\n", "[process]\nuser = \"1234\"\n",
            "[process]\nno-new-privileges = false\n",
        ]

        @Test("S23: nothing is typed into the caller's shell", .needsTerminalInjection, arguments: guarded)
        func injection(toml: String) throws {
            let result = try injected(toml, "inject")
            #expect(!result.happened, "\(result.transcript)")
        }

        @Test("S23: control: allowed, it is", .needsTerminalInjection) func injectionControl() throws {
            let result = try injected("[security]\nterminal-injection = \"allow\"\n", "inject")
            #expect(result.happened, "control: \(result.transcript)")
        }

        @Test("S24: nor by a request with high bits", .needsTerminalInjection, arguments: guarded)
        func highInjection(toml: String) throws {
            let result = try injected(toml, "inject-high")
            #expect(!result.happened, "\(result.transcript)")
        }

        @Test("S24: a profile's own rule on a request holds for high bits too", .needsTerminalInjection)
        func highInjectionRule() throws {
            let toml = """
                [security]
                terminal-injection = "allow"
                [[security.seccomp.rules]]
                calls = ["ioctl"]
                action = "EPERM"
                when = [{ argument = 1, is = "==", value = 0x5412 }]
                """
            #expect(!(try injected(toml, "inject").happened))
            #expect(!(try injected(toml, "inject-high").happened))
        }

        @Test("S24: control: allowed, the request with high bits works", .needsTerminalInjection)
        func highInjectionControl() throws {
            let result = try injected("[security]\nterminal-injection = \"allow\"\n", "inject-high")
            #expect(result.happened, "control: \(result.transcript)")
        }

        @Test("S25: the console's selection is not pasted", arguments: ["paste", "paste-high"]) func paste(way: String)
            throws
        {
            // On a terminal that is no console the kernel itself says ENOTTY: the filter is what says EPERM.
            let shell = try InteractiveShell(in: box)
            shell.enter("\(box.binary) run -- \(try Payload.attack()) \(way)")
            #expect(shell.terminal.expect("paste EPERM"), "\(shell.terminal.transcript)")
            shell.enter("\(box.binary) run --set security.terminal-injection=allow -- \(try Payload.attack()) \(way)")
            #expect(shell.terminal.expect("paste ENOTTY"), "control: \(shell.terminal.transcript)")
        }

        // MARK: - S26, S28: system calls

        static let mountCalls = ["open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"]

        @Test("S26: denied mount calls do not exist, and clone3 with them") func newCalls() throws {
            let toml = "[security]\nuser-namespaces = \"deny\"\n[security.seccomp]\ndeny = [\"@mount\"]\n"
            let outcome = try box.launch(toml, [], [try Payload.probe(), "calls"] + Self.mountCalls + ["clone3"])
            #expect(outcome.lines == (Self.mountCalls + ["clone3"]).map { $0 + " ENOSYS" }, "\(outcome)")
        }

        @Test("S26: control: not denied, they do") func newCallsControl() throws {
            let outcome = try box.launch(
                "[security]\nuser-namespaces = \"allow\"\n", [],
                [try Payload.probe(), "calls"] + Self.mountCalls + ["clone3"])
            #expect(outcome.lines.count == 8 && !outcome.out.contains("ENOSYS"), "control: \(outcome)")
        }

        @Test("S28: a tracer does not get a forbidden call past the filter", .needsX86) func tracer() throws {
            let made = box.file("traced")
            let toml = "[security.seccomp]\ndeny = [\"mkdir\", \"mkdirat\"]\n"
            let outcome = try box.launch(toml, [], [try Payload.attack(), "rewrite", made])
            #expect(outcome.text == "mkdir ENOENT" && !Files.exists(made), "\(outcome)")
        }

        @Test("S28: control: without the filter it does", .needsX86) func tracerControl() throws {
            let outcome = try box.launch("", [], [try Payload.attack(), "rewrite", box.file("traced")])
            #expect(outcome.text == "mkdir ok" && Files.exists(box.file("traced")), "control: \(outcome)")
        }

        // MARK: - S27: escape sequences

        /// A profile whose every text carries a sequence that renames the window and one that hides text.
        static let escapes = """
            description = "nice\\u001b]0;owned\\u0007\\u001b[8m hidden"
            [namespaces]
            unshare = ["mount"]
            [filesystem]
            hide = ["/tmp/\\u001b[2Jcleared"]
            """

        @Test("S27: escape sequences of a profile are shown, not sent") func escapes() throws {
            let folder = try box.folder("home/.config/sandbox/profiles")
            try Files.write(Self.escapes, to: folder + "/evil.toml")
            try Files.write(Self.escapes, to: folder + "/evil\u{1b}[31m.toml")
            let path = folder + "/evil.toml"
            let commands = [
                ["profile", "list"], ["profile", "list", "--json"], ["profile", "show", "evil"], ["profile", "check"],
                ["profile", "check", path], ["explain", "-p", path], ["run", "-p", path, "--dry-run", "--", "true"],
                ["run", "-p", path, "--dry-run", "--json", "--", "true"],
                ["run", "-p", "\u{1b}[31mnone", "--", "true"], ["run", "--", "/no/\u{1b}[31msuch"],
                ["run", "--unshare", "\u{1b}[31m", "--", "true"], ["\u{1b}[31m"],
            ]
            for words in commands {
                let outcome = try box.sandbox(words)
                let raw = (outcome.out + outcome.err).unicodeScalars.filter {
                    ($0.value < 32 && $0 != "\n" && $0 != "\t") || (127..<160).contains($0.value)
                }
                #expect(raw.isEmpty, "\(words): \(outcome.out.debugDescription) \(outcome.err.debugDescription)")
                #expect(!(outcome.out + outcome.err).isEmpty, "\(words)")
            }
        }

        @Test("S27: control: a program that just prints them sends them") func escapesControl() throws {
            try box.write("evil.toml", "\u{1b}[31m")
            #expect(try box.run(["cat", box.file("evil.toml")]).out.contains("\u{1b}"))
        }

        // MARK: - S29: abstract sockets

        @Test("S29: abstract sockets of the host are out of reach", .needsLandlock(6)) func abstractSocket() throws {
            let outcome = try abstractSocket("[security.landlock]\nscope = [\"abstract-unix\"]\n")
            #expect(outcome.text == "connect EPERM", "\(outcome)")
        }

        @Test("S29: control: without the scope they are not", .needsLandlock(6)) func abstractSocketControl() throws {
            #expect(try abstractSocket("").text == "connect ok")
        }

        @Test("S29: a network namespace alone keeps them out too") func abstractSocketNamespace() throws {
            #expect(try abstractSocket("[namespaces]\nunshare = [\"net\"]\n").text == "connect ECONNREFUSED")
        }

        func abstractSocket(_ toml: String) throws -> Outcome {
            let listener = try box.start([try Payload.probe(), "abstract-listen", box.mark], name: "listener")
            defer { listener.end() }
            try #require(box.waitForOutput("listen ok", name: "listener"))
            return try box.launch(toml, [], [try Payload.probe(), "abstract-connect", box.mark])
        }

        // MARK: - S30, S31: ways back to the old root

        /// Mounts a /proc of a further pid namespace, within a further user namespace.
        static let nestedProc = "exec unshare -Urmpf sh -c 'mount -t proc proc /proc && echo MOUNTED'"

        func nested(_ filesystem: String) -> String {
            """
            [namespaces]
            unshare = ["mount", "pid"]
            [filesystem]
            \(filesystem)
            [security]
            user-namespaces = "allow"
            [process]
            user = "1234"
            group = "1234"
            """
        }

        @Test("S30: no full /proc in a nested namespace") func fullProc() throws {
            let outcome = try box.shell(nested(""), [], Self.nestedProc)
            #expect(!outcome.out.contains("MOUNTED") && outcome.err.contains("ermi"), "\(outcome)")
        }

        @Test("S30: control: with nothing masked there is one") func fullProcControl() throws {
            let outcome = try box.shell(nested("masked-paths = []\nreadonly-paths = []"), [], Self.nestedProc)
            #expect(outcome.out.contains("MOUNTED"), "control: \(outcome)")
        }

        @Test("S31: no way out by .., by open folders, by a second chroot") func escape() throws {
            let root = try Rootfs(in: box)
            let secret = try box.write("secret", "")
            let held = linux_open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
            defer { close(held) }
            for unshare in ["mount", "mount,pid", "mount,user"] {
                for way in ["walk", "descend", "escape"] {
                    let outcome = try box.launch(
                        "", ["--unshare", unshare, "--root", root.path], ["/bin/attack", way, secret],
                        descriptors: [5: held])
                    #expect(outcome.lines.last == "reach ENOENT", "\(unshare) \(way): \(outcome)")
                }
            }
        }

        @Test("S31: control: chroot alone is left, and so is a kept folder") func escapeControl() throws {
            let root = try Rootfs(in: box)
            let secret = try box.write("secret", "")
            let held = linux_open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
            defer { close(held) }
            let careless = try box.run([try Payload.naive(), "enter", root.path, "/", "/bin/attack", "escape", secret])
            #expect(careless.lines.last == "reach ok", "control: \(careless)")
            let first = try box.run([try Payload.naive(), "enter-first", root.path, ".", "/bin/attack", "walk", secret])
            #expect(first.lines.last == "reach ok", "control: \(first)")
            let kept = try box.launch(
                "[process]\nkeep-descriptors = [5]\n", ["--unshare", "mount", "--root", root.path],
                ["/bin/attack", "descend", secret], descriptors: [5: held])
            #expect(kept.lines.last == "reach ok", "control: \(kept)")
        }

        // MARK: - S33: fail closed

        @Test(
            "S33: a profile that cannot be used starts nothing",
            arguments: [
                "[filesystem]\nhid = [\"/root\"]\n", "[filesystem\n", "[filesystem]\nhide = \"/root\"\n",
                "extends = [\"no-such\"]\n", "[security.seccomp]\ndeny = [\"@mounts\"]\n",
                "[security.landlock]\nscope = [\"abstract\"]\n", "[network]\nattach = \"ipvlan\"\n",
                "[network]\nattach = \"macvlan\"\n", "[security.capabilities]\nkeep = [\"SYS_ADMINS\"]\n",
            ])
        func unusable(toml: String) throws {
            let marker = box.file("started")
            expectRefused(try box.launch(toml, [], ["touch", marker]))
            #expect(!Files.exists(marker))
        }

        /// Protections with the system calls (x86-64) that a kernel without them lacks.
        static let lacking: [(name: String, toml: String, calls: String)] = [
            (
                "landlock", "[filesystem]\nlandlock = true\nread-only = [\"/\"]\n[namespaces]\nunshare = [\"mount\"]\n",
                "444,445,446"
            ),
            ("landlock.scope", "[security.landlock]\nscope = [\"signal\"]\n", "444,445,446"),
            ("seccomp", "[security.seccomp]\ndeny = [\"@mount\"]\n", "317"),
            ("unshare", "[namespaces]\nunshare = [\"net\"]\n", "272"),
            ("read-only", "[namespaces]\nunshare = [\"mount\"]\n[filesystem]\nread-only = [\"/usr\"]\n", "442"),
            ("keyring", "[process]\nsession-keyring = true\n", "250"),
            ("user", "[process]\nuser = \"1234\"\n", "105,117"),
            ("capabilities", "[security.capabilities]\nkeep = [\"CHOWN\"]\n", "126"),
        ]

        @Test("S33: a protection that the kernel lacks starts nothing", .needsX86, arguments: 0..<lacking.count)
        func missingFeature(index: Int) throws {
            let (name, toml, calls) = Self.lacking[index]
            let marker = box.file("started")
            let words = [box.binary, "run"] + (try box.profile(toml)) + ["--", "touch", marker]
            let outcome = try box.run([try Payload.probe(), "without", calls] + words)
            expectRefused(outcome)
            #expect(!Files.exists(marker), "\(name): \(outcome)")
            let control = try box.run(words)
            #expect(
                control.succeeded || control.err.contains("Read-only") || control.err.contains("ermission"),
                "control: \(name) \(control)")
        }
    }
}
