import CLinux
import Glibc
import Testing

extension Integration {
    /// Each key of [process] and [limits].
    @Suite("Process", .needsRoot) struct ProcessTests {
        let box: Box

        init() throws { box = try Box() }

        @Test("user and group by number and name, supplementary groups") func identity() throws {
            let numbers = "[process]\nuser = \"1234\"\ngroup = \"2345\"\ngroups = [\"3456\", \"4567\"]\n"
            expectOutput(try box.shell(numbers, [], "id -u; id -g; id -G"), "1234\n2345\n2345 3456 4567")
            let names = "[process]\nuser = \"daemon\"\n"
            expectOutput(try box.shell(names, [], "id -un; id -gn; id -Gn"), "daemon\ndaemon\ndaemon")
            expectOutput(try box.launch("", ["--user", "daemon"], ["id", "-un"]), "daemon")
            expectRefused(try box.launch("", ["--user", "no-such-user"], ["id"]), naming: "no-such-user")
        }

        @Test(
            "an id that is no id never becomes root",
            arguments: ["-1", "4294967295", "4294967296", "0x0", "1000:", "", " 0", "1e3", "18446744073709551616"])
        func badIdentity(text: String) throws {
            let outcome = try box.launch("", ["--user", text], ["id", "-u"])
            expectRefused(outcome)
        }

        @Test func umask() throws { expectOutput(try box.shell("[process]\numask = \"0027\"\n", [], "umask"), "0027") }

        @Test("working directory") func directory() throws {
            expectOutput(try box.launch("[process]\nworking-directory = \"/usr\"\n", [], ["pwd"]), "/usr")
            expectOutput(try box.launch("", ["--workdir", "/etc"], ["pwd"]), "/etc")
            expectOutput(try box.launch("", [], ["pwd"]), box.path)
            expectRefused(try box.launch("", ["--workdir", "/no/such"], ["pwd"]), naming: "/no/such")
        }

        @Test("environment: clear, keep, set, unset") func environment() throws {
            let extra = ["KEEP_ME": "1", "KEEPER": "2", "LOSE": "3", "SECRET": "4"]
            let cleared = """
                [process.environment]
                clear = true
                keep = ["KEEP*", "PATH"]
                set = { ADDED = "a b" }
                """
            let names = try box.launch(cleared, [], ["env"], environment: extra)
            #expect(names.succeeded, "\(names)")
            let kept = Set(names.lines.filter { !$0.hasPrefix("PATH=") })
            #expect(kept == ["KEEP_ME=1", "KEEPER=2", "ADDED=a b"], "\(names)")
            let unset = "[process.environment]\nunset = [\"SECRET\"]\nset = { LOSE = \"x\" }\n"
            let values = try box.launch(unset, ["--env", "GIVEN=y=z"], ["env"], environment: extra)
            #expect(
                values.lines.contains("LOSE=x") && values.lines.contains("GIVEN=y=z")
                    && values.lines.contains("KEEPER=2"))
            #expect(!values.out.contains("SECRET"), "\(values)")
        }

        @Test("limits") func limits() throws {
            let toml = "[limits]\nnofile = 77\nfsize = { soft = 4096, hard = 8192 }\n[process]\ncore-limit = 0\n"
            let outcome = try box.launch(toml, [], ["cat", "/proc/self/limits"])
            func row(_ name: String) -> [String] {
                outcome.lines.first { $0.hasPrefix(name) }?.dropFirst(25).split(separator: " ").map(String.init) ?? []
            }
            #expect(row("Max open files").prefix(2) == ["77", "77"], "\(outcome)")
            #expect(row("Max file size").prefix(2) == ["4096", "8192"], "\(outcome)")
            #expect(row("Max core file size").prefix(2) == ["0", "0"], "\(outcome)")
        }

        @Test("nice, scheduling, I/O priority, CPU affinity, OOM score") func scheduling() throws {
            expectOutput(try box.launch("[process]\nnice = 7\n", [], ["nice"]), "7")
            let batch = try box.launch(
                "[process]\nscheduling = { policy = \"batch\" }\n", [], ["sh", "-c", "chrt -p $$"])
            #expect(batch.out.contains("SCHED_BATCH"), "\(batch)")
            let best = "[process]\nio-priority = { class = \"best-effort\", level = 6 }\n"
            expectOutput(try box.launch(best, [], ["ionice"]), "best-effort: prio 6")
            expectOutput(try box.launch("[process]\nio-priority = { class = \"idle\" }\n", [], ["ionice"]), "idle")
            let pinned = try box.launch(
                "[process]\ncpu-affinity = \"0\"\n", [], ["grep", "Cpus_allowed_list", "/proc/self/status"])
            expectOutput(pinned, "Cpus_allowed_list:\t0")
            expectOutput(
                try box.launch("[process]\noom-score-adjust = 321\n", [], ["cat", "/proc/self/oom_score_adj"]), "321")
        }

