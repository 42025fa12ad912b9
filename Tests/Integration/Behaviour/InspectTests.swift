import Glibc
import Testing

extension Integration {
    /// What is told of a sandbox, compared with what the kernel says.
    @Suite("Inspect and explain", .needsRoot) struct InspectTests {
        let box: Box

        init() throws { box = try Box() }

        static let toml = """
            description = "A box to look at"
            [namespaces]
            unshare = ["mount", "pid", "net", "uts"]
            [security]
            capabilities = { keep = ["NET_ADMIN", "NET_RAW"] }
            seccomp = { default = "allow", deny = ["@reboot"], action = "EPERM" }
            [resources]
            memory = "64M"
            pids = 20

            """

        @Test("processes, identity and confinement are the kernel's") func confinement() throws {
            let first = try RunningSandbox(box, Self.toml)
            defer { first.remove() }
            let found = try first.inspection()
            #expect(found["name"].text == "first" && found["state"].text == "running")
            #expect(found["pid"].number == Int(first.command))
            #expect(found["command"].texts == ["sleep", "1000"])
            #expect(found["namespaces"].texts.sorted() == ["mount", "net", "pid", "uts"])
            #expect(found["init"]["pid"].number == Int(first.process))
            #expect(found["application"]["start"].number == first.recorded("application")?.start)
            #expect(found["exitStatus"].isNull && found["ended"].isNull && found["planProblem"].isNull)
            let live = found["live"]
            #expect(live["pids"].numbers.sorted() == [Int(first.process), Int(first.command)].sorted())
            #expect(live["problems"].items.isEmpty, "\(live["problems"])")
            let confinement = live["confinement"]
            let status = try #require(Files.read("/proc/\(first.command)/status").map { Status($0) })
            #expect(confinement["noNewPrivileges"].isTrue && status["NoNewPrivs"] == "1")
            #expect(confinement["seccomp"]["mode"].text == "filter" && status["Seccomp"] == "2")
            #expect(confinement["seccomp"]["filters"].number.map { "\($0)" } == status["Seccomp_filters"] ?? "1")
            for (key, field) in [
                ("effective", "CapEff"), ("permitted", "CapPrm"), ("inheritable", "CapInh"), ("bounding", "CapBnd"),
                ("ambient", "CapAmb"),
            ] {
                let bits: [String: UInt64] = ["NET_ADMIN": 1 << 12, "NET_RAW": 1 << 13]
                let told = confinement["capabilities"][key].texts.map { bits[$0] ?? .max }
                #expect(told.reduce(0) { $0 | $1 } == status.set(field), "\(key): \(confinement)")
            }
            #expect(status.set("CapEff") == 3 << 12, "the comparison has something to compare")
            #expect(confinement["uid"].number == 0 && confinement["gid"].number == 0)
        }

        @Test("namespaces, mounts, limits and use are the kernel's") func surroundings() throws {
            let first = try RunningSandbox(box, Self.toml)
            defer { first.remove() }
            let found = try first.inspection()
            let live = found["live"]
            for namespace in live["namespaces"].items {
                let kind = namespace["kind"].text ?? "?"
                let entry = ["mount": "mnt"][kind] ?? kind
                let id = "\(entry):[\(namespace["id"].number ?? 0)]"
                #expect(Processes.namespace(entry, of: "\(first.command)") == id)
                #expect(namespace["own"].isTrue == (Processes.namespace(entry) != id), "\(kind)")
                #expect(namespace["own"].isTrue == found["namespaces"].texts.contains(kind), "\(kind)")
            }
            #expect(live["namespaces"].items.count >= 7)
            let mounts = (Files.read("/proc/\(first.command)/mountinfo") ?? "").split(separator: "\n")
            let ids = mounts.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
            #expect(live["mounts"].items.compactMap { $0["id"].number } == ids)
            #expect(live["mounts"].items.contains { $0["path"].text == "/" })
            #expect(live["limits"]["memory"].number == 64 << 20 && live["limits"]["pids"].number == 20)
            #expect(live["limits"]["cpu"].isNull)
            let usage = live["usage"]
            #expect(usage["memoryLimit"].number == 64 << 20 && usage["pidsLimit"].number == 20)
            #expect(usage["pids"].number == 2 && (usage["memory"].number ?? 0) > 0, "\(usage)")
            let groups = found["controlGroups"].items.compactMap { $0["path"].text }
            #expect(ControlGroups.path(of: first.command, controller: "memory").map { groups.contains($0) } == true)
            #expect(
                found["profile"]["resources"]["memory"].text == "64M"
                    || found["profile"]["resources"]["memory"].number == 64 << 20)
            #expect(!found["plan"].isNull)
        }

