import Glibc
import Testing

/// What others see of a sandbox that moves, and what becomes of both sides of a lazy move that breaks off.
@Suite(
    "A sandbox that moves and its neighbours", .serialized,
    .enabled(if: canCheckpoint, "needs root and CRIU: make deps"), .needsProgram("sshd"))
struct LazyMoveTests {
    /// Passes on what comes, slowly until there is the file, and ends with the other end.
    private func slowly(_ pair: TwoHosts) throws -> String {
        try pair.remote(
            behind: """
                import os, select, time
                poll = select.poll()
                poll.register(0, select.POLLIN)
                poll.register(1, 0)
                while not any(number == 1 for number, _ in poll.poll()):
                    bytes = os.read(0, 65536)
                    if not bytes: break
                    while bytes: bytes = bytes[os.write(1, bytes):]
                    if not os.path.exists("\(pair.box.file("gate"))"): time.sleep(0.01)
                """)
    }

    /// Moves the server lazily and slowly, until it runs there and its addresses have been let go.
    private func leave(_ pair: TwoHosts, _ address: String) throws -> Child {
        let move = try pair.startMigrating(["server", "--lazy"], remote: try slowly(pair))
        #expect(Clock.waitUntil(timeout: 30) { pair.events(1).contains(#""started","name":"server""#) })
        #expect(try Clock.waitUntil { try pair.entry(of: address) == nil }, "its addresses are not let go")
        return move
    }

    @Test("clients on the host that it leaves find it where it runs before all of its memory is there")
    func handOver() throws {
        let pair = try TwoHosts()
        try pair.startPair(megabytes: 200)
        pair.expectProgress("before")
        let move = try leave(pair, try pair.address(of: "server"))
        pair.expectProgress("while its memory follows")
        #expect(!pair.events(1).contains("loaded"), "its memory has come too soon for this test")
        try pair.box.write("gate", "")
        #expect(move.wait(timeout: 60) == .exited(0), "\(Files.read(pair.box.file("migrate.err")) ?? "")")
        pair.expectProgress("after")
        #expect(pair.events(1).contains("loaded"))
    }

    @Test(
        "what is sent to it while it stands still reaches it where it goes on",
        arguments: ["there", "here"], [[], ["--lazy"]])
    func waitingFrames(_ place: String, _ options: [String]) throws {
        let pair = try TwoHosts()
        let box = pair.box
        try pair.start(
            "server", TwoHosts.server,
            """
            import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(("0.0.0.0", 7))
            print("ready", flush=True)
            while True:
                bytes, peer = s.recvfrom(100)
                s.sendto(bytes, peer)
            """)
        #expect(Clock.waitUntil { pair.log("server").contains("ready") })
        // The connection breaks where it is to go on here.
        let remote = try pair.remote(
            behind: """
                import os, time
                bytes = os.read(0, 1000)
                open("\(box.file("begun"))", "w")
                while not os.path.exists("\(box.file("gate"))"): time.sleep(0.01)
                while bytes and \(place == "there" ? "True" : "False"):
                    while bytes: bytes = bytes[os.write(1, bytes):]
                    bytes = os.read(0, 65536)
                """)
        let move = try pair.startMigrating(["server"] + options, remote: remote)
        #expect(Clock.waitUntil(timeout: 30) { Files.exists(box.file("begun")) })
        try pair.start(
            "client", "10.84.0.6",
            """
            import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.sendto(b"once", ("\(TwoHosts.server)", 7))
            print("sent", flush=True)
            print("got", s.recv(100).decode(), flush=True)
            """)
        #expect(Clock.waitUntil { pair.told.contains("sent") })
        #expect(!pair.told.contains("got"), "it does not stand still")
        try box.write("gate", "")
        #expect(move.wait(timeout: 60) == .exited(place == "there" ? 0 : 125))
        #expect(Clock.waitUntil { pair.told.contains("got once") }, "\(pair.told)")
        #expect(try pair.sandboxes(place == "there" ? 1 : 0).contains("server"))
    }

    /// Who is killed just after the hand-over.
    enum Victim: CaseIterable {
        case ssh, receiver, watcher, sender
    }

