import Glibc
import Testing

extension Integration {
    /// The screen of `top` on a real terminal, driven from the keyboard.
    @Suite("Top", .needsRoot) struct TopTests {
        let box: Box

        init() throws { box = try Box() }

        static let entered = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l"
        static let left = "\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l\u{1b}[0m"

        /// An 80x24 terminal with `sandbox top` on it, under a shell that has written its settings down.
        func top(_ words: String = "", expecting text: String) throws -> InteractiveShell {
            let shell = try InteractiveShell(in: box)
            shell.terminal.resize(rows: 24, columns: 80)
            shell.enter("stty -a > before")
            #expect(shell.prompt())
            shell.enter("\(box.binary) top --interval 0.2 \(words)")
            guard shell.terminal.expect(Self.entered), shell.terminal.expect(text) else {
                throw Failure(saying: shell.terminal.transcript)
            }
            return shell
        }

        /// The screen is the shell's again, with its settings, and the exit status is known.
        func expectLeft(_ shell: InteractiveShell, status: Int32, sourceLocation: SourceLocation = #_sourceLocation) {
            let terminal = shell.terminal
            #expect(terminal.expect(Self.left), "\(terminal.transcript)", sourceLocation: sourceLocation)
            #expect(shell.prompt(), "\(terminal.transcript)", sourceLocation: sourceLocation)
            shell.enter("echo status=$?; stty -a > after; echo over")
            #expect(terminal.expect("\nstatus=\(status)\r"), "\(terminal.transcript)", sourceLocation: sourceLocation)
            #expect(terminal.expect("\nover"), "\(terminal.transcript)", sourceLocation: sourceLocation)
            let (before, after) = (Files.read(box.file("before")), Files.read(box.file("after")))
            #expect(before != nil && before == after, sourceLocation: sourceLocation)
        }

        var process: pid_t? {
            Processes.marked(Leaks.variable, box.mark).first { Processes.command($0).dropFirst().first == "top" }
        }

        @Test("rows, totals and keys; q and Ctrl-C quit", arguments: ["q", "\u{3}", "\u{4}"])
        func quit(key: String) throws {
            let first = try RunningSandbox(box, "namespaces.unshare = [\"net\"]\n", [], StatisticsTests.busy)
            defer { first.remove() }
            let second = try RunningSandbox(box, name: "second")
            defer { second.remove() }
            try box.must([box.binary, "pause", "second"])
            let shell = try top(expecting: "sandbox top: 1 running, 1 paused; every 0.2s, by CPU%")
            #expect(shell.terminal.expect("\u{1b}[5;1H\u{1b}[K\u{1b}[7mNAME  "))
            #expect(shell.terminal.expect("\u{1b}[24;1H\u{1b}[Kq quit"))
            // The busy one first, once there is a second measurement.
            #expect(shell.terminal.expect("\u{1b}[6;1H\u{1b}[Kfirst "), "\(shell.terminal.transcript)")
            #expect(shell.terminal.expect("\u{1b}[7;1H\u{1b}[K\u{1b}[33msecond "), "\(shell.terminal.transcript)")
            shell.terminal.type(key)
            expectLeft(shell, status: 0)
        }

        @Test("keys sort, turn round, change the interval and help") func keys() throws {
            let first = try RunningSandbox(box)
            defer { first.remove() }
            let second = try RunningSandbox(box, name: "second")
            defer { second.remove() }
            let shell = try top("--sort name", expecting: "by NAME")
            #expect(shell.terminal.expect("\u{1b}[6;1H\u{1b}[Kfirst "))
            shell.terminal.type("n")
            #expect(shell.terminal.expect("by NAME, reversed"))
            #expect(shell.terminal.expect("\u{1b}[6;1H\u{1b}[Ksecond "))
            for (key, text) in [
                ("m", "by MEMORY\u{1b}"), ("R", "by MEMORY, reversed"), ("p", "by PIDS\u{1b}"),
                ("i", "by RECV/s\u{1b}"), ("+", "every 0.5s"), ("+", "every 1s"), ("-", "every 0.5s"),
                ("h", "Any key leads back."), ("x", "every 0.5s, by RECV/s"), ("z\u{1b}[A\u{1b}[6~", "by RECV/s"),
            ] {
                shell.terminal.type(key)
                #expect(shell.terminal.expect(text), "\(key): \(shell.terminal.transcript)")
            }
            shell.terminal.type("q")
            expectLeft(shell, status: 0)
        }

        @Test("a sandbox that begins, and one that ends, are seen") func changes() throws {
            let shell = try top("--reverse --sort name", expecting: "No sandbox runs.")
            let first = try RunningSandbox(box)
            defer { first.remove() }
            #expect(shell.terminal.expect("\u{1b}[6;1H\u{1b}[Kfirst "), "\(shell.terminal.transcript)")
            try box.must([box.binary, "rm", "-f", "first"])
            #expect(shell.terminal.expect("No sandbox runs."), "\(shell.terminal.transcript)")
            shell.terminal.type("q")
            expectLeft(shell, status: 0)
        }