        @Test("interfaces with addresses and counters", .needsProgram("ip")) func interfaces() throws {
            let first = try RunningSandbox(box, Self.toml)
            defer { first.remove() }
            let inside = ["nsenter", "-t", "\(first.command)", "-n", "--", "ip"]
            try box.must(inside + ["link", "add", "here", "mtu", "1400", "type", "veth", "peer", "name", "there"])
            try box.must(inside + ["address", "add", "10.77.0.1/24", "dev", "here"])
            for name in ["here", "there"] { try box.must(inside + ["link", "set", name, "up"]) }
            let send = "exec 3<>/dev/udp/10.77.0.255/9; true"
            _ = try box.run(["nsenter", "-t", "\(first.command)", "-n", "--", "bash", "-c", send])
            try box.must(inside + ["neigh", "replace", "10.77.0.9", "lladdr", "02:00:00:00:00:09", "dev", "here"])
            for _ in 0..<3 {
                let packet = "echo hello > /dev/udp/10.77.0.9/9"
                try box.must(["nsenter", "-t", "\(first.command)", "-n", "--", "bash", "-c", packet])
            }
            let found = try first.inspection()["live"]["interfaces"]
            #expect(Set(found.items.compactMap { $0["name"].text }) == ["lo", "here", "there"], "\(found)")
            let here = try #require(found.items.first { $0["name"].text == "here" })
            #expect(here["kind"].text == "veth" && here["mtu"].number == 1400 && here["up"].isTrue)
            #expect(here["state"].text == "up" && here["addresses"].texts.contains("10.77.0.1/24"), "\(here)")
            let counters = here["counters"]
            #expect((counters["sentPackets"].number ?? 0) >= 3, "\(counters)")
            #expect((counters["sentBytes"].number ?? 0) >= 3 * 48, "\(counters)")
            let text = try box.sandbox(["inspect", "--format", "text", "first"]).out
            #expect(text.contains("here veth up mtu 1400"), "\(text)")
            let measured = try box.sandbox(["stats", "--json", "--interval", "0.1", "first"]).document()[0]
            #expect((measured["sentPackets"].number ?? 0) >= 3, "\(measured)")
        }

        @Test("the host's interfaces are not a sandbox's own") func hostNetwork() throws {
            let first = try RunningSandbox(box)
            defer { first.remove() }
            #expect(try first.inspection()["live"]["interfaces"].isNull)
            let text = try box.sandbox(["inspect", "--format", "text", "first"])
            #expect(text.succeeded && text.out.contains("the caller's"), "\(text)")
        }

        @Test("as text") func text() throws {
            let first = try RunningSandbox(box, Self.toml)
            defer { first.remove() }
            let outcome = try box.sandbox(["inspect", "--format", "text", "first"])
            #expect(outcome.succeeded && outcome.err.isEmpty, "\(outcome)")
            for line in [
                "first", "  running, pid \(first.command)", "Confinement", "  no new privileges",
                "  capabilities, effective: NET_ADMIN, NET_RAW", "  capabilities, ambient: none", "Mounts",
                "Limits in force", "  memory 67108864", "  pids 20", "Use", "  process 1 is \(first.process)",
            ] {
                #expect(outcome.lines.contains(line), "\(line): \(outcome)")
            }
            #expect(outcome.lines.contains { $0.hasPrefix("  seccomp mode filter, filters: ") }, "\(outcome)")
            #expect(outcome.lines.contains { $0.hasPrefix("  lo ") && $0.contains("received 0 bytes") }, "\(outcome)")
        }

