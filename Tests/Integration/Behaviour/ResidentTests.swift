import CLinux
import Glibc
import Testing

extension Integration {
    /// What stays beside a command: the waiter in the caller's place and the box's init.
    @Suite("Resident", .needsRoot) struct ResidentTests {
        let box: Box

        init() throws { box = try Box() }

        static let own = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"
        static let onTerminal = own + "[process]\nterminal = \"pty\"\n"
        static let loop = "echo ready; while :; do sleep 0.05; done"

        /// Waits until a process has given its memory back, and tells what it still holds, in KiB.
        func memory(_ pid: pid_t, below limit: Int = 150) -> Int {
            var size = Int.max
            _ = Clock.waitUntil {
                let text = Files.read("/proc/\(pid)/smaps_rollup") ?? ""
                let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
                size = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? .max
                return size < limit
            }
            return size
        }

        func initProcess(of waiter: Child) throws -> pid_t {
            try #require(Processes.children(of: waiter.pid).first, "the waiter has no child")
        }

        @Test("waiter and init hold less than 300 KiB together", arguments: [own, onTerminal])
        func size(toml: String) throws {
            let waiter = try box.startSandbox(toml, [], ["sh", "-c", Self.loop])
            try #require(Clock.waitUntil { Processes.children(of: waiter.pid).count == 1 })
            let first = try initProcess(of: waiter)
            #expect(memory(waiter.pid) + memory(first) < 300)
            #expect(Processes.status(first, "Name") == "sandbox-init")
            #expect(Processes.command(first) == Processes.command(waiter.pid), "ps shows what runs")
            waiter.signal(SIGTERM)
            #expect(waiter.wait() == .exited(128 + SIGTERM))
        }

        @Test("control: the measure sees what a Swift process holds; in place nothing stays at all")
        func sizeControl() throws {
            #expect(memory(getpid()) > 300)
            let command = try box.startSandbox("", [], ["sh", "-c", Self.loop])
            try #require(box.waitForOutput("ready"))
            #expect(Processes.status(command.pid, "Name") == "sh")
        }

        @Test("with a name and a control group to clear away too") func remains() throws {
            let waiter = try box.startSandbox(
                Self.own + "[resources]\npids = 50\n", ["--name", "small"],
                ["sh", "-c", "trap 'exit 9' TERM; " + Self.loop])
            try #require(box.waitForOutput("ready"))
            #expect(memory(waiter.pid) + memory(try initProcess(of: waiter)) < 300)
            #expect(box.phase("small") == "running")
            let groups = Files.read("/proc/\(try initProcess(of: waiter))/cgroup") ?? ""
            #expect(groups.contains("/sandbox/small-\(waiter.pid)-"), "and nothing of it is left after the suite")
            waiter.signal(SIGTERM)
            #expect(waiter.wait() == .exited(9))
            #expect(box.phase("small") == "stopped", "its record stays")
            #expect(Files.list(box.file("state/sandboxes/small")) == ["request.toml", "state.toml"])
        }

        @Test("every status passes through the clearing away", arguments: [0, 7, 99, 100, 255])
        func status(number: Int32) throws {
            let outcome = try box.shell(Self.own, ["--name", "s"], "exit \(number)")
            #expect(outcome.ending == .exited(number) && outcome.err.isEmpty, "\(outcome)")
        }

        @Test("init may make few system calls, and the box may not look into it") func confined() throws {
            let script = "sleep 5 & cat /proc/$!/environ >/dev/null && cat /proc/1/environ 2>/dev/null || echo closed"
            let toml = Self.own + "[process]\nuser = \"nobody\"\n"
            let waiter = try box.startSandbox(
                toml, [], ["sh", "-c", "echo ready; sleep 0.5; \(script); echo done"])
            try #require(box.waitForOutput("ready"))
            let first = try initProcess(of: waiter)
            _ = memory(first)
            #expect(Clock.waitUntil { Processes.status(first, "Seccomp") == "2" })
            #expect(Files.list("/proc/\(first)/fd").count == 2, "signals and reports")
            #expect(box.waitForOutput("done"))
            #expect(box.output() == "ready\nclosed\ndone\n", "\(box.output())")
            #expect(waiter.wait() == .exited(0))
        }

        @Test("a command's own privileges are not init's: no-new-privileges stays as it was set")
        func privileges() throws {
            let toml = Self.own + "[process]\nno-new-privileges = false\n"
            expectOutput(try box.shell(toml, [], "grep NoNewPrivs /proc/self/status | cut -f2"), "0")
        }

