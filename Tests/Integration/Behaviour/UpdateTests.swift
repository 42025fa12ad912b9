import Glibc
import Testing

extension Integration {
    /// Limits changed while the sandbox runs, read back from its control group.
    @Suite("Update", .needsRoot, .enabled(if: ControlGroups.has("memory"), "no memory controller"))
    struct UpdateTests {
        let box: Box

        init() throws { box = try Box() }

        static let toml = "resources.memory = \"64M\"\nresources.pids = 20\n"

        func update(_ settings: String...) throws -> Outcome {
            try box.sandbox(["update", "first"] + settings.flatMap { ["--set", $0] })
        }

        /// All that the group enforces, and what the record asks for.
        func all(_ sandbox: RunningSandbox) throws -> [String] {
            let pid = sandbox.command
            return try [
                ControlGroups.memory(pid) ?? "?", ControlGroups.pids(pid) ?? "?",
                ControlGroups.cpu(pid).map { "\($0)" } ?? "-",
                sandbox.inspection()["profile"]["resources"].description,
            ]
        }

        @Test(
            "memory, CPU and processes, all together", arguments: ["", "namespaces.unshare = [\"pid\", \"mount\"]\n"])
        func limits(more: String) throws {
            let first = try RunningSandbox(box, more + Self.toml)
            defer { first.remove() }
            let pid = first.command
            #expect(ControlGroups.memory(pid) == "\(64 << 20)" && ControlGroups.pids(pid) == "20")
            expectOutput(
                try update("resources.memory=128M", "resources.cpu=0.5", "resources.pids=33"), "")
            #expect(ControlGroups.memory(pid) == "\(128 << 20)")
            #expect(ControlGroups.pids(pid) == "33")
            #expect(ControlGroups.cpu(pid) == 50)
            let live = try first.inspection()["live"]["limits"]
            #expect(live["memory"].number == 128 << 20 && live["pids"].number == 33, "\(live)")
            #expect(live["cpu"].description == "0.5", "\(live)")
            #expect(Processes.command(pid) == ["sleep", "1000"])
            // Lower again, and one that is lifted.
            expectOutput(try update("resources.memory=32M", "resources.cpu=!"), "")
            #expect(ControlGroups.memory(pid) == "\(32 << 20)" && ControlGroups.cpu(pid) == nil)
            #expect(ControlGroups.pids(pid) == "33")
            let events = try box.sandbox(["events", "--no-follow"])
            #expect(events.lines.filter { $0.contains("first updated") }.count == 2, "\(events)")
        }

        @Test("it is enforced: fewer processes than before") func enforced() throws {
            let script = "while :; do (sleep 0; sleep 0) 2>>errors; sleep 0.05; done"
            let first = try RunningSandbox(box, Self.toml, ["--workdir", box.path], ["sh", "-c", script])
            defer { first.remove() }
            Clock.pause(0.2)
            #expect((Files.read(box.file("errors")) ?? "").isEmpty)
            expectOutput(try update("resources.pids=1"), "")
            #expect(
                Clock.waitUntil {
                    first.log.contains("fork") || (Files.read(box.file("errors")) ?? "").contains("fork")
                })
        }

        @Test(
            "what cannot be is refused, and nothing changes",
            arguments: [
                (["resources.memory=lots"], "lots"), (["resources.nope=1"], "nope"), (["resources.pids=-4"], "pids"),
                (["process.nice=3"], "process.nice"), (["namespaces.unshare=[\"net\"]"], "namespaces.unshare"),
                (["resources.memory=unlimited"], "'resources.memory=!'"),
                (["resources.pids=max"], "'resources.pids=!'"),
                (["resources.pids=40", "resources.cpu=never"], "resources.cpu"), (["resources"], "KEY=VALUE"),
                (["resources.pids=40", "resources.cpuset=8191"], "cpuset"), ([], "--set"),
                (["resources.pids=40", "limits.nofile=3"], "limits.nofile"),
            ])
        func refused(settings: [String], word: String) throws {
            let first = try RunningSandbox(box, Self.toml)
            defer { first.remove() }
            let before = try all(first)
            expectRefused(
                try box.sandbox(["update", "first"] + settings.flatMap { ["--set", $0] }), naming: word)
            #expect(try all(first) == before)
        }

        @Test("of two the kernel takes one: that one is taken back") func undone() throws {
            // 24 MiB in use, which cannot be less.
            let script = "x=$(head -c 25165824 /dev/zero | tr '\\0' x); touch up; sleep 1000; echo $x"
            let first = try RunningSandbox(
                box, Self.toml + "resources.memory-swap = \"0\"\n", ["--workdir", box.path], ["sh", "-c", script])
            defer { first.remove() }
            try #require(Clock.waitUntil { Files.exists(box.file("up")) }, "\(first.log)")
            let before = try all(first)
            #expect(before[0] == "\(64 << 20)" && before[2] == "-")
            expectRefused(
                try update("resources.cpu=0.5", "resources.memory=4M", "resources.pids=40"), naming: "resources.memory")
            #expect(try all(first) == before)
            #expect(kill(first.command, 0) == 0)
        }

        @Test("the sandbox begins again with them") func restart() throws {
            let toml = Self.toml + "[lifecycle]\nrestart = \"always\"\nrestart-delay = \"10ms\"\n"
            let first = try RunningSandbox(box, toml)
            defer { first.remove() }
            let old = first.command
            expectOutput(try update("resources.memory=48M", "resources.pids=17"), "")
            kill(old, SIGKILL)
            try #require(
                Clock.waitUntil { first.command != old && first.command > 0 && box.phase("first") == "running" })
            #expect(ControlGroups.memory(first.command) == "\(48 << 20)")
            #expect(ControlGroups.pids(first.command) == "17")
            #expect(try first.inspection()["restarts"].number == 1)
        }

        @Test("of a paused one too; not of one that has ended, or is none") func states() throws {
            let first = try RunningSandbox(box, Self.toml)
            defer { first.remove() }
            try box.must([box.binary, "pause", "first"])
            expectOutput(try update("resources.pids=7"), "")
            #expect(ControlGroups.pids(first.command) == "7")
            try box.must([box.binary, "resume", "first"])
            try box.must([box.binary, "kill", "-s", "KILL", "first"])
            _ = try box.sandbox(["wait", "first"])
            expectRefused(try update("resources.pids=8"), naming: "first", "run")
            expectRefused(try box.sandbox(["update", "nope", "--set", "resources.pids=8"]), naming: "nope")
            expectRefused(try box.sandbox(["update", "../first", "--set", "resources.pids=8"]))
            expectRefused(try box.sandbox(["update", "--set", "resources.pids=8"]))
        }
    }
}
