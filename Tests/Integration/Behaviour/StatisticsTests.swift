import Glibc
import Testing

extension Integration {
    @Suite("Stats", .needsRoot) struct StatisticsTests {
        let box: Box

        init() throws { box = try Box() }

        static let busy = ["sh", "-c", "while :; do :; done"]
        static let own = "namespaces.unshare = [\"net\"]\nresources.memory = \"64M\"\nresources.pids = 9\n"

        @Test("--json: a document of all that run, or of those named") func json() throws {
            let first = try RunningSandbox(box, Self.own, [], Self.busy)
            defer { first.remove() }
            let second = try RunningSandbox(box, name: "second")
            defer { second.remove() }
            let all = try box.sandbox(["stats", "--json", "--interval", "0.2"]).document()
            #expect(all.items.map { $0["name"].text } == ["first", "second"])
            let found = all[0]
            #expect(found["state"].text == "running" && found["source"].text == "control-group")
            #expect((found["cpuMicroseconds"].number ?? 0) > 0 && (found["memory"].number ?? 0) > 0, "\(found)")
            #expect(found["cpuPercent"].number.map { $0 > 0 } == true, "\(found)")
            #expect(found["memoryLimit"].number == 64 << 20 && found["pidsLimit"].number == 9)
            #expect(found["pids"].number == 1 && found["oomKills"].number == 0)
            #expect(found["interfaces"].items.map { $0["name"].text } == ["lo"])
            #expect(found["receivedBytes"].number == 0 && found["sentPackets"].number == 0)
            #expect(all[1]["interfaces"].isNull && all[1]["sentBytes"].isNull)
            #expect(all[1]["memoryLimit"].isNull && all[1].keys == found.keys)
            let named = try box.sandbox(["stats", "second", "--json", "--interval", "0.1"]).document()
            #expect(named.items.map { $0["name"].text } == ["second"])
        }

        @Test("the table is printed once where there is no terminal") func table() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.remove() }
            for more in [[], ["--no-stream"], ["first"]] {
                let outcome = try box.sandbox(["stats", "--interval", "0.1"] + more)
                #expect(outcome.succeeded && outcome.lines.count == 2, "\(outcome)")
                #expect(outcome.lines[0].hasPrefix("NAME   STATE    CPU%") && outcome.lines[0].hasSuffix("SENT"))
                let words = outcome.lines[1].split(separator: " ")
                #expect(
                    words.count == 12 && words[0] == "first" && words[5] == "64M" && words[7] == "1/9", "\(outcome)")
            }
        }

        @Test("nothing runs: headings only, or an empty document") func nothing() throws {
            #expect(try box.sandbox(["stats", "--interval", "0.1"]).lines.count == 1)
            expectOutput(try box.sandbox(["stats", "--interval", "0.1", "--json"]), "[]")
        }

        @Test("--stream goes on until those named have ended") func stream() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.remove() }
            let words = ["stats", "--stream", "--json", "--interval", "0.1", "first"]
            let stream = try box.start([box.binary] + words, name: "stream")
            #expect(Clock.waitUntil { box.output("stream").split(separator: "\n").count >= 3 })
            try box.must([box.binary, "rm", "-f", "first"])
            #expect(stream.wait() == .exited(0))
            let lines = box.output("stream").split(separator: "\n")
            for line in lines.dropLast() {
                #expect(try JSONDocument(String(line)).items.map { $0["name"].text } == ["first"])
            }
        }

        @Test("who reads no more ends it, without a word") func closed() throws {
            let first = try RunningSandbox(box)
            defer { first.remove() }
            let script = "'\(box.binary)' stats --stream --interval 0.1 | head -n 1; echo ${PIPESTATUS[0]}"
            let outcome = try box.run(["bash", "-c", script])
            #expect(outcome.lines.count == 2 && outcome.err.isEmpty, "\(outcome)")
            #expect(["0", "141"].contains(outcome.lines.last), "\(outcome)")
        }

        @Test("on a terminal the table is drawn anew in its place until Ctrl-C") func terminal() throws {
            let first = try RunningSandbox(box, Self.own)
            defer { first.remove() }
            let shell = try InteractiveShell(in: box)
            shell.enter("\(box.binary) stats --interval 0.1")
            for _ in 0..<2 {
                #expect(shell.terminal.expect("\u{1b}[2A"), "\(shell.terminal.transcript)")
                #expect(shell.terminal.expect("first  running"), "\(shell.terminal.transcript)")
            }
            shell.terminal.type("\u{3}")
            #expect(shell.prompt())
        }

        @Test("one that has ended is an error, and so are words that make no sense") func refused() throws {
            try box.must([box.binary, "run", "-d", "-n", "job", "--", "true"])
            _ = try box.sandbox(["wait", "job"])
            expectRefused(try box.sandbox(["stats", "job"]), naming: "job", "run")
            expectRefused(try box.sandbox(["stats", "--stream", "--no-stream"]), naming: "not both")
            for interval in ["0", "soon", "-1"] {
                expectRefused(try box.sandbox(["stats", "--interval=\(interval)"]), naming: "interval")
            }
        }

        @Test("without a control group: added up over the processes, and marked", .needsUserNamespaces)
        func processTree() throws {
            let box = try Box(as: Box.user)
            let command = ["sh", "-c", "sleep 1000 & while :; do :; done"]
            let first = try RunningSandbox(box, "namespaces.unshare = [\"user\", \"pid\"]\n", [], command)
            defer { first.remove() }
            try #require(Clock.waitUntil { Processes.children(of: first.command).count == 1 })
            let found = try box.sandbox(["stats", "--json", "--interval", "0.1"]).document()[0]
            #expect(found["source"].text == "process-tree", "\(found)")
            #expect((found["memory"].number ?? 0) > 0 && found["pids"].number.map { $0 >= 2 } == true, "\(found)")
            #expect(found["readBytes"].isNull || found["readBytes"].number != nil)
            let outcome = try box.sandbox(["stats", "--interval", "0.1"])
            #expect(outcome.lines.count == 3 && outcome.lines[1].contains(" ~"), "\(outcome)")
            let top = try box.sandbox(["top", "--interval", "0.1"])
            #expect(top.succeeded && top.out.contains(" ~"), "\(top)")
            let live = try first.inspection()["live"]
            #expect(live["source"].text == "process-tree" && live["limits"].isNull, "\(live)")
            #expect(live["pids"].numbers.contains(Int(first.command)))
            expectRefused(try box.sandbox(["pause", "first"]), naming: "no control group")
            expectRefused(
                try box.sandbox(["update", "first", "--set", "resources.pids=5"]), naming: "no control group")
        }
    }
}
