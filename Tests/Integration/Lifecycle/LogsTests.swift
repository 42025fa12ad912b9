import Glibc
import Testing

extension Integration {
    /// What detached sandboxes have written.
    @Suite("Logs", .needsRoot) struct LogsTests {
        let box: Box

        init() throws { box = try Box() }

        static let own = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"
        static let kinds = ["", own]
        static let small = "lifecycle.log-size = \"4K\"\n" + own

        func start(_ toml: String, _ script: String, _ options: [String] = []) throws -> RunningSandbox {
            try RunningSandbox(box, toml, options, ["sh", "-c", script])
        }

        func logs(_ options: String...) throws -> Outcome { try box.sandbox(["logs", "first"] + options) }

        func follow(_ options: [String] = []) throws -> Child {
            try box.start([box.binary, "logs", "-f", "first"] + options, name: "follower")
        }

        /// Waits until all that was to be written is kept.
        func wait() throws { _ = try box.sandbox(["wait", "first"]) }

        // MARK: - Who writes

        @Test("the command writes the file itself, output and errors in order", arguments: kinds)
        func direct(toml: String) throws {
            let first = try start(toml, "echo out; echo err >&2; echo more; exec sleep 1000")
            defer { first.end() }
            #expect(Clock.waitUntil { first.log.contains("more") })
            expectOutput(try logs(), "out\nerr\nmore")
            for number in [1, 2] {
                #expect(Files.linkTarget("/proc/\(first.command)/fd/\(number)") == first.folder + "/log")
            }
            var status = stat()
            #expect(lstat(first.folder + "/log", &status) == 0 && status.st_mode & 0o7777 == 0o600)
        }

        @Test("bytes are as they were written", arguments: ["", own, small]) func bytes(toml: String) throws {
            let first = try start(toml, "printf 'a\\000b\\377\\033[2Jc\\r\\n'")
            defer { first.end() }
            try wait()
            let outcome = try box.run(["sh", "-c", "\(box.binary) logs first | od -An -tx1"])
            #expect(outcome.text == " 61 00 62 ff 1b 5b 32 4a 63 0d 0a", "\(outcome)")
        }

        @Test("on a terminal, what could do more than show text is written as text") func terminal() throws {
            let first = try start(Self.own, "printf 'a\\033[2J\\033]0;title\\007\\033[31mred\\033[0m\\n'")
            defer { first.end() }
            try wait()
            let safe = try PseudoTerminal(
                ["sh", "-c", "\(box.binary) logs first; echo over; exec sleep 1000"], environment: box.environment,
                directory: box.path)
            #expect(safe.expect("over"))
            #expect(safe.transcript.contains("\u{1b}[31mred"), "\(safe.transcript.debugDescription)")
            #expect(!safe.transcript.contains("\u{1b}[2J") && !safe.transcript.contains("\u{1b}]"))
            let raw = try PseudoTerminal(
                ["sh", "-c", "\(box.binary) logs --raw first; echo over; exec sleep 1000"],
                environment: box.environment, directory: box.path)
            #expect(raw.expect("over"))
            #expect(raw.transcript.contains("\u{1b}[2J\u{1b}]0;title\u{7}"), "\(raw.transcript.debugDescription)")
        }

        // MARK: - Which part

        @Test("the last lines, with and without a newline at the end", arguments: ["", own, small])
        func tail(toml: String) throws {
            for end in ["", "\\n"] {
                let first = try start(toml, "printf '1\\n2\\n3\(end)'")
                try wait()
                for (count, text) in [
                    (0, ""), (1, "3"), (2, "2\n3"), (3, "1\n2\n3"), (4, "1\n2\n3"), (1 << 40, "1\n2\n3"),
                ] {
                    expectOutput(try logs("--tail", "\(count)"), text)
                }
                first.end()
            }
        }

        @Test("a long file's last lines") func longTail() throws {
            let first = try start(Self.own, "seq 100000")
            defer { first.end() }
            try wait()
            for count in [1, 3000, 7001] {
                expectOutput(
                    try logs("--tail", "\(count)"), (100_001 - count...100_000).map(String.init).joined(separator: "\n")
                )
            }
        }

        @Test("words that are no number of lines, and options that there are not, are refused")
        func badTail() throws {
            for words in [["--tail", "x"], ["--tail=-1"], ["--tail", ""], ["--tail", "1.5"], ["--frob"]] {
                expectRefused(try box.sandbox(["logs", "first"] + words), naming: "sandbox logs")
            }
        }

