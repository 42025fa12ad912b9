import Glibc
import Testing

extension Integration {
    /// The terminals of detached sandboxes, visited by people at terminals and by pipes.
    @Suite("Attach", .needsRoot) struct AttachTests {
        let box: Box

        init() throws { box = try Box() }

        static let own = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"
        /// Served by a waiter, by our init, and by a waiter over a command that is process 1.
        static let kinds = ["", own, "process.init = false\n" + own]
        /// Says what it reads.
        static let echo = "echo ready; while read line; do echo \"got=$line\"; done"

        func start(_ toml: String = own, _ script: String, _ options: [String] = []) throws -> RunningSandbox {
            try RunningSandbox(box, toml, ["-t"] + options, ["sh", "-c", script])
        }

        /// A person at a terminal of their own, at which a shell that changes no settings runs `attach`, and then tells
        /// the status.
        func visit(_ options: String = "", rows: UInt16 = 24) throws -> PseudoTerminal {
            let script = "\(box.binary) attach first \(options); echo status=$?; exec sleep 1000"
            return try PseudoTerminal(
                ["sh", "-c", script], environment: box.environment, directory: box.path, rows: rows)
        }

        func waitForLog(_ first: RunningSandbox, _ text: String) -> Bool {
            Clock.waitUntil { first.log.contains(text) }
        }

        // MARK: - Coming and going

        @Test("what was written is shown, what is typed arrives, and the key leaves; again and again", arguments: kinds)
        func roundTrip(toml: String) throws {
            let first = try start(toml, Self.echo)
            defer { first.end() }
            try #require(waitForLog(first, "ready"))
            for word in ["one", "two"] {
                let terminal = try visit()
                #expect(terminal.expect("attached to first; ctrl-] detaches"), "\(terminal.transcript)")
                #expect(terminal.expect(word == "one" ? "ready" : "got=one"), "\(terminal.transcript)")
                terminal.type(word + "\n")
                #expect(terminal.expect("got=" + word), "\(terminal.transcript)")
                terminal.type("\u{1d}")
                #expect(terminal.expect("detached from first"), "\(terminal.transcript)")
                #expect(terminal.expect("status=0"), "\(terminal.transcript)")
                #expect(Processes.status(first.command, "State") != nil, "the sandbox goes on")
            }
        }

        @Test("a control key is the command's: Ctrl-C interrupts it, Ctrl-D ends its input") func controlKeys() throws {
            let first = try start(Self.own, "trap 'echo interrupted' INT; echo ready; cat; echo over; cat; exit 6")
            defer { first.end() }
            let terminal = try visit()
            try #require(terminal.expect("ready"))
            terminal.type("\u{3}")
            #expect(terminal.expect("interrupted"), "\(terminal.transcript)")
            #expect(terminal.expect("over"), "\(terminal.transcript)")
            terminal.type("\u{4}")
            #expect(terminal.expect("status=6"), "\(terminal.transcript)")
        }

        @Test(
            "other keys to leave by",
            arguments: [("ctrl-a", "\u{1}"), ("CTRL-X", "\u{18}"), ("^\\", "\u{1c}"), ("q", "q")])
        func keys(name: String, typed: String) throws {
            let first = try start(Self.own, Self.echo)
            defer { first.end() }
            let terminal = try visit("--detach-key '\(name)'")
            try #require(terminal.expect("ready"), "\(terminal.transcript)")
            terminal.type("last\n" + typed)
            #expect(terminal.expect("status=0"), "\(terminal.transcript)")
            #expect(waitForLog(first, "got=last"), "what was typed before it counts")
        }

        @Test("with no key the usual one is the command's") func noKey() throws {
            let first = try start(Self.own, "echo ready; cat -v")
            defer { first.end() }
            let terminal = try visit("--detach-key none")
            #expect(terminal.expect("no key detaches"), "\(terminal.transcript)")
            terminal.type("a\u{1d}b\n")
            #expect(terminal.expect("a^]b\r\na^]b"), "\(terminal.transcript)")
        }

