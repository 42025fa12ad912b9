import Glibc
import Testing

extension Integration {
    /// A person at a terminal: every test drives an interactive bash.
    @Suite("Job control", .needsRoot) struct JobControlTests {
        let box: Box

        init() throws { box = try Box() }

        /// In place, under a pid 1, and on a terminal of its own.
        static let kinds = [
            "", "[namespaces]\nunshare = [\"pid\", \"mount\"]\n", "[process]\nterminal = \"pty\"\n",
            "[namespaces]\nunshare = [\"pid\", \"mount\"]\n[process]\nterminal = \"pty\"\n",
        ]

        func words(_ toml: String, _ command: String) throws -> String {
            try box.write("t.toml", toml)
            return "\(box.binary) run -p \(box.file("t.toml")) -- \(command)"
        }

        @Test("Ctrl-C ends the command and not the shell", arguments: kinds) func interrupt(toml: String) throws {
            let shell = try InteractiveShell(in: box)
            shell.enter(try words(toml, "sh -c 'echo up; exec sleep 100'"))
            #expect(shell.terminal.expect("\nup"), "\(shell.terminal.transcript)")
            shell.terminal.type("\u{3}")
            #expect(shell.prompt(), "\(shell.terminal.transcript)")
            shell.enter("echo status=$?")
            #expect(shell.terminal.expect("\nstatus=130"), "\(shell.terminal.transcript)")
        }

        @Test("Ctrl-Z stops the command, fg goes on with it", arguments: kinds) func stop(toml: String) throws {
            let shell = try InteractiveShell(in: box)
            shell.enter(try words(toml, "sh -c 'echo up; read line; echo got=$line; exit 6'"))
            #expect(shell.terminal.expect("\nup"), "\(shell.terminal.transcript)")
            shell.terminal.type("\u{1a}")
            #expect(shell.terminal.expect("Stopped"), "\(shell.terminal.transcript)")
            #expect(shell.prompt(), "\(shell.terminal.transcript)")
            shell.enter("fg")
            #expect(shell.terminal.expect("\n"), "\(shell.terminal.transcript)")
            shell.terminal.settle(0.3)
            shell.enter("word")
            #expect(shell.terminal.expect("got=word"), "\(shell.terminal.transcript)")
            #expect(shell.prompt(), "\(shell.terminal.transcript)")
            shell.enter("echo status=$?")
            #expect(shell.terminal.expect("\nstatus=6"), "\(shell.terminal.transcript)")
        }

        @Test("an interactive shell in the box has job control of its own", arguments: kinds)
        func nested(toml: String) throws {
            let shell = try InteractiveShell(in: box)
            shell.enter(try words(toml, "env PS1='INNER> ' bash --norc --noprofile -i"))
            #expect(shell.terminal.expect("INNER> "), "\(shell.terminal.transcript)")
            shell.enter("sleep 100")
            shell.terminal.settle(0.4)
            shell.terminal.type("\u{1a}")
            #expect(shell.terminal.expect("Stopped"), "\(shell.terminal.transcript)")
            #expect(shell.terminal.expect("INNER> "), "\(shell.terminal.transcript)")
            shell.enter("fg")
            shell.terminal.settle(0.3)
            shell.terminal.type("\u{3}")
            #expect(shell.terminal.expect("INNER> "), "\(shell.terminal.transcript)")
            shell.enter("exit 4")
            #expect(shell.prompt(), "\(shell.terminal.transcript)")
            shell.enter("echo status=$?")
            #expect(shell.terminal.expect("\nstatus=4"), "\(shell.terminal.transcript)")
            #expect(!shell.terminal.transcript.contains("no job control"))
        }

        @Test("the window's size, and its changes", arguments: kinds) func resize(toml: String) throws {
            let shell = try InteractiveShell(in: box)
            shell.terminal.resize(rows: 33, columns: 99)
            let script = "trap 'stty size' WINCH; stty size; echo up; while :; do sleep 0.05; done"
            shell.enter(try words(toml, "sh -c \"\(script)\""))
            #expect(shell.terminal.expect("\n33 99"), "\(shell.terminal.transcript)")
            #expect(shell.terminal.expect("up"), "\(shell.terminal.transcript)")
            shell.terminal.resize(rows: 44, columns: 111)
            #expect(shell.terminal.expect("\n44 111"), "\(shell.terminal.transcript)")
            shell.terminal.type("\u{3}")
            #expect(shell.prompt(), "\(shell.terminal.transcript)")
        }

        @Test("a terminal of its own is another device; -t asks for it") func device() throws {
            let shell = try InteractiveShell(in: box)
            shell.enter("tty; \(box.binary) run -- tty; \(box.binary) run -t -- tty; echo done")
            #expect(shell.terminal.expect("\ndone"), "\(shell.terminal.transcript)")
            let names = shell.terminal.transcript.split(whereSeparator: \.isNewline).filter {
                $0.hasPrefix("/dev/pts/")
            }
            try #require(names.count == 3, "\(shell.terminal.transcript)")
            #expect(names[0] == names[1] && names[0] != names[2], "\(names)")
        }

        @Test("terminal = none: no controlling terminal") func noTerminal() throws {
            let shell = try InteractiveShell(in: box)
            shell.enter(
                try words("[process]\nterminal = \"none\"\n", "sh -c 'true < /dev/tty && echo reached; echo done'"))
            #expect(shell.terminal.expect("\ndone"), "\(shell.terminal.transcript)")
            #expect(!shell.terminal.transcript.contains("\nreached"), "\(shell.terminal.transcript)")
            #expect(shell.prompt())
            shell.enter(
                try words("[process]\nterminal = \"inherit\"\n", "sh -c 'true < /dev/tty && echo reached; echo done'"))
            #expect(shell.terminal.expect("\nreached"), "control: \(shell.terminal.transcript)")
        }

        @Test("the terminal's settings are the shell's again afterwards", arguments: ["", kinds[2], kinds[3]])
        func settings(toml: String) throws {
            let shell = try InteractiveShell(in: box)
            shell.enter("stty -a > before")
            #expect(shell.prompt())
            shell.enter(try words(toml, "sh -c 'stty raw -echo; kill -9 $$'"))
            #expect(shell.terminal.expect("READY>"), "\(shell.terminal.transcript)")
            shell.enter("stty -a > after; echo done")
            #expect(shell.terminal.expect("done"), "\(shell.terminal.transcript)")
            _ = shell.prompt()
            // In place there is nobody left to restore them; bash does that itself for a killed job.
            #expect(Files.read(box.file("before")) == Files.read(box.file("after")))
        }
    }
}
