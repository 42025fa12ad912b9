import CLinux
import Glibc
import Testing

extension Integration {
    /// Many commands at once, on different names and on the same.
    @Suite("Commands at the same time", .needsRoot) struct ConcurrencyTests {
        let box: Box

        init() throws { box = try Box() }

        static let own = ["--unshare", "pid,mount"]

        /// Starts all of the commands, then waits for all; those that failed, with what they said.
        private func together(_ commands: [[String]]) throws -> [(index: Int, ending: Ending?, said: String)] {
            let children = try commands.enumerated().map { index, words in
                try box.start([box.binary] + words, name: "command\(index)")
            }
            var failed: [(index: Int, ending: Ending?, said: String)] = []
            for (index, child) in children.enumerated() {
                let ending = child.wait(timeout: 60)
                if ending == .exited(0) { continue }
                failed.append((index, ending, Files.read(box.file("command\(index).err")) ?? ""))
            }
            return failed
        }

        @Test("two hundred are started, stopped and removed at once") func many() throws {
            let names = (0..<200).map { "box-\(getpid())-\($0)" }
            let started = try together(names.map { ["run", "-d", "-n", $0] + Self.own + ["--", "sleep", "1000"] })
            #expect(started.isEmpty, "\(started.prefix(3))")
            let running = try box.sandbox(["ps"])
            #expect(running.lines.filter { $0.contains("running") }.count == names.count, "\(running)")
            let stopped = try together(names.map { ["stop", $0] })
            #expect(stopped.isEmpty, "\(stopped.prefix(3))")
            let removed = try together(names.map { ["rm", $0] })
            #expect(removed.isEmpty, "\(removed.prefix(3))")
            #expect(Files.list(box.file("state/sandboxes")).isEmpty)
            #expect(!Leaks.controlGroups.contains { $0.contains("/box-\(getpid())-0-") })
        }

        @Test("of several that want the same name one gets it, and the others are told") func race() throws {
            for round in 0..<20 {
                let commands = (0..<4).map { _ in ["run", "-d", "-n", "x"] + Self.own + ["--", "sleep", "1000"] }
                let failed = try together(commands)
                #expect(failed.count == 3, "round \(round): \(failed)")
                for (_, ending, said) in failed {
                    #expect(ending == .exited(125) && said.split(separator: "\n").count == 1, "\(said)")
                    #expect(said.contains("\"x\" is running already") || said.contains("at work on \"x\""), "\(said)")
                }
                let winner = try RunningSandbox(joining: "x", of: box)
                let mine = Processes.marked(Leaks.variable, box.mark).filter { Processes.command($0).first == "sleep" }
                #expect(mine == [winner.command], "round \(round)")
                winner.end()
                try box.must([box.binary, "rm", "-f", "x"])
            }
        }

        @Test("a second command on a name that one is at work on is told so; those that only look are not kept waiting")
        func locked() throws {
            let first = try RunningSandbox(box, "[namespaces]\nunshare = [\"pid\", \"mount\"]\n")
            defer { first.end() }
            // All names are locked for as long as the file is.
            let file = linux_open(box.file("state/lock"), O_RDWR | O_CLOEXEC, 0)
            try #require(file >= 0 && lockf(file, F_TLOCK, 0) == 0)
            let before = Files.read(first.folder + "/state.toml")
            let commands = [
                ["stop", "first"], ["rm", "-f", "first"], ["pause", "first"], ["resume", "first"],
                ["update", "first", "--set", "resources.pids=50"], ["run", "-n", "first", "--", "true"],
            ]
            let failed = try together(commands)
            #expect(failed.map(\.index) == Array(commands.indices), "\(failed)")
            for (_, ending, said) in failed {
                #expect(ending == .exited(125) && said.split(separator: "\n").count == 1, "\(said)")
                #expect(said.contains("another command is at work on \"first\""), "\(said)")
            }
            for words in [["ps"], ["inspect", "first"], ["logs", "first"], ["stats", "first"]] {
                #expect(try box.sandbox(words).succeeded, "\(words)")
            }
            #expect(try first.exec([], ["true"]).succeeded)
            #expect(Files.read(first.folder + "/state.toml") == before)
            close(file)
            #expect(try box.sandbox(["stop", "first"]).succeeded)
        }

        @Test("start, stop and removal of one name at once leave it one thing or the other") func mixed() throws {
            for round in 0..<10 {
                let start = ["run", "-d", "-n", "x"] + Self.own + ["--", "sleep", "1000"]
                let failed = try together([
                    start, ["stop", "x"], ["rm", "-f", "x"], start, ["stop", "x"], ["ps", "-a"],
                ])
                for (_, ending, said) in failed {
                    #expect(ending == .exited(125) && said.split(separator: "\n").count == 1, "round \(round): \(said)")
                }
                let listed = try box.sandbox(["ps", "-a"])
                #expect(listed.succeeded && !listed.out.contains("created"), "round \(round): \(listed)")
                let sleeps = Processes.marked(Leaks.variable, box.mark).filter {
                    Processes.command($0).first == "sleep" && Processes.status($0, "State")?.first != "Z"
                }
                #expect(sleeps.count == (listed.out.contains("running") ? 1 : 0), "round \(round): \(listed)")
                _ = try box.sandbox(["rm", "-f", "x"])
                #expect(Files.list(box.file("state/sandboxes")).isEmpty)
            }
        }

        static let kinds = [[], own, ["--unshare", "net"]]

        @Test("what begins again and again does not begin once it is stopped", arguments: kinds)
        func restarts(options: [String]) throws {
            let policy = ["--set", "lifecycle.restart=\"always\"", "--set", "lifecycle.restart-delay=\"1ms\""]
            for round in 0..<4 {
                // At various moments of a run, and between two.
                let command = ["sleep", "0.0\(round)"]
                try box.must([box.binary, "run", "-d", "-n", "x"] + options + policy + ["--"] + command)
                if round > 0 {
                    #expect(
                        Clock.waitUntil { (Files.read(box.file("state/events")) ?? "").contains("restarted") },
                        "it does begin anew")
                }
                let failed = try together([["stop", "x"], ["stop", "x"]])
                #expect(failed.isEmpty, "round \(round): \(failed)")
                #expect(box.phase("x") == "stopped", "round \(round)")
                #expect(Clock.waitUntil { Processes.marked(Leaks.variable, box.mark).isEmpty }, "round \(round)")
                #expect(box.phase("x") == "stopped", "round \(round)")
                try box.must([box.binary, "rm", "x"])
            }
        }
    }
}