        @Test(
            "words that are no time are refused",
            arguments: [
                "yesterday", "25:00", "12:60", "-5m", "@x", "@", "5 parsecs", "5y", "2026-02-30", "2026-13-01",
                "2026-01-31T15:04:05+25:00", "1h30", "99999999999999999999s",
            ]) func badTime(text: String) throws
        {
            expectRefused(try box.sandbox(["logs", "first", "--since=\(text)"]), naming: "is no time", "sandbox logs")
        }

        @Test("since a time: nothing that is newer is missing, and what was older by marks is left out")
        func since() throws {
            let script = "exec 3<>go; echo early; sleep 1.2; echo mid; read line <&3; echo late; sleep 1000"
            try box.must(["mkfifo", "go"])
            let first = try start("lifecycle.log-size = \"64K\"\n" + Self.own, script)
            defer { first.end() }
            try #require(Clock.waitUntil { try logs().out.contains("mid") })
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            let now = "@\(time.tv_sec).\(String(time.tv_nsec + 1_000_000_000).dropFirst())"
            Clock.pause(1.2)
            try box.must(["sh", "-c", "echo > go"])
            try #require(Clock.waitUntil { try logs().out.contains("late") })
            let outcome = try logs("--since", now)
            #expect(outcome.out.hasSuffix("late\n") && !outcome.out.contains("early"), "\(outcome)")
            expectOutput(try logs("--since", "1h"), "early\nmid\nlate")
            expectOutput(try logs("--since", "1h", "--tail", "1"), "late")
        }

        @Test("where the command writes the file itself, times are those of its runs, which is said")
        func sinceUnknown() throws {
            let first = try start(
                "lifecycle.restart = \"on-failure:1\"\nlifecycle.restart-delay = \"1500ms\"\n" + Self.own,
                "echo begun; exit 1")
            defer { first.end() }
            try #require(Clock.waitUntil { first.log == "begun\nbegun\n" })
            try wait()
            let all = try logs("--since", "1h")
            #expect(all.out == "begun\nbegun\n" && all.errorLines.count == 1 && all.err.contains("lifecycle.log-size"))
            let last = try logs("--since", "0s")
            #expect(last.succeeded && last.out == "begun\n", "\(last)")
        }

        // MARK: - Following

        @Test("what is written is followed to the end of the sandbox", arguments: ["", own, small])
        func following(toml: String) throws {
            try box.must(["mkfifo", "go"])
            let first = try start(
                toml, "exec 3<>go; echo one; read line <&3; echo two; read line <&3; printf three; exit 5")
            defer { first.end() }
            let follower = try follow()
            #expect(box.waitForOutput("one\n", name: "follower"))
            try box.must(["sh", "-c", "echo > go"])
            #expect(box.waitForOutput("two\n", name: "follower"))
            #expect(follower.wait(timeout: 0) == nil)
            try box.must(["sh", "-c", "echo > go"])
            #expect(follower.wait() == .exited(0))
            #expect(box.output("follower") == "one\ntwo\nthree")
            expectOutput(try logs("-f"), "one\ntwo\nthree")
            expectOutput(try logs("-f", "--tail", "1"), "three")
        }

        @Test("through restarts", arguments: ["", own, small]) func restarts(toml: String) throws {
            let first = try start(
                "lifecycle.restart = \"on-failure:3\"\n" + toml, "echo run; exit 1")
            defer { first.end() }
            let follower = try follow()
            #expect(follower.wait() == .exited(0))
            #expect(box.output("follower") == "run\nrun\nrun\nrun\n")
            expectOutput(try logs(), "run\nrun\nrun\nrun")
        }

        @Test("one that is killed, removed or replaced ends it", arguments: kinds) func ends(toml: String) throws {
            for words in [["kill", "-s", "KILL", "first"], ["stop", "-t", "0", "first"], ["rm", "-f", "first"]] {
                let first = try start(toml, "echo ready; exec sleep 1000")
                let follower = try follow()
                #expect(box.waitForOutput("ready", name: "follower"))
                #expect(try box.sandbox(words).succeeded)
                #expect(follower.wait() == .exited(0), "\(words)")
                first.end()
            }
        }

        @Test("those that end while they are looked at", arguments: ["", own, small]) func brief(toml: String) throws {
            for round in 0..<30 {
                // Ends at another moment of the look each time.
                let first = try start(toml, "echo ready; sleep 0.0\(round % 10)")
                let outcome = try box.sandbox(["logs", "-f", "first"], timeout: 10)
                #expect(outcome.succeeded && outcome.out == "ready\n", "\(round): \(outcome)")
                first.end()
            }
        }

