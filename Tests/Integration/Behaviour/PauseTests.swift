import Glibc
import Testing

extension Integration {
    @Suite("Pause and resume", .needsRoot) struct PauseTests {
        let box: Box

        init() throws { box = try Box() }

        /// A box whose command stands alone, and one with our init.
        static let kinds = ["", "namespaces.unshare = [\"pid\", \"mount\"]\n"]

        /// Two processes that write without end, to files `one` and `two`.
        func counting(_ toml: String = "", name: String = "first") throws -> RunningSandbox {
            let script = "count() { while :; do echo; done > \"$1\"; }; count \(name).one & count \(name).two"
            let first = try RunningSandbox(box, toml, ["--workdir", box.path], ["sh", "-c", script], name: name)
            guard Clock.waitUntil({ sizes(name).allSatisfy { $0 > 0 } }) else {
                first.remove()
                throw Failure(saying: "nothing was counted: \(first.log)")
            }
            return first
        }

        func sizes(_ name: String = "first") -> [Int] {
            ["one", "two"].map { file in
                var status = stat()
                return stat(box.file("\(name).\(file)"), &status) == 0 ? Int(status.st_size) : 0
            }
        }

        func state(_ name: String = "first") throws -> String? {
            try box.sandbox(["ps", "-a", "--json"]).document().items.first { $0["name"].text == name }?["state"].text
        }

        @Test("nothing makes progress until it is resumed", arguments: kinds) func frozen(toml: String) throws {
            let first = try counting(toml)
            defer { first.remove() }
            #expect(try state() == "running")
            expectOutput(try box.sandbox(["pause", "first"]), "")
            let before = sizes()
            Clock.pause(0.2)
            #expect(sizes() == before)
            #expect(try state() == "paused")
            #expect(try first.inspection()["state"].text == "paused")
            #expect(try box.sandbox(["ps"]).out.contains("paused"))
            #expect(try box.sandbox(["stats", "--interval", "0.1"]).lines.last?.contains("paused") == true)
            expectOutput(try box.sandbox(["resume", "first"]), "")
            #expect(Clock.waitUntil { zip(sizes(), before).allSatisfy { $0 > $1 } })
            #expect(try state() == "running")
            let events = try box.sandbox(["events", "--no-follow"])
            #expect(events.lines.filter { $0.hasSuffix("first paused") }.count == 1, "\(events)")
            #expect(events.lines.filter { $0.hasSuffix("first resumed") }.count == 1, "\(events)")
        }

        @Test("pausing twice, and resuming what runs, are errors that change nothing") func twice() throws {
            let first = try counting()
            defer { first.remove() }
            expectRefused(try box.sandbox(["resume", "first"]), naming: "\"first\" is not paused")
            try box.must([box.binary, "pause", "first"])
            expectRefused(try box.sandbox(["pause", "first"]), naming: "\"first\" is paused already")
            #expect(try state() == "paused")
        }

        @Test("one that has ended cannot be paused") func ended() throws {
            try box.must([box.binary, "run", "-d", "-n", "job", "--", "true"])
            _ = try box.sandbox(["wait", "job"])
            for command in ["pause", "resume"] {
                expectRefused(try box.sandbox([command, "job"]), naming: "job", "run")
            }
        }

        @Test("a paused one can be stopped: it gets its signal, and its end is recorded", arguments: kinds)
        func stop(toml: String) throws {
            let first = try RunningSandbox(
                box, toml, ["--workdir", box.path],
                ["sh", "-c", "trap 'echo bye > bye; exit 5' TERM; touch up; while :; do sleep 0.05; done"])
            defer { first.remove() }
            try #require(Clock.waitUntil { Files.exists(box.file("up")) })
            try box.must([box.binary, "pause", "first"])
            try box.must([box.binary, "stop", "first"])
            #expect(Files.read(box.file("bye")) == "bye\n")
            #expect(try box.sandbox(["wait", "first"]).status == 5)
            #expect(try state() == "stopped")
        }

        @Test("a paused one can be killed and removed", arguments: kinds) func kill(toml: String) throws {
            let first = try counting(toml)
            defer { first.remove() }
            try box.must([box.binary, "pause", "first"])
            try box.must([box.binary, "kill", "-s", "KILL", "first"])
            #expect(try box.sandbox(["wait", "-t", "20", "first"]).status == 137)
            let second = try counting(toml, name: "second")
            defer { second.remove() }
            let (process, command) = (second.process, second.command)
            try box.must([box.binary, "pause", "second"])
            try box.must([box.binary, "rm", "-f", "second"])
            #expect(try state("second") == nil)
            for pid in [process, command] {
                #expect(Clock.waitUntil { Glibc.kill(pid, 0) != 0 || Processes.status(pid, "State")?.first == "Z" })
            }
        }

        @Test("several at once: each that can is, the others are named") func several() throws {
            let first = try counting()
            defer { first.remove() }
            let second = try counting(name: "second")
            defer { second.remove() }
            let outcome = try box.sandbox(["pause", "first", "nope", "second"])
            #expect(outcome.status == 125 && outcome.errorLines.count == 1, "\(outcome)")
            #expect(outcome.err.contains("nope"))
            #expect(try state("first") == "paused" && state("second") == "paused")
            try box.must([box.binary, "resume", "second", "first"])
            #expect(try state("first") == "running" && state("second") == "running")
        }
    }
}