        @Test("real-time scheduling") func realtime() throws {
            let round = try box.launch(
                "[process]\nscheduling = { policy = \"rr\", priority = 5 }\n", [], ["sh", "-c", "chrt -p $$"])
            #expect(round.out.contains("SCHED_RR") && round.out.contains("priority: 5"), "\(round)")
        }

        @Test("only the named descriptors are inherited") func descriptors() throws {
            let file = linux_open(try box.write("held", "held\n"), O_RDONLY | O_CLOEXEC, 0)
            defer { close(file) }
            let given: [Int32: Int32] = [3: file, 7: file, 9: file, 200: file]
            let plain = try box.launch("", [], [Payload.probe(), "open"], descriptors: given)
            expectOutput(plain, "0\n1\n2")
            let kept = try box.launch(
                "[process]\nkeep-descriptors = [7]\n", [], [Payload.probe(), "descriptors"], descriptors: given)
            #expect(kept.column(0) == ["0", "1", "2", "7"], "\(kept)")
            #expect(kept.lines.last == "7 \(box.path)/held", "\(kept)")
            expectRefused(try box.launch("[process]\nkeep-descriptors = [950]\n", [], ["true"]), naming: "950")
        }

        @Test("the same under a pid namespace") func descriptorsSupervised() throws {
            let file = linux_open(try box.write("held", "held\n"), O_RDONLY | O_CLOEXEC, 0)
            defer { close(file) }
            let toml = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"
            let outcome = try box.launch(toml, [], [Payload.probe(), "open"], descriptors: [3: file, 7: file])
            expectOutput(outcome, "0\n1\n2")
        }

        @Test("a session keyring of its own: the caller's keys are out of reach") func keyring() throws {
            let words = [try Payload.probe(), "with-key", box.binary, "run"]
            for namespaces in ["", "[namespaces]\nunshare = [\"pid\", \"mount\"]\n"] {
                let own = words + (try box.profile(namespaces)) + ["--", try Payload.probe(), "find-key"]
                #expect(try box.run(own).text == "key ENOKEY")
                let shared = try box.profile(namespaces + "[process]\nsession-keyring = false\n")
                let control = try box.run(words + shared + ["--", try Payload.probe(), "find-key"])
                #expect(control.text == "key ok", "control: \(control)")
            }
        }

        @Test("the profile's own command") func defaultCommand() throws {
            let selection = try box.profile("[process]\ncommand = [\"echo\", \"from\", \"profile\"]\n")
            expectOutput(try box.sandbox(["run"] + selection), "from profile")
            expectOutput(try box.sandbox(["run"] + selection + ["echo", "given"]), "given")
            let outcome = try box.sandbox(["run"] + (try box.profile("")))
            expectRefused(outcome, naming: "command")
        }

        @Test("words after the command belong to it") func words() throws {
            expectOutput(
                try box.sandbox(["run", "echo", "--unshare", "net", "--", "-p", "x"]), "--unshare net -- -p x")
            expectOutput(try box.sandbox(["run", "--", "echo", "--help", "--json"]), "--help --json")
        }

        @Test("--set for keys of every kind") func set() throws {
            let outcome = try box.sandbox([
                "run", "--set", "process.nice=4", "--set", "process.umask=0077", "--set",
                "process.environment.set.WORD=hello", "--set", "namespaces.unshare=[\"uts\"]", "--set",
                "process.hostname=set-name", "--", "sh", "-c", "nice; umask; echo $WORD; uname -n",
            ])
            expectOutput(outcome, "4\n0077\nhello\nset-name")
            expectRefused(try box.sandbox(["run", "--set", "process.nise=4", "--", "true"]), naming: "nise", "nice")
        }

        @Test("126 when the command cannot be executed, 127 when there is none") func unexecutable() throws {
            let text = try box.write("text", "no program\n")
            expectRefused(try box.launch("", [], [text]), status: 126, naming: text)
            expectRefused(try box.launch("", [], [box.path]), status: 126)
            expectRefused(
                try box.launch("", [], ["no-such-command-anywhere"]), status: 127, naming: "no-such-command-anywhere")
            expectRefused(try box.launch("", [], ["/no/such/command"]), status: 127, naming: "/no/such/command")
            let supervised = ["--unshare", "pid,mount,net"]
            expectRefused(try box.launch("", supervised, [text]), status: 126, naming: text)
            expectRefused(try box.launch("", supervised, ["/no/such/command"]), status: 127, naming: "/no/such/command")
        }
    }
}