        @Test("one that has ended: how, and nothing of now") func stopped() throws {
            try box.must([box.binary, "run", "-d", "-n", "job", "--", "sh", "-c", "exit 3"])
            #expect(try box.sandbox(["wait", "job"]).status == 3)
            let found = try box.sandbox(["inspect", "--json", "job"]).document()
            #expect(found.items.count == 1)
            #expect(found[0]["state"].text == "stopped" && found[0]["exitStatus"].number == 3, "\(found)")
            #expect(found[0]["live"].isNull && found[0]["pid"].isNull && !found[0]["ended"].isNull)
            let text = try box.sandbox(["inspect", "--format", "text", "job"])
            #expect(text.lines.contains("  exited with 3") && !text.out.contains("Use\n"), "\(text)")
        }

        @Test("JSON that another reader takes, whatever a command's words are", .needsProgram("python3"))
        func odd() throws {
            let words = ["sh", "-c", "sleep 1000; true", "a\u{1b}[2J\u{202e}\"\\\n"]
            let first = try RunningSandbox(box, Self.toml, [], words)
            defer { first.remove() }
            let outcome = try box.sandbox(["inspect", "first"])
            #expect(!outcome.out.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0 == "\u{202e}" })
            let script = "import json, sys; print(json.load(sys.stdin)[0]['command'] == eval(sys.argv[1]))"
            let wanted = "['sh', '-c', 'sleep 1000; true', 'a\\x1b[2J\\u202e\"\\\\\\n']"
            expectOutput(try box.run(["python3", "-c", script, wanted], input: .text(outcome.out)), "True")
            let text = try box.sandbox(["inspect", "--format", "text", "first"])
            #expect(!text.out.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0 == "\u{202e}" }, "\(text)")
        }

        @Test("names that are none; the others are told of all the same") func names() throws {
            let first = try RunningSandbox(box)
            defer { first.remove() }
            for command in ["inspect", "stats", "pause", "resume", "explain"] {
                expectRefused(try box.sandbox([command, "nope"]), naming: "nope")
                for name in ["../first", "a/b", ".", String(repeating: "x", count: 300)] {
                    expectRefused(try box.sandbox([command, name]))
                }
            }
            expectRefused(try box.sandbox(["inspect"]), naming: "sandbox inspect --help")
            expectRefused(try box.sandbox(["inspect", "--json", "--format", "text", "first"]), naming: "--format")
            expectRefused(try box.sandbox(["inspect", "--format", "xml", "first"]), naming: "xml")
            let outcome = try box.sandbox(["inspect", "nope", "first", "first"])
            #expect(outcome.status == 125 && outcome.errorLines.count == 1, "\(outcome)")
            #expect(try JSONDocument(outcome.out).items.map { $0["name"].text } == ["first"])
            #expect(Processes.command(first.command) == ["sleep", "1000"])
        }

        @Test("explain NAME: what it was launched with") func explain() throws {
            let first = try RunningSandbox(box, Self.toml)
            defer { first.remove() }
            let outcome = try box.sandbox(["explain", "first"])
            #expect(outcome.succeeded && outcome.err.isEmpty, "\(outcome)")
            #expect(outcome.lines.contains("Profile") && outcome.lines.contains("Kept from the box"), "\(outcome)")
            #expect(outcome.out.contains("NET_ADMIN") && outcome.out.contains("sleep 1000"), "\(outcome)")
            let found = try box.sandbox(["explain", "first", "--json"]).document()
            #expect(found["name"].text == "first" && found["state"].text == "running")
            #expect(found["statements"].items.contains { $0["risk"].text == "confined" }, "\(found)")
            #expect(found["statements"].items.contains { $0["risk"].text != "confined" }, "\(found)")
            #expect(found["plan"].keys == (try first.inspection()["plan"].keys) && found["planProblem"].isNull)
            expectRefused(try box.sandbox(["explain", "first", "--unshare", "net"]), naming: "--unshare", "first")
            expectRefused(try box.sandbox(["explain", "untrusted"]), naming: "sandbox explain -p untrusted")
        }
    }
}
