import Glibc
import Testing

extension Integration {
    /// Further commands in running sandboxes.
    @Suite("Exec", .needsRoot) struct ExecTests {
        let box: Box

        init() throws { box = try Box() }

        static let own = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"
        /// A box whose command runs in place of its launcher, one with our init, one whose command is process 1, and
        /// one with all namespaces.
        static let kinds = [
            "", own, "process.init = false\n" + own,
            "namespaces.unshare = [\"mount\", \"pid\", \"net\", \"ipc\", \"uts\", \"cgroup\", \"time\", \"user\"]\n",
        ]

        @Test("the exit status is the command's own", arguments: kinds) func status(toml: String) throws {
            let first = try RunningSandbox(box, toml)
            defer { first.end() }
            for number: Int32 in [0, 1, 7, 99, 255] {
                let outcome = try first.shell([], "exit \(number)")
                #expect(outcome.ending == .exited(number) && outcome.err.isEmpty, "\(outcome)")
                let terminal = try first.shell(["-t"], "exit \(number)")
                #expect(terminal.ending == .exited(number), "\(terminal)")
            }
            #expect(try first.shell([], "kill -9 $$").status == 137)
            #expect(try first.shell(["-t"], "kill -TERM $$").status == 143)
            expectRefused(try first.exec([], ["no-such-program"]), status: 127, naming: "no-such-program")
            expectRefused(try first.exec([], ["/no/such/program"]), status: 127, naming: "/no/such/program")
            expectRefused(try first.exec([], ["/etc/passwd"]), status: 126, naming: "/etc/passwd")
            expectRefused(try first.exec([], ["/"]), status: 126)
            try box.write("nothing", "no format\n", mode: 0o755)
            expectRefused(try first.exec([], [box.file("nothing")]), status: 126, naming: "format")
        }

        @Test("input, output and errors are the caller's", arguments: kinds) func streams(toml: String) throws {
            let first = try RunningSandbox(box, toml)
            defer { first.end() }
            let outcome = try first.exec([], ["sh", "-c", "cat; echo err >&2"], input: .text("one\ntwo"))
            #expect(outcome.out == "one\ntwo" && outcome.err == "err\n", "\(outcome)")
            let words = ["", "a b", "--", "-t", "\u{e9}", "$x"]
            expectOutput(try first.exec([], ["printf", "<%s>"] + words), "<><a b><--><-t><\u{e9}><$x>")
        }

        @Test("words that are no UTF-8 arrive as they are") func bytes() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            let script = "exec \"$1\" exec first -- sh -c 'printf %s \"$1\" | od -An -tx1' sh \"$(printf '\\377a')\""
            #expect(try box.run(["sh", "-c", script, "sh", box.binary]).text == " ff 61")
        }

        @Test("no process of ours stays where none is needed, and a small one else") func resident() throws {
            let plain = try RunningSandbox(box, "namespaces.unshare = [\"net\", \"uts\"]\n", name: "plain")
            defer { plain.end() }
            let inPlace = try plain.start([], ["sleep", "1000"], name: "inPlace")
            defer { inPlace.end() }
            #expect(Clock.waitUntil { Processes.command(inPlace.pid) == ["sleep", "1000"] })
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            for options in [[], ["-t"]] {
                let waiter = try first.start(options, ["sleep", "1000"])
                let command = RunningSandbox.command(of: waiter)
                #expect(Clock.waitUntil { (Self.memory(waiter.pid) ?? .max) < 200 })
                #expect(Processes.namespace("mnt", of: "\(waiter.pid)") == Processes.namespace("mnt"))
                #expect(Files.read("/proc/\(waiter.pid)/cgroup") == Files.read("/proc/self/cgroup"))
                #expect(Processes.status(command, "PPid") == "\(waiter.pid)")
                waiter.signal(SIGTERM)
                #expect(waiter.wait() == .exited(143))
            }
        }

        static func memory(_ pid: pid_t) -> Int? {
            let text = Files.read("/proc/\(pid)/smaps_rollup") ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
            return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        }