    /// - Returns: how many were killed.
    private func kill(_ victim: Victim, _ pair: TwoHosts, _ move: Child) -> Int {
        let box = pair.box
        let receivers = Processes.all.filter { pid in
            let words = Processes.command(pid)
            return words.first == box.binary && words.contains("receive")
                && (Files.read("/proc/\(pid)/environ") ?? "").contains(box.file("b"))
        }
        let found: [pid_t] =
            switch victim {
            case .ssh:
                Processes.all.filter { pid in
                    let words = Processes.command(pid)
                    return words.first == "ssh" && words.contains(box.file("user"))
                }
            case .receiver:
                receivers.filter { pid in
                    let parent = Processes.status(pid, "PPid").flatMap { pid_t($0) } ?? 0
                    return Processes.command(parent).first == "sh"
                }
            case .watcher:
                receivers.filter { pid in
                    Processes.children(of: pid).contains { Processes.command($0).contains("lazy-pages") }
                }
            case .sender: [move.pid]
            }
        for pid in found { Glibc.kill(pid, SIGKILL) }
        return found.count
    }

    @Test(
        "one that breaks off just after the hand-over goes on here, and its addresses are at its port again",
        arguments: Victim.allCases)
    func breaksOff(_ victim: Victim) throws {
        let pair = try TwoHosts()
        try pair.startPair(megabytes: 100)
        pair.expectProgress("before")
        let address = try pair.address(of: "server")
        let entry = try pair.entry(of: address)
        #expect(entry != nil)
        let move = try leave(pair, address)
        let killed = kill(victim, pair, move)
        #expect(killed == 1)
        let ending = move.wait(timeout: 60)
        #expect(ending == (victim == .sender ? .signalled(SIGKILL) : .exited(125)))
        // Never both: what comes back first here has ended there, or is about to end for want of its memory.
        #expect(try Clock.waitUntil(timeout: 20) { try pair.sandboxes(1) == [] }, "it is there still")
        #expect(try Clock.waitUntil { try pair.entry(of: address) == entry }, "its addresses are not held")
        #expect(try pair.sandboxes(0) == ["client", "server"])
        let running = try pair.hosts[0].sandbox(["ps", "-q"])
        #expect(running.lines.contains("server"), "\(running)")
        try pair.askAnew()
        #expect(Clock.waitUntil { (try? pair.snapshots(0)) == "[]" && (try? pair.snapshots(1)) == "[]" })
    }

    @Test("a switch that cannot be told that it has come back is named, and is an event")
    func stationLost() throws {
        let pair = try TwoHosts()
        try pair.startPair(megabytes: 100)
        pair.expectProgress("before")
        let move = try leave(pair, try pair.address(of: "server"))
        let namespace = pair.box.file("a/switches/wide/netns")
        try pair.box.must(["mount", "--bind", "/dev/null", namespace])
        defer { _ = try? pair.box.must(["umount", namespace]) }
        #expect(kill(.ssh, pair, move) == 1)
        #expect(move.wait(timeout: 60) == .exited(125))
        let said = Files.read(pair.box.file("migrate.err")) ?? ""
        #expect(said.contains("goes on here") && said.contains("has lost its network namespace"), "\(said)")
        #expect(pair.events(0).contains(#""station-lost","name":"server""#), "\(pair.events(0))")
        // It goes on all the same.
        let state = try pair.hosts[0].exec("server", ["true"])
        #expect(state.succeeded, "\(state)")
    }

    @Test("one whose other host is not heard of when it has been told to keep it is paused here, and can be let go on")
    func parked() throws {
        let pair = try TwoHosts()
        try pair.startPair()
        pair.expectProgress("before")
        let address = try pair.address(of: "server")
        let entry = try pair.entry(of: address)
        // The last word gets lost.
        let file = try pair.box.write(
            "between.py",
            """
            import os
            while True:
                bytes = os.read(0, 65536)
                if not bytes or bytes == b"done\\n": break
                while bytes: bytes = bytes[os.write(1, bytes):]
            """)
        let outcome = try pair.migrate(
            ["server", "--lazy"], remote: "sh -c '\(pair.remote) \"$@\" | python3 \(file)' sh")
        #expect(outcome.status == 125 && outcome.err.contains("here it is paused"), "\(outcome)")
        pair.expectProgress("it runs there")
        let (here, there) = (try pair.hosts[0].sandbox(["inspect", "server"]), try pair.sandboxes(1))
        #expect(here.out.contains("paused") && there == ["server"], "\(here)")
        try pair.hosts[1].must("rm", "-f", "server")
        try pair.hosts[0].must("resume", "server")
        #expect(try pair.entry(of: address) == entry)
        try pair.askAnew()
    }
}