        @Test("it ends with who reads it") func reader() throws {
            let first = try start(Self.own, "echo ready; exec sleep 1000")
            defer { first.end() }
            try #require(Clock.waitUntil { first.log == "ready\n" })
            let outcome = try box.run(["sh", "-c", "\(box.binary) logs -f first | head -n 1"], timeout: 10)
            #expect(outcome.out == "ready\n" && !outcome.timedOut, "\(outcome)")
        }

        // MARK: - Size

        /// Writes lines of ten bytes, a hundred for each word from `go`.
        static let batches =
            "exec 3<>go; n=0; while read line <&3; do i=0; while [ $i -lt 100 ]; do printf '%09d\\n' $n; "
            + "n=$((n+1)); i=$((i+1)); done; done"

        func lines(_ numbers: Range<Int>) -> String {
            numbers.map { String(repeating: "0", count: 9 - String($0).count) + "\($0)\n" }.joined()
        }

        @Test("no more than the size is kept, the newest, and following misses nothing", arguments: [[], ["-t"]])
        func rotation(options: [String]) throws {
            try box.must(["mkfifo", "go"])
            let quiet = options.isEmpty ? "" : "stty -opost; "
            let first = try start(Self.small, quiet + Self.batches, options)
            defer { first.end() }
            let follower = try follow()
            for batch in 1...12 {
                try box.must(["sh", "-c", "echo > go"])
                #expect(Clock.waitUntil { box.output("follower") == lines(0..<batch * 100) }, "batch \(batch)")
                let sizes = ["log.0", "log.1"].map { Files.bytes(first.folder + "/" + $0).count }
                #expect(sizes.allSatisfy { $0 <= 2048 }, "\(sizes)")
            }
            #expect(!Files.exists(first.folder + "/log"))
            let outcome = try logs()
            #expect(outcome.lines.count >= 200 && lines(0..<1200).hasSuffix(outcome.out), "\(outcome)")
            expectOutput(try logs("--tail", "3"), String(lines(1197..<1200).dropLast()))
            kill(first.process, SIGKILL)
            #expect(follower.wait() == .exited(0))
            #expect((Files.read(box.file("follower.err")) ?? "").isEmpty)
            #expect(try logs().out == outcome.out, "the log of one that has ended")
        }

        @Test("output that is faster than its reader is cut with a word of that, and goes on whole") func overrun()
            throws
        {
            let first = try start(Self.small, "seq 1 50000; echo last; exec sleep 1000")
            defer { first.end() }
            try #require(Clock.waitUntil { try logs("--tail", "1").text == "last" })
            let outcome = try logs()
            #expect(outcome.out.utf8.count <= 4096 && outcome.out.hasSuffix("49999\n50000\nlast\n"), "\(outcome)")
            let numbers = outcome.lines.dropLast().compactMap { Int($0) }
            #expect(numbers == Array((numbers.first ?? 0)...50000), "whole lines, one after the other")
        }

        @Test("sizes that are none", arguments: ["1K", "0", "lots", "-1M"]) func badSize(size: String) throws {
            expectRefused(
                try box.sandbox(["run", "-d", "-n", "first", "--set", "lifecycle.log-size=\(size)", "--", "true"]),
                naming: "lifecycle.log-size")
            #expect(box.phase("first") == nil)
        }

        // MARK: - Whose log

        @Test("another sandbox of the same name begins with an empty log") func reuse() throws {
            for word in ["old", "new"] {
                let first = try start(Self.own, "echo \(word)")
                try wait()
                expectOutput(try logs(), word)
                first.end()
            }
        }

        @Test("what keeps no log is refused in one line") func refused() throws {
            for name in ["gone", "a/b", "..", "", String(repeating: "x", count: 300)] {
                expectRefused(try box.sandbox(["logs", "--", name]))
                expectRefused(try box.sandbox(["logs", "-f", "--", name]))
            }
            let front = try box.startSandbox(Self.own, ["-n", "front"], ["sh", "-c", "echo ready; sleep 1000"])
            try #require(box.waitForOutput("ready"))
            expectRefused(try box.sandbox(["logs", "front"]), naming: "\"front\" has no log", "detached")
            front.signal(SIGTERM)
            _ = front.wait()
        }
    }
}