        @Test(
            "words that are no key are refused", arguments: ["", "ctrl-", "ctrl-ab", "ctrl-1", "^1", "xx", "é", "\t"])
        func badKeys(key: String) throws {
            expectRefused(
                try box.sandbox(["attach", "first", "--detach-key", key]), naming: "detach key", "sandbox attach")
        }

        // MARK: - The window

        @Test("the window of who types is the command's, and so are its changes", arguments: kinds)
        func resize(toml: String) throws {
            let first = try start(toml, "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
            defer { first.end() }
            try #require(waitForLog(first, "ready"))
            let terminal = try visit(rows: 33)
            #expect(terminal.expect("33 500"), "\(terminal.transcript)")
            terminal.resize(rows: 44, columns: 111)
            #expect(terminal.expect("44 111"), "\(terminal.transcript)")
            let other = try visit("--read-only", rows: 20)
            #expect(other.expect("44 111"), "\(other.transcript)")
            other.resize(rows: 21, columns: 22)
            terminal.resize(rows: 45, columns: 112)
            #expect(terminal.expect("45 112") && other.expect("45 112"), "\(other.transcript)")
            #expect(!first.log.contains("20 500") && !first.log.contains("21 22"), "who looks on has no say")
        }

        // MARK: - Viewers

        @Test("those who look on see all and cannot type; one at a time types") func viewers() throws {
            let first = try start(Self.own, Self.echo)
            defer { first.end() }
            let typist = try visit()
            try #require(typist.expect("ready"))
            let viewers = try (0..<3).map { _ in try visit("--read-only") }
            for viewer in viewers {
                #expect(viewer.expect("attached to first, read-only"), "\(viewer.transcript)")
                #expect(viewer.expect("ready"), "\(viewer.transcript)")
                viewer.type("evil\n")
            }
            typist.type("good\n")
            for terminal in viewers + [typist] {
                #expect(terminal.expect("got=good"), "\(terminal.transcript)")
                #expect(!terminal.transcript.contains("evil"), "\(terminal.transcript)")
            }
            expectRefused(
                try box.sandbox(["attach", "first"]), naming: "somebody is attached to \"first\"", "--read-only")
            viewers[0].type("\u{3}")
            #expect(viewers[0].expect("status=0"), "Ctrl-C is a key to leave by: \(viewers[0].transcript)")
            viewers[1].type("\u{1d}")
            #expect(viewers[1].expect("status=0"), "\(viewers[1].transcript)")
            typist.type("\u{1d}")
            try #require(typist.expect("status=0"))
            let next = try visit()
            #expect(next.expect("attached to first;"), "the place is free: \(next.transcript)")
            next.type("again\n")
            #expect(next.expect("got=again") && viewers[2].expect("got=again"), "\(viewers[2].transcript)")
            #expect(!first.log.contains("evil"))
        }

        @Test("there are eight places, and who goes makes one free") func places() throws {
            let first = try start(Self.own, Self.echo)
            defer { first.end() }
            let viewers = try (0..<8).map {
                try box.start([box.binary, "attach", "--read-only", "first"], name: "v\($0)")
            }
            for number in 0..<8 { try #require(box.waitForOutput("ready", name: "v\(number)")) }
            expectRefused(try box.sandbox(["attach", "--read-only", "first"]), naming: "as many viewers")
            expectRefused(try box.sandbox(["attach", "first"]), naming: "as many viewers")
            viewers[3].signal(SIGKILL)
            _ = viewers[3].wait()
            let next = try box.start([box.binary, "attach", "first"], name: "next")
            #expect(box.waitForOutput("ready", name: "next"))
            kill(first.process, SIGKILL)
            for viewer in viewers + [next] where viewer.pid != viewers[3].pid { #expect(viewer.wait() == .exited(137)) }
        }

        @Test("a viewer that takes nothing holds nobody up, and is told the rest later", arguments: kinds)
        func slowViewer(toml: String) throws {
            let script = "stty -opost; echo ready; read line; seq 100000; echo finished; read line; exit 3"
            let first = try start(toml, script)
            defer { first.end() }
            let slow = try box.start([box.binary, "attach", "--read-only", "first"], name: "slow")
            try #require(box.waitForOutput("ready", name: "slow"))
            slow.signal(SIGSTOP)
            let terminal = try visit()
            try #require(terminal.expect("ready"))
            terminal.type("go\n")
            #expect(terminal.expect("\nfinished", timeout: 20))
            #expect(!box.output("slow").contains("finished"), "control: it is stopped")
            slow.signal(SIGCONT)
            #expect(box.waitForOutput("\nfinished", name: "slow"))
            terminal.type("end\n")
            #expect(terminal.expect("status=3"))
            #expect(slow.wait() == .exited(3))
            let numbers = (1...100_000).map { "\($0)\n" }.joined()
            #expect(box.output("slow").contains(numbers + "finished"), "nothing is missing, nothing comes twice")
        }

        @Test("what a slow viewer missed of a log that was overwritten is told") func overwritten() throws {
            let script = "stty -opost; echo ready; read line; seq 20000; echo finished; read line; exit 3"
            let first = try start("lifecycle.log-size = \"8K\"\n" + Self.own, script)
            defer { first.end() }
            let slow = try box.start([box.binary, "attach", "--read-only", "first"], name: "slow")
            try #require(box.waitForOutput("ready", name: "slow"))
            slow.signal(SIGSTOP)
            let terminal = try visit()
            try #require(terminal.expect("ready"))
            terminal.type("go\n")
            #expect(terminal.expect("\nfinished", timeout: 20))
            slow.signal(SIGCONT)
            #expect(box.waitForOutput("\nfinished", name: "slow"))
            #expect(Clock.waitUntil { (Files.read(box.file("slow.err")) ?? "").contains("overwritten") })
            // From where it goes on nothing is missing; half the size is there for certain.
            let tail = (19500...20000).map { "\($0)\n" }.joined()
            #expect(box.output("slow").contains(tail + "finished"))
        }

        // MARK: - Giving the terminal back

        /// Ways to end a visit.
        enum Way: CaseIterable { case key, end, kill, terminate, hangUp }

        @Test("the terminal is as it was, whatever ends the visit", arguments: Way.allCases)
        func restored(way: Way) throws {
            // A full-screen program: alternate screen, hidden cursor, mouse, bracketed paste.
            let first = try start(
                Self.own, "printf '\\033[?1049h\\033[?25l\\033[?1000;2004hready\\n'; read line; exit 7")
            defer { first.end() }
            let terminal = try visit()
            let before = terminal.settings
            try #require(terminal.expect("ready"), "\(terminal.transcript)")
            #expect(Clock.waitUntil { terminal.isRaw }, "control: while it lasts the keys are the sandbox's")
            let visitor = try #require(terminal.processes.last)
            switch way {
            case .key: terminal.type("\u{1d}")
            case .end: terminal.type("end\n")
            case .kill: kill(first.process, SIGKILL)
            case .terminate: kill(visitor, SIGTERM)
            case .hangUp: kill(visitor, SIGHUP)
            }
            let status = [.key: 0, .end: 7, .kill: 137, .terminate: 143, .hangUp: 129][way] ?? -1
            #expect(terminal.expect("status=\(status)"), "\(terminal.transcript)")
            #expect(terminal.settings == before && !terminal.isRaw)
            for undone in ["\u{1b}[?1049l", "\u{1b}[?25h", "\u{1b}[?1000l", "\u{1b}[?2004l"] {
                #expect(terminal.transcript.contains(undone), "\(undone.debugDescription)")
            }
        }

        @Test("while the visit is suspended the terminal is as it was") func suspended() throws {
            let first = try start(Self.own, Self.echo)
            defer { first.end() }
            let terminal = try visit()
            let before = terminal.settings
            try #require(terminal.expect("ready"))
            try #require(Clock.waitUntil { terminal.isRaw })
            let visitor = try #require(terminal.processes.last)
            kill(visitor, SIGTSTP)
            #expect(Clock.waitUntil { Processes.status(visitor, "State")?.hasPrefix("T") ?? false })
            #expect(terminal.settings == before)
            kill(visitor, SIGCONT)
            #expect(Clock.waitUntil { terminal.isRaw })
            terminal.type("word\n")
            #expect(terminal.expect("got=word"), "\(terminal.transcript)")
        }

        @Test("a visitor who is killed leaves the sandbox and the others as they are") func killed() throws {
            let first = try start(Self.own, Self.echo)
            defer { first.end() }
            let visitor = try box.start([box.binary, "attach", "first"], name: "one")
            try #require(box.waitForOutput("ready", name: "one"))
            visitor.signal(SIGKILL)
            _ = visitor.wait()
            let terminal = try visit()
            try #require(terminal.expect("ready"), "\(terminal.transcript)")
            terminal.type("word\n")
            #expect(terminal.expect("got=word"), "\(terminal.transcript)")
        }

        // MARK: - Pipes, and the end

        @Test("the exit status is the command's, and input may come from a pipe", arguments: kinds)
        func status(toml: String) throws {
            for (script, status): (String, Int32) in [
                ("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -9 $$", 137),
            ] {
                let first = try start(toml, "stty -echo; echo ready; read line; echo got=$line; \(script)")
                try #require(waitForLog(first, "ready"))
                let outcome = try box.sandbox(["attach", "first"], input: .text("word\n"))
                #expect(outcome.status == status && outcome.err.isEmpty, "\(script): \(outcome)")
                #expect(outcome.out == "ready\r\ngot=word\r\n", "\(outcome)")
                #expect(try box.sandbox(["wait", "first"]).status == status)
                first.end()
            }
        }

        @Test("much input does not choke on much output") func bothWays() throws {
            let first = try start(Self.own, "stty -echo raw; echo ready; head -c 300000 | wc -c; exit 4")
            try #require(waitForLog(first, "ready"))
            let input = String(repeating: String(repeating: "x", count: 99) + "\n", count: 3000)
            let outcome = try box.sandbox(["attach", "first"], input: .text(input))
            #expect(outcome.status == 4 && outcome.out.contains("300000"), "\(outcome)")
            first.end()
        }

        // MARK: - Nothing to attach to

        @Test("what has no terminal is refused in one line") func refused() throws {
            for name in ["gone", "a/b", "..", "", String(repeating: "x", count: 300)] {
                expectRefused(try box.sandbox(["attach", "--", name]))
            }
            expectRefused(try box.sandbox(["attach"]), naming: "sandbox attach --help")
            let plain = try RunningSandbox(box, Self.own, name: "plain")
            defer { plain.end() }
            expectRefused(
                try box.sandbox(["attach", "plain"]), naming: "\"plain\" has no terminal", "sandbox run -d -t")
            let front = try box.startSandbox(Self.own, ["-t", "-n", "front"], ["sh", "-c", "echo ready; sleep 1000"])
            try #require(box.waitForOutput("ready"))
            expectRefused(try box.sandbox(["attach", "front"]), naming: "\"front\" has no terminal")
            front.signal(SIGTERM)
            _ = front.wait()
            let first = try start(Self.own, "echo ready; exit 3")
            #expect(try box.sandbox(["wait", "first"]).status == 3)
            expectRefused(try box.sandbox(["attach", "first"]), naming: "not running", "sandbox logs first")
            first.end()
        }
    }
}