        @Test("a new size of the window is used at once") func resize() throws {
            let first = try RunningSandbox(box)
            defer { first.remove() }
            let shell = try top("--interval 3600", expecting: "\u{1b}[24;1H\u{1b}[Kq quit")
            shell.terminal.resize(rows: 12, columns: 40)
            #expect(shell.terminal.expect("sandbox top: 1 running; every 3600s, by…\u{1b}[2;1H"))
            #expect(shell.terminal.expect("\u{1b}[12;1H\u{1b}[Kq quit  h help"), "\(shell.terminal.transcript)")
            shell.terminal.resize(rows: 30, columns: 100)
            #expect(shell.terminal.expect("by CPU%\u{1b}[2;1H"))
            #expect(shell.terminal.expect("\u{1b}[30;1H\u{1b}[Kq quit"), "\(shell.terminal.transcript)")
            // stty tells the size too.
            shell.terminal.resize(rows: 24, columns: 80)
            shell.terminal.type("q")
            expectLeft(shell, status: 0)
        }

        @Test(
            "a signal ends it with the terminal as it was",
            arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1])
        func signals(signal: Int32) throws {
            let shell = try top(expecting: "\u{1b}[24;1H\u{1b}[Kq quit")
            let pid = try #require(process)
            kill(pid, signal)
            expectLeft(shell, status: 128 + signal)
        }

        @Test("Ctrl-Z gives the terminal back, fg takes it again") func stop() throws {
            let shell = try top(expecting: "\u{1b}[24;1H\u{1b}[Kq quit")
            shell.terminal.type("\u{1a}")
            #expect(shell.terminal.expect(Self.left), "\(shell.terminal.transcript)")
            #expect(shell.terminal.expect("Stopped"), "\(shell.terminal.transcript)")
            #expect(shell.prompt())
            shell.enter("stty -a | cmp - before && echo same")
            #expect(shell.terminal.expect("\nsame"), "\(shell.terminal.transcript)")
            shell.enter("fg")
            #expect(shell.terminal.expect(Self.entered), "\(shell.terminal.transcript)")
            #expect(shell.terminal.expect("\u{1b}[24;1H\u{1b}[Kq quit"), "\(shell.terminal.transcript)")
            shell.terminal.type("q")
            expectLeft(shell, status: 0)
        }

        @Test("its own terminal's end is its end") func hangup() throws {
            let terminal = try PseudoTerminal(
                [box.binary, "top"], environment: box.environment, directory: box.path)
            #expect(terminal.expect("\u{1b}[24;1H\u{1b}[Kq quit"), "\(terminal.transcript)")
            terminal.hangUp()
            #expect(terminal.waitForEnd() == .signalled(SIGHUP))
        }

        @Test("where nothing can be drawn, and with --once, the table is printed once") func once() throws {
            let first = try RunningSandbox(box, "", [], StatisticsTests.busy)
            defer { first.remove() }
            let outcome = try box.sandbox(["top", "--interval", "0.2"])
            #expect(outcome.succeeded && outcome.lines.count == 6 && outcome.err.isEmpty, "\(outcome)")
            #expect(outcome.lines[0] == "sandbox top: 1 running; every 0.2s, by CPU%")
            #expect(outcome.lines[4].hasPrefix("NAME     STATE    ▾CPU%"), "\(outcome)")
            let words = outcome.lines[5].split(separator: " ")
            #expect(words.count == 10 && words[0] == "first" && words[1] == "running", "\(outcome)")
            #expect(words[2] != "-" && words[2] != "0.0" && words[8] == "-", "\(outcome)")
            let shell = try InteractiveShell(in: box)
            for line in [
                "\(box.binary) top --once --interval 0.1", "TERM=dumb \(box.binary) top --interval 0.1",
                "\(box.binary) top --interval 0.1 < /dev/null", "TERM= \(box.binary) top --interval 0.1",
            ] {
                shell.enter(line)
                #expect(shell.terminal.expect("\nfirst "), "\(shell.terminal.transcript)")
                #expect(shell.prompt(), "\(shell.terminal.transcript)")
            }
            #expect(!shell.terminal.transcript.contains("\u{1b}"), "\(shell.terminal.transcript)")
        }

        @Test("a damaged record is told of, and the others are shown") func damaged() throws {
            let first = try RunningSandbox(box)
            defer { first.remove() }
            try box.folder("state/sandboxes/broken", mode: 0o700)
            try box.write("state/sandboxes/broken/state.toml", "nonsense\u{1b}[2J\n", mode: 0o600)
            let outcome = try box.sandbox(["top", "--once", "--interval", "0.1"])
            #expect(outcome.status == 125 && outcome.lines[0].contains("1 running, 1 damaged"), "\(outcome)")
            #expect(outcome.lines.last?.hasPrefix("broken is damaged: ") == true, "\(outcome)")
            #expect(!outcome.out.contains("\u{1b}"))
            let shell = try top(expecting: "broken is damaged: ")
            shell.terminal.type("q")
            expectLeft(shell, status: 0)
            Harness.remove(box.file("state/sandboxes/broken"))
        }

        @Test("words that make no sense are refused") func refused() throws {
            expectRefused(try box.sandbox(["top", "--sort", "colour"]), naming: "colour", "memory")
            for interval in ["0", "soon", "0.01"] {
                expectRefused(try box.sandbox(["top", "--interval", interval]), naming: interval)
            }
            expectRefused(try box.sandbox(["top", "first"]), naming: "first")
        }
    }
}
