import CLinux
import Glibc
import Testing

extension Integration {
    /// What is no sandbox's name, and state that cannot be believed, for every command on sandboxes: one line, exit 125,
    /// nothing touched, and no waiting.
    @Suite("Bad input to commands on sandboxes", .needsRoot) struct LifecycleInputTests {
        let box: Box

        init() throws { box = try Box() }

        static let own = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"

        /// Every command that takes a sandbox's name.
        static func commands(on name: String) -> [[String]] {
            [
                ["inspect", name], ["logs", name], ["wait", name], ["stop", name], ["kill", "-s", "CONT", name],
                ["rm", name], ["pause", name], ["resume", name], ["update", name, "--set", "resources.pids=50"],
                ["stats", name], ["exec", name, "--", "true"], ["attach", name], ["explain", name],
            ]
        }

        /// All that there is below the state directory, with owners, times and content.
        private func picture() throws -> String {
            let script =
                "find state -printf '%p %y %m %U:%G %s %T@ %i\\n' | sort; "
                + "find state -type f -size -1024k -exec sha256sum {} + | sort"
            return try box.must(["sh", "-c", script]).out
        }

        @Test(
            "names that are none",
            arguments: [
                "no-such", "..", "../sandboxes/first", "/etc/passwd", "", "a\nb", "\u{1b}[31m", ".hidden", "first/",
                String(repeating: "x", count: 300), String(repeating: "x", count: 100_000),
            ])
        func names(name: String) throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            let before = try picture()
            for words in Self.commands(on: name) + [["rm", "-f", name]] {
                let outcome = try box.sandbox(words, timeout: 10)
                let shown = Outcome(ending: outcome.ending, out: outcome.out, err: String(outcome.err.prefix(300)))
                #expect(outcome.ending == .exited(125) && outcome.errorLines.count == 1, "\(words[0]): \(shown)")
                #expect(outcome.out.isEmpty && outcome.err.utf8.count < 500, "\(words[0]): \(shown)")
                #expect(!outcome.err.contains("\u{1b}"), "\(words[0])")
            }
            let start = try box.sandbox(["run", "-d", "-n", name, "--", "touch", box.file("marker")])
            if name != "no-such" { #expect(start.ending == .exited(125) && start.errorLines.count == 1) }
            if name == "no-such" { try box.must([box.binary, "rm", "-f", name]) }
            #expect(Files.exists(box.file("marker")) == (name == "no-such"))
            if name != "no-such" { #expect(try picture() == before) }
            #expect(try first.exec([], ["true"]).succeeded)
        }

        @Test("nothing is made where nothing was") func emptyState() throws {
            try box.must(["rmdir", box.file("state")])
            for words in Self.commands(on: "first") + [["rm", "-f", "first"]] {
                let outcome = try box.sandbox(words, timeout: 10)
                #expect(outcome.ending == .exited(125) && outcome.errorLines.count == 1, "\(words[0]): \(outcome)")
            }
            for words in [
                ["ps"], ["ps", "-a", "--json"], ["stats", "--no-stream"], ["gc"], ["events", "--no-follow"],
            ] {
                let outcome = try box.sandbox(words, timeout: 10)
                #expect(!outcome.timedOut && outcome.errorLines.count <= 1, "\(words): \(outcome)")
            }
            #expect(!Files.exists(box.file("state")))
        }

        /// Ways to damage a file, as a shell's words with its path as $1.
        static let damages = [
            "head -c 4096 /dev/urandom > $1", ": > $1", "truncate -s 100M $1", "rm $1 && mkdir $1",
            "mv $1 $1.moved && ln -s $1.moved $1", "rm $1 && mkfifo $1", "rm $1", "rm $1 && ln -s /dev/zero $1",
            "echo 'phase = \"running\"' > $1", "tr -d 0-9 < $1 > $1.new && mv $1.new $1", "chown 54321 $1",
        ]

        private func damage(_ first: RunningSandbox, _ file: String, _ script: String) throws {
            try box.must(["sh", "-c", script, "sh", "\(first.folder)/\(file)"])
        }

        @Test("a record that is damaged", arguments: damages) func record(script: String) throws {
            let first = try RunningSandbox(box, Self.own)
            let process = first.process
            let second = try RunningSandbox(box, Self.own, name: "second")
            defer {
                kill(process, SIGKILL)
                second.end()
            }
            try damage(first, "state.toml", script)
            let before = try picture()
            for words in Self.commands(on: "first") {
                let outcome = try box.sandbox(words, timeout: 10)
                #expect(outcome.ending == .exited(125) && outcome.errorLines.count == 1, "\(words): \(outcome)")
                #expect(outcome.out.isEmpty && outcome.err.contains("first"), "\(words): \(outcome)")
            }
            let start = try box.sandbox(["run", "-d", "-n", "first", "--", "true"], timeout: 10)
            #expect(start.ending == .exited(125) && start.errorLines.count == 1, "\(start)")
            for words in [["ps", "-a"], ["stats", "--no-stream"], ["gc"]] {
                let outcome = try box.sandbox(words, timeout: 10)
                #expect(outcome.ending == .exited(125) && outcome.errorLines.count == 1, "\(words): \(outcome)")
            }
            #expect(try box.sandbox(["ps"]).out.contains("second"), "the others are listed")
            #expect(try picture() == before)
            #expect(kill(process, 0) == 0, "what runs goes on")
            #expect(try second.exec([], ["true"]).succeeded)
            let removed = try box.sandbox(["rm", "-f", "first"], timeout: 20)
            #expect(removed.errorLines.count <= 1 && !removed.timedOut, "\(removed)")
            #expect(!Files.exists(first.folder), "\(removed)")
        }

        @Test("a request that is damaged", arguments: damages.filter { !$0.hasPrefix("tr ") }) func request(
            script: String
        ) throws {
            let first = try RunningSandbox(box, Self.own)
            let process = first.process
            defer { kill(process, SIGKILL) }
            try damage(first, "request.toml", script)
            let before = try picture()
            for words in Self.commands(on: "first") where !["wait", "pause", "resume"].contains(words[0]) {
                let outcome = try box.sandbox(words, timeout: 10)
                #expect(!outcome.timedOut, "\(words): \(outcome)")
                let isRefused = outcome.ending == .exited(125) && outcome.errorLines.count == 1 && outcome.out.isEmpty
                let needsNone = ["logs", "kill", "stats"].contains(words[0])
                #expect(needsNone ? outcome.succeeded : isRefused, "\(words): \(outcome)")
            }
            #expect(try picture() == before)
            #expect(kill(process, 0) == 0, "what runs goes on")
            let removed = try box.sandbox(["rm", "-f", "first"], timeout: 20)
            #expect(removed.succeeded && !Files.exists(first.folder), "\(removed)")
        }

        @Test(
            "files that are no files beside it: nothing hangs",
            arguments: ["lock", "events", "stopping", "exit", "log"])
        func strangeFiles(name: String) throws {
            let first = try RunningSandbox(box, Self.own)
            let process = first.process
            defer { kill(process, SIGKILL) }
            let file = ["lock", "events"].contains(name) ? box.file("state/\(name)") : "\(first.folder)/\(name)"
            try box.must(["sh", "-c", "rm -f $1; mkfifo $1", "sh", file])
            for words in [
                ["ps", "-a"], ["logs", "first"], ["stop", "-t", "1", "first"], ["gc"], ["rm", "-f", "first"],
            ] {
                let outcome = try box.sandbox(words, timeout: 15)
                #expect(!outcome.timedOut && outcome.errorLines.count <= 1, "\(words): \(outcome)")
            }
            let outcome = try box.sandbox(["run", "-d", "-n", "second", "--", "true"], timeout: 15)
            #expect(!outcome.timedOut && outcome.errorLines.count <= 1, "\(outcome)")
            try box.must(["rm", "-f", file])
            for name in ["first", "second"] { _ = try box.sandbox(["rm", "-f", name]) }
            #expect(Files.list(box.file("state/sandboxes")).isEmpty)
        }

        // MARK: - S11

        @Test(
            "S11: a state directory of another user, or that others can write", arguments: ["state", "state/sandboxes"])
        func foreign(place: String) throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            let path = box.file(place)
            let spoil: [() throws -> Void] = [
                { chown(path, Box.user, Box.user) }, { chmod(path, 0o770) }, { chmod(path, 0o702) },
            ]
            for spoil in spoil {
                try spoil()
                let before = try picture()
                let all = [
                    ["ps"], ["stats", "--no-stream"], ["gc"], ["events", "--no-follow"],
                    ["run", "-d", "-n", "new", "--", "true"],
                ]
                for words in Self.commands(on: "first") + [["rm", "-f", "first"]] + all {
                    if place != "state", words == ["events", "--no-follow"] { continue }
                    let outcome = try box.sandbox(words, timeout: 10)
                    #expect(outcome.ending == .exited(125) && outcome.errorLines.count == 1, "\(words): \(outcome)")
                    #expect(outcome.out.isEmpty && outcome.err.contains("belong to you"), "\(words): \(outcome)")
                }
                #expect(try picture() == before)
                chown(path, 0, 0)
                chmod(path, 0o700)
            }
            #expect(try first.exec([], ["true"]).succeeded)
        }