        @Test("signals pass through the waiter, and who kills it ends the command", arguments: [[], ["-t"]])
        func signals(options: [String]) throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            let script = "trap 'echo usr1' USR1; trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"
            let waiter = try first.start(options, ["sh", "-c", script])
            try #require(box.waitForOutput("ready", name: "entered"))
            waiter.signal(SIGUSR1)
            try #require(box.waitForOutput("usr1", name: "entered"))
            waiter.signal(SIGTERM)
            #expect(waiter.wait() == .exited(3))
            let other = try first.start(options, ["sleep", "1000"], name: "other")
            let command = RunningSandbox.command(of: other)
            other.signal(SIGKILL)
            #expect(other.wait() == .signalled(SIGKILL))
            #expect(Clock.waitUntil { Processes.status(command, "State").map { $0.hasPrefix("Z") } ?? true })
        }

        @Test("what entered a pid namespace ends with the box") func endsWithTheBox() throws {
            for options in [[], ["-t"]] {
                let first = try RunningSandbox(box, Self.own)
                let waiter = try first.start(options, ["sleep", "1000"])
                _ = RunningSandbox.command(of: waiter)
                kill(first.process, SIGKILL)
                #expect(waiter.wait() == .exited(137))
                expectRefused(try first.exec([], ["true"]), naming: "not running")
                first.end()
            }
        }

        @Test("the process is one of the box: its children are reaped there, and the box sees it") func tree() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            let script = "echo $PPID; (sleep 0.05 & ) ; cat /proc/1/comm; ls -d /proc/[0-9]* | wc -l"
            let lines = try first.shell([], script).lines
            #expect(lines.first == "0" && lines.dropFirst().first == "sandbox-init", "\(lines)")
            #expect(try first.exec([], ["readlink", "/proc/self/ns/pid"]).text == namespace(of: first))
        }

        func namespace(of first: RunningSandbox) -> String { Processes.namespace("pid", of: "\(first.command)") ?? "?" }

        // MARK: - Options

        @Test("the environment is the box's own, and what is given") func environment() throws {
            let toml =
                "[process.environment]\nset = { A = \"profile\", B = \"profile\" }\nunset = [\"LANG\"]\n" + Self.own
            let first = try RunningSandbox(box, toml, ["--env", "C=launch"])
            defer { first.end() }
            let caller = ["PATH": box.environment["PATH"] ?? "", "D": "caller", "E": "caller", "TERM": "vt220"]
            let outcome = try first.exec(
                ["--env", "B=given", "--env", "E", "--env", "NONE"],
                ["sh", "-c", "echo $A $B $C $D $E $LANG ${NONE-unset} $TERM"], environment: caller)
            expectOutput(outcome, "profile given launch caller unset xterm")
            let terminal = try first.exec(["-t"], ["sh", "-c", "echo $TERM"], environment: caller)
            #expect(terminal.out.contains("vt220"), "\(terminal)")
            let chosen = try first.exec(["-t", "--env", "TERM=dumb"], ["sh", "-c", "echo $TERM"], environment: caller)
            #expect(chosen.out.contains("dumb"), "\(chosen)")
        }

        @Test("users are the box's, with what its passwd says of them", arguments: kinds.dropFirst().dropLast())
        func users(toml: String) throws {
            let root = try Rootfs(in: box)
            let first = try RunningSandbox(
                box, toml + "[filesystem]\nroot = \"\(root.path)\"\n", [], ["/bin/sleep", "1000"])
            defer { first.end() }
            let script = "echo $(id -u) $(id -g) $(id -G) $HOME $USER"
            expectOutput(
                try first.exec(["--user", "alice"], ["/bin/sh", "-c", script]),
                "1234 2345 2345 3456 4567 /home/alice alice")
            expectOutput(
                try first.exec(["--user", "alice", "--group", "staff"], ["/bin/sh", "-c", "id -g"]), "3456")
            expectOutput(try first.exec(["--group", "2345"], ["/bin/sh", "-c", "echo $(id -u) $(id -g)"]), "0 2345")
            expectOutput(
                try first.exec(["--user", "alice", "--env", "HOME=/x"], ["/bin/sh", "-c", "echo $HOME"]), "/x")
            expectOutput(try first.exec(["--user", "777"], ["/bin/sh", "-c", "echo $(id -u) $(id -g)"]), "777 777")
        }

        @Test("without a user's name it is the box's own user, by whatever it has become") func ownUser() throws {
            let first = try RunningSandbox(box, Self.own + "[process]\nuser = \"nobody\"\n")
            defer { first.end() }
            expectOutput(try first.shell([], "echo $(id -u) $(id -g) $HOME $USER"), "65534 65534 /nonexistent nobody")
        }

        @Test("the working directory: what is given, the profile's, where the box was launched")
        func workingDirectory() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            expectOutput(try first.exec([], ["pwd"], directory: "/usr"), box.path)
            expectOutput(try first.exec(["--workdir", "/usr/bin"], ["pwd"]), "/usr/bin")
            expectRefused(try first.exec(["--workdir", "/no/such"], ["pwd"]), naming: "--workdir", "/no/such")
            expectRefused(try first.exec(["--workdir", "relative"], ["pwd"]), naming: "--workdir")
            expectRefused(try first.exec(["--workdir", "/etc/passwd"], ["pwd"]), naming: "--workdir")
            let second = try RunningSandbox(box, Self.own + "[process]\nworking-directory = \"/etc\"\n", name: "second")
            defer { second.end() }
            expectOutput(try second.exec([], ["pwd"]), "/etc")
        }

        // MARK: - Terminals

        @Test("-t: a terminal of the box's own, at which a shell has job control", arguments: kinds)
        func terminal(toml: String) throws {
            let first = try RunningSandbox(box, toml)
            defer { first.end() }
            let shell = try InteractiveShell(in: box)
            shell.enter("\(box.binary) exec first -t -- env PS1='INNER> ' bash --norc --noprofile -i")
            #expect(shell.terminal.expect("INNER> "), "\(shell.terminal.transcript)")
            shell.enter("stty size; tty")
            #expect(shell.terminal.expect("24 500"), "\(shell.terminal.transcript)")
            #expect(shell.terminal.expect("/dev/pts/"), "\(shell.terminal.transcript)")
            shell.enter("sleep 100")
            shell.terminal.settle(0.4)
            shell.terminal.type("\u{1a}")
            #expect(shell.terminal.expect("Stopped"), "\(shell.terminal.transcript)")
            shell.enter("fg")
            shell.terminal.settle(0.3)
            shell.terminal.type("\u{3}")
            #expect(shell.terminal.expect("INNER> "), "\(shell.terminal.transcript)")
            shell.terminal.resize(rows: 31, columns: 90)
            shell.enter("stty size")
            #expect(shell.terminal.expect("31 90"), "\(shell.terminal.transcript)")
            shell.enter("exit 5")
            #expect(shell.prompt(), "\(shell.terminal.transcript)")
            shell.enter("echo status=$?")
            #expect(shell.terminal.expect("\nstatus=5"), "\(shell.terminal.transcript)")
        }

        @Test("without -t Ctrl-C, Ctrl-Z and fg reach the command", arguments: kinds) func jobControl(toml: String)
            throws
        {
            let first = try RunningSandbox(box, toml)
            defer { first.end() }
            let shell = try InteractiveShell(in: box)
            shell.enter("\(box.binary) exec first -- sh -c 'echo up; read line; echo got=$line; exec sleep 100'")
            #expect(shell.terminal.expect("\nup"), "\(shell.terminal.transcript)")
            shell.terminal.type("\u{1a}")
            #expect(shell.terminal.expect("Stopped"), "\(shell.terminal.transcript)")
            #expect(shell.prompt(), "\(shell.terminal.transcript)")
            shell.enter("fg")
            shell.terminal.settle(0.4)
            shell.enter("word")
            #expect(shell.terminal.expect("got=word"), "\(shell.terminal.transcript)")
            shell.terminal.type("\u{3}")
            #expect(shell.prompt(), "\(shell.terminal.transcript)")
            shell.enter("echo status=$?")
            #expect(shell.terminal.expect("\nstatus=130"), "\(shell.terminal.transcript)")
        }

        @Test("a shared terminal is not typed into from the box", .needsTerminalInjection) func injection() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            let shell = try InteractiveShell(in: box)
            let attack = try Payload.attack()
            shell.enter("\(box.binary) exec first -- \(attack) inject 'echo INJECTED'")
            #expect(shell.terminal.expect("inject EPERM"), "\(shell.terminal.transcript)")
            shell.terminal.settle(0.3)
            #expect(!shell.terminal.transcript.contains("\nINJECTED"), "\(shell.terminal.transcript)")
        }

        // MARK: - Boxes that are none, or not now

        @Test("what cannot be entered is refused in one line") func refused() throws {
            for name in ["gone", "a/b", "..", "", String(repeating: "x", count: 300), "-n", "ünï"] {
                expectRefused(try box.sandbox(["exec", name, "--", "touch", box.file("made")]))
            }
            for words in [["exec"], ["exec", "first"], ["exec", "first", "--"], ["exec", "first", "--frob", "id"]] {
                expectRefused(try box.sandbox(words), naming: "sandbox exec --help")
            }
            #expect(!Files.exists(box.file("made")))
            let first = try RunningSandbox(box, Self.own)
            let process = first.process
            let genuine = try #require(Files.read(first.folder + "/state.toml"))
            for file in ["state.toml", "request.toml"] {
                let text = try #require(Files.read(first.folder + "/" + file))
                for broken in ["", "garbage = ", "name = 7\n", String(text.prefix(text.count / 2))] {
                    try Files.write(broken, to: first.folder + "/" + file, mode: 0o600)
                    expectRefused(try first.exec([], ["id"]), naming: file)
                }
                try Files.write(text, to: first.folder + "/" + file, mode: 0o600)
            }
            #expect(Files.read(first.folder + "/state.toml") == genuine && Processes.status(process, "State") != nil)
            first.end()
            expectRefused(try first.exec([], ["id"]), naming: "not running")
        }

        @Test("a paused box is not entered") func paused() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            let state = try #require(Files.read(first.folder + "/state.toml"))
            let groups = state.split(separator: "\"").map(String.init).filter { $0.hasPrefix("/") }
            let file = groups.flatMap { [$0 + "/freezer.state", $0 + "/cgroup.freeze"] }.first(where: Files.exists)
            let freezer = try #require(file, "its group cannot be frozen: \(state)")
            let isFirst = freezer.hasSuffix("freezer.state")
            try Files.write(isFirst ? "FROZEN" : "1", to: freezer)
            expectRefused(try first.exec([], ["id"], timeout: 10), naming: "paused", "sandbox resume first")
            try Files.write(isFirst ? "THAWED" : "0", to: freezer)
            #expect(try first.exec([], ["true"]).succeeded)
        }

        @Test("a full box is not entered: its limits count for what comes in") func limits() throws {
            let first = try RunningSandbox(
                box, Self.own + "[resources]\npids = 12\nmemory = \"32M\"\n", [],
                ["sh", "-c", "for i in 1 2 3 4; do sleep 1000 & done; wait"])
            defer { first.end() }
            let processes = try first.exec([], [try Payload.probe(), "processes", "12"])
            #expect(processes.text.hasSuffix(" EAGAIN"), "\(processes)")
            let memory = try first.exec([], ["dd", "if=/dev/zero", "of=/dev/null", "bs=96M", "count=1"])
            #expect(memory.status == 137, "\(memory)")
            #expect(Processes.status(first.command, "State") != nil)
        }

        // MARK: - Many at once

        @Test("twenty at once", arguments: [own, ""]) func parallel(toml: String) throws {
            let first = try RunningSandbox(box, toml)
            defer { first.end() }
            let children = try (0..<20).map {
                try first.start([], ["sh", "-c", "echo $1; exit $1", "sh", "\($0)"], name: "n\($0)")
            }
            for (number, child) in children.enumerated() {
                #expect(child.wait() == .exited(Int32(number)), "\(Files.read(box.file("n\(number).err")) ?? "")")
                #expect(box.output("n\(number)") == "\(number)\n")
            }
        }

        @Test("while the box ends, each comes in, or is told so in one line, or ends with it", arguments: [own, ""])
        func ending(toml: String) throws {
            for round in 0..<5 {
                let first = try RunningSandbox(box, toml, name: "round\(round)")
                let process = first.process
                let children = try (0..<12).map { number in
                    if number == 4 + round { kill(process, SIGKILL) }
                    return try first.start([], ["sleep", "0.05"], name: "n\(number)")
                }
                for (number, child) in children.enumerated() {
                    let ending = child.wait()
                    let lines = (Files.read(box.file("n\(number).err")) ?? "").split(separator: "\n")
                    switch ending {
                    case .exited(0), .exited(137): #expect(lines.isEmpty, "\(lines)")
                    case .exited(125): #expect(lines.count == 1, "\(lines)")
                    // In place of the launcher, and in the control group that is cleared away.
                    case .signalled(SIGKILL): #expect(toml.isEmpty && lines.isEmpty, "\(lines)")
                    default: Issue.record("\(String(describing: ending)): \(lines)")
                    }
                }
                first.end()
            }
        }
    }
}
