import Glibc
import Testing

@Suite(
    "A sandbox moves to another host", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"),
    .needsProgram("sshd"))
struct MigrationTests {
    @Test(
        "it goes on there, its client's connection too; nothing of it is left here",
        arguments: [(["server"], 1), (["server", "--lazy"], 40)])
    func moves(_ words: [String], _ megabytes: Int) throws {
        let pair = try TwoHosts()
        try pair.startPair(megabytes: megabytes)
        pair.expectProgress("before")
        let outcome = try pair.migrate(words)
        #expect(outcome.succeeded && outcome.out.contains("stood still for"), "\(outcome)")
        pair.expectProgress("after")
        #expect(try pair.sandboxes(0) == ["client"])
        #expect(try pair.sandboxes(1) == ["server"])
        #expect(try pair.snapshots(0) == "[]" && pair.snapshots(1) == "[]")
        // It can come back, under another name.
        let entered = try pair.hosts[1].exec("server", ["ip", "-br", "-4", "address", "show", "eth0"])
        #expect(entered.out.contains("\(TwoHosts.server)/24"), "\(entered)")
    }

    @Test(
        "what the other host cannot take goes on here",
        arguments: ["no sandbox there", "its name is taken", "no such switch", "the connection breaks"],
        [[], ["--lazy"]])
    func stays(_ way: String, _ options: [String]) throws {
        let pair = try TwoHosts()
        try pair.startPair()
        pair.expectProgress("before")
        let outcome: Outcome
        switch way {
        case "no sandbox there": outcome = try pair.migrate(["server"] + options, remote: "/nowhere/sandbox")
        case "its name is taken":
            try pair.hosts[1].sleeper("server", [])
            outcome = try pair.migrate(["server"] + options)
            try pair.hosts[1].must("rm", "-f", "server")
        case "no such switch": outcome = try pair.migrate(["server", "--switch", "nowhere"] + options)
        default:
            // So much of the snapshot gets there, and no more.
            let count = options.isEmpty ? 300_000 : 20_000
            let cut = "sh -c 'head -c \(count) | \(pair.remote) \"$@\"' sh"
            outcome = try pair.migrate(["server"] + options, remote: cut)
        }
        #expect(outcome.status == 125 && !outcome.err.isEmpty, "\(outcome)")
        pair.expectProgress("after")
        #expect(try pair.sandboxes(0) == ["client", "server"])
        #expect(try pair.sandboxes(1) == [])
        #expect(try pair.snapshots(0) == "[]" && pair.snapshots(1) == "[]")
    }

    @Test("where it cannot begin there without its memory it goes on here, its client's connection too")
    func refuses() throws {
        let pair = try TwoHosts()
        try pair.startPair()
        pair.expectProgress("before")
        let wrapper = try pair.box.write(
            "criu",
            """
            #!/bin/sh
            [ "$1" = lazy-pages ] && exit 1
            exec \(getenv("SANDBOX_CRIU").map { String(cString: $0) } ?? "/usr/local/lib/sandbox/criu/criu") "$@"
            """, mode: 0o755)
        let outcome = try pair.migrate(["server", "--lazy"], remote: "SANDBOX_CRIU=\(wrapper) \(pair.remote)")
        #expect(outcome.status == 125 && outcome.err.contains("memory cannot be brought in"), "\(outcome)")
        pair.expectProgress("after")
        #expect(try pair.sandboxes(0) == ["client", "server"])
        #expect(Clock.waitUntil { (try? pair.sandboxes(1)) == [] })
        #expect(try pair.snapshots(0) == "[]" && pair.snapshots(1) == "[]")
    }

    @Test("when the connection breaks before all memory is there it ends there, and goes on here as it was")
    func breaks() throws {
        let pair = try TwoHosts()
        try pair.startPair(megabytes: 200)
        pair.expectProgress("before")
        let box = pair.box
        let cut = try box.write(
            "cut",
            """
            #!/bin/sh
            until [ -e \(box.file("b/sandboxes/server/memory")) ]; do sleep 0.01; done
            until grep -q '"started","name":"server"' \(box.file("b/events")); do sleep 0.01; done
            for process in $(pgrep -f "^ssh .*\(pair.key)"); do kill -9 "$process"; done
            """, mode: 0o755)
        let cutter = try box.start(["timeout", "60", cut], name: "cut")
        let outcome = try pair.migrate(["server", "--lazy"])
        #expect(cutter.wait(timeout: 60) == .exited(0))
        #expect(outcome.status == 125 && outcome.err.contains("goes on here"), "\(outcome)")
        // What it had in common with its client is out of date.
        #expect(Clock.waitUntil(timeout: 40) { pair.told.contains("broken") }, "\(pair.told.suffix(200))")
        #expect(try pair.sandboxes(0) == ["client", "server"])
        #expect(Clock.waitUntil { (try? pair.sandboxes(1)) == [] })
        #expect(try pair.snapshots(0) == "[]" && pair.snapshots(1) == "[]")
        // Another client is served, and all memory is right.
        try pair.askAnew()
        #expect(pair.events(0).contains("migration-failed"))
    }

    @Test("a host that is an option is refused") func host() throws {
        let box = try Box()
        let outcome = try box.sandbox(["migrate", "server", "--", "-oProxyCommand=touch x"])
        #expect(outcome.status == 125 && outcome.err.contains("is no host"), "\(outcome)")
    }
}