        @Test("S11: a record of another owner, whatever it names") func foreignRecord() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.end() }
            chown(first.folder + "/state.toml", Box.user, Box.user)
            for words in Self.commands(on: "first") {
                let outcome = try box.sandbox(words, timeout: 10)
                #expect(outcome.ending == .exited(125) && outcome.err.contains("file of yours"), "\(words): \(outcome)")
            }
            chown(first.folder + "/state.toml", 0, 0)
        }

        @Test("S11: another process under a number that was given out again is left alone") func reusedNumber() throws {
            for words in Self.commands(on: "first") + [["rm", "-f", "first"], ["gc"], ["ps"]] {
                let first = try RunningSandbox(box, Self.own)
                let process = first.process
                let stranger = try box.start(["sleep", "1000"], name: "stranger")
                let start = try ExecSecurityTests.startTime(stranger.pid)
                for key in ["process", "application", "launcher"] {
                    try first.forge(key, "[\(stranger.pid), \(start + 1)]")
                }
                let outcome = try box.sandbox(words, timeout: 10)
                #expect(!outcome.timedOut && outcome.errorLines.count <= 1, "\(words): \(outcome)")
                #expect(Processes.status(stranger.pid, "State")?.hasPrefix("S") == true, "\(words): \(outcome)")
                #expect(!(try box.sandbox(["ps"]).out.contains("running")), "\(words)")
                stranger.end()
                kill(process, SIGKILL)
                _ = try box.sandbox(["rm", "-f", "first"])
            }
        }
    }
}
