import Glibc
import Testing

extension Integration {
    /// Exit status, signals, pid 1.
    @Suite("Process tree", .needsRoot) struct ProcessTreeTests {
        let box: Box

        init() throws { box = try Box() }

        static let inPlace = ""
        static let ownPIDs = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"
        static let commandFirst = ownPIDs + "[process]\ninit = false\n"

        @Test("the command's own status", arguments: [inPlace, ownPIDs, commandFirst], [0, 1, 3, 42, 125, 255])
        func status(toml: String, number: Int32) throws {
            let outcome = try box.shell(toml, [], "exit \(number)")
            #expect(outcome.ending == .exited(number), "\(outcome)")
        }

        @Test("128+N when signal N ended it", arguments: [SIGTERM, SIGKILL, SIGINT, SIGSEGV, SIGUSR1])
        func signalStatus(number: Int32) throws {
            let direct = try box.shell(Self.inPlace, [], "kill -\(number) $$; sleep 5")
            #expect(direct.status == 128 + number, "\(direct)")
            let supervised = try box.shell(Self.ownPIDs, [], "kill -\(number) $$; sleep 5")
            #expect(supervised.ending == .exited(128 + number), "\(supervised)")
        }

        @Test("with our init the command is not pid 1, without it it is") func first() throws {
            expectOutput(try box.shell(Self.ownPIDs, [], "echo $$ $PPID"), "2 1")
            expectOutput(try box.shell(Self.commandFirst, [], "echo $$ $PPID"), "1 0")
        }

        /// Makes an orphan that ends at once, then counts the zombies of the pid namespace.
        static let orphan = "(sh -c 'exec sleep 0.05' &) ; sleep 0.5; grep -l '^State:.Z' /proc/[0-9]*/status | wc -l"

        @Test("init reaps orphans") func reaping() throws {
            expectOutput(try box.shell(Self.ownPIDs, [], Self.orphan), "0")
        }

        @Test("control: without init orphans stay zombies") func reapingControl() throws {
            // A shell reaps what it waits for; this one waits for nothing but its own child.
            let outcome = try box.shell(Self.commandFirst, [], "exec " + "python3 -c '" + Self.python + "'")
            #expect(outcome.succeeded && outcome.text == "1", "\(outcome)")
        }

        static let python = """
            import os, time, glob
            if os.fork() == 0:
                if os.fork() == 0: time.sleep(0.1); os._exit(0)
                os._exit(0)
            os.wait(); time.sleep(0.5)
            print(sum("State:\\tZ" in open(f).read() for f in glob.glob("/proc/[0-9]*/status")))
            """

        @Test("signals travel to the command", arguments: [inPlace, ownPIDs, commandFirst])
        func forwarding(toml: String) throws {
            let script =
                "trap 'echo usr1' USR1; trap 'echo term; exit 7' TERM; echo ready; while :; do sleep 0.05; done"
            let child = try box.startSandbox(toml, [], ["sh", "-c", script])
            try #require(box.waitForOutput("ready"))
            child.signal(SIGUSR1)
            #expect(box.waitForOutput("usr1"))
            child.signal(SIGTERM)
            #expect(child.wait() == .exited(7))
            #expect(box.output().contains("term"))
        }

        @Test("a signal that the command does not catch ends it") func uncaught() throws {
            let child = try box.startSandbox(Self.ownPIDs, [], ["sh", "-c", "echo ready; exec sleep 100"])
            try #require(box.waitForOutput("ready"))
            child.signal(SIGTERM)
            #expect(child.wait()?.shellStatus == 128 + SIGTERM)
        }

        @Test("what the command left running ends with its pid namespace") func descendants() throws {
            let outcome = try box.shell(Self.ownPIDs, [], "sleep 1000 </dev/null >/dev/null 2>&1 & exit 5")
            #expect(outcome.ending == .exited(5), "\(outcome)")
            #expect(Clock.waitUntil { Processes.marked(Leaks.variable, box.mark).isEmpty })
        }

        @Test("nothing outlives a killed launcher") func killed() throws {
            let child = try box.startSandbox(
                Self.ownPIDs + "[process]\ndie-with-parent = true\n", [], ["sh", "-c", "echo ready; exec sleep 1000"])
            try #require(box.waitForOutput("ready"))
            child.end()
            #expect(Clock.waitUntil { Processes.marked(Leaks.variable, box.mark).isEmpty })
        }

        /// Runs a command under an intermediate parent, ends that parent, and tells whether the command outlives it.
        func outlives(_ toml: String) throws -> Bool {
            let words =
                [box.binary, "run"] + (try box.profile(toml)) + ["--", "sh", "-c", "echo ready; exec sleep 1000"]
            let parent = try box.start(["sh", "-c", "\"$@\" & wait", "sh"] + words)
            try #require(box.waitForOutput("ready"))
            kill(parent.pid, SIGKILL)
            _ = parent.wait()
            let gone = Clock.waitUntil(timeout: 2) { Processes.marked(Leaks.variable, box.mark).isEmpty }
            for pid in Processes.marked(Leaks.variable, box.mark) { kill(pid, SIGKILL) }
            return !gone
        }

        @Test("die-with-parent", arguments: [inPlace, ownPIDs]) func parent(namespaces: String) throws {
            #expect(try !outlives(namespaces + "[process]\ndie-with-parent = true\n"))
        }

        @Test("control: without die-with-parent the command goes on") func parentControl() throws {
            #expect(try outlives("[process]\ndie-with-parent = false\n"))
        }

        @Test("standard input, output and error are the caller's", arguments: [inPlace, ownPIDs])
        func streams(toml: String) throws {
            let outcome = try box.launch(
                toml, [], ["sh", "-c", "cat; echo trouble >&2"], input: .text(String(repeating: "x", count: 300_000)))
            #expect(outcome.ending == .exited(0) && outcome.err == "trouble\n" && outcome.out.utf8.count == 300_000)
        }
    }
}