        @Test("a signal comes once", arguments: [own, own + "[process]\ninit = false\n"]) func once(toml: String) throws
        {
            let script = "trap 'echo usr1' USR1; trap 'exit 3' TERM; " + Self.loop
            let waiter = try box.startSandbox(toml, [], ["sh", "-c", script])
            try #require(box.waitForOutput("ready"))
            _ = memory(waiter.pid)
            waiter.signal(SIGUSR1)
            try #require(box.waitForOutput("usr1"))
            waiter.signal(SIGTERM)
            #expect(waiter.wait() == .exited(3))
            #expect(box.output().split(separator: "\n").filter { $0 == "usr1" }.count == 1)
        }

        @Test("a stop and its end reach the waiter and the command", arguments: [own, onTerminal])
        func stop(toml: String) throws {
            let script = "trap 'exit 4' TERM; echo ready; kill -STOP $$; " + Self.loop
            let waiter = try box.startSandbox(toml, [], ["sh", "-c", script])
            #expect(Clock.waitUntil { Processes.status(waiter.pid, "State")?.hasPrefix("T") ?? false })
            waiter.signal(SIGCONT)
            #expect(Clock.waitUntil { box.output().split(whereSeparator: \.isNewline).count == 2 }, "\(box.output())")
            waiter.signal(SIGTERM)
            #expect(waiter.wait() == .exited(4))
        }

        @Test("whoever waits for the end of a pipe waits for the command alone") func pipes() throws {
            let script = "exec >&- 2>&-; sleep 1000"
            let words = [box.binary, "run"] + (try box.profile(Self.own)) + ["--", "sh", "-c", script]
            let reader = "{ \"$@\" 2>/dev/null & echo $! > waiter; } | cat; echo over; kill $(cat waiter)"
            let outcome = try box.run(["sh", "-c", reader, "sh"] + words, timeout: 5)
            #expect(outcome.out == "over\n")
        }

        @Test("a command on a terminal of its own ends with a waiter that was killed") func hangUp() throws {
            let waiter = try box.startSandbox(Self.onTerminal, [], ["sh", "-c", Self.loop])
            try #require(box.waitForOutput("ready"))
            _ = memory(waiter.pid)
            waiter.signal(SIGKILL)
            #expect(waiter.wait() == .signalled(SIGKILL))
            #expect(Clock.waitUntil { Processes.marked(Leaks.variable, box.mark).isEmpty })
        }

        @Test("-t: all output arrives, and the end of the input as well", arguments: ["one\ntwo\n", "no newline", ""])
        func terminal(input: String) throws {
            let outcome = try box.launch(
                Self.onTerminal, [], ["sh", "-c", "stty -echo; cat; seq 20000; echo end"], input: .text(input))
            #expect(outcome.ending == .exited(0) && !outcome.timedOut, "\(outcome.ending)")
            let numbers = (1...20000).map(String.init).joined(separator: "\r\n") + "\r\nend\r\n"
            #expect(outcome.out.hasSuffix(numbers))
        }

        @Test("-t: much input does not choke on much output") func bothWays() throws {
            let input = String(repeating: String(repeating: "x", count: 99) + "\n", count: 3000)
            let outcome = try box.launch(
                Self.onTerminal, [], ["sh", "-c", "stty -echo raw; head -c 300000 | wc -c"],
                input: .text(input))
            #expect(outcome.out.contains("300000") && !outcome.timedOut, "\(outcome.ending)")
        }

        @Test("a command that cannot begin is told of, with nothing left") func failure() throws {
            let outcome = try box.launch(Self.own + "[resources]\npids = 50\n", ["--name", "f"], ["/no/such/program"])
            #expect(outcome.ending == .exited(127) && outcome.errorLines.count == 1, "\(outcome)")
            #expect(Files.list(box.file("state/sandboxes")) == [])
        }

        @Test("the waiter's last step is of no use to others") func misuse() throws {
            try box.write("victim.json", "{}")
            for words in [["3", "v1", "/sys/fs/cgroup"], ["3", "v2", box.path], ["3", "what", "/"], ["300"], []] {
                let outcome = try box.sandbox(["--finish"] + words)
                #expect(outcome.ending == .exited(125) && outcome.errorLines.count == 1, "\(words): \(outcome)")
            }
            let waiter = try box.startSandbox(Self.own, ["--name", "living"], ["sh", "-c", Self.loop])
            try #require(box.waitForOutput("ready"))
            let before = Files.read(box.file("state/sandboxes/living/state.toml"))
            let outcome = try box.sandbox(["--finish", "0", "record", box.file("state"), "living"])
            #expect(outcome.errorLines.count == 1 && outcome.err.contains("living"), "\(outcome)")
            #expect(
                Files.read(box.file("state/sandboxes/living/state.toml")) == before, "a living box keeps its record")
            waiter.signal(SIGTERM)
            #expect(waiter.wait() == .exited(128 + SIGTERM))
        }
    }
}
