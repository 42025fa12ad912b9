import Glibc
import Testing

/// A save that is killed at any of its steps leaves the application running, or gone with a whole snapshot.
@Suite("A save that is killed", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct CheckpointCrashTests {
    /// Counts by way of a TCP connection of its own, so that it stands still when that does.
    static let counter = """
        import socket, time
        a = socket.create_server(("127.0.0.1", 7))
        b = socket.create_connection(("127.0.0.1", 7))
        c = a.accept()[0]
        n = 0
        while True:
            n += 1
            b.sendall(b"%d\\n" % n)
            print(c.recv(100).decode(), end="", flush=True)
            time.sleep(0.01)
        """

    private func scene(_ options: [String]) -> CrashScene {
        let start = [
            "run", "-d", "-n", "@", "--set", "checkpoint.enabled=true", "--unshare", "net,pid,mount", "--",
            "python3", "-c", Self.counter,
        ]
        return CrashScene(
            name: "checkpoint", before: [start], command: ["checkpoint", "@", "--snapshot", "s"] + options)
    }

    private func count(_ trial: CrashTrial) -> Int {
        let log = Files.read(trial.box.file("state/sandboxes/\(trial.name)/log")) ?? ""
        return log.split(separator: "\n").last.flatMap { Int($0) } ?? 0
    }

    private func goesOn(_ trial: CrashTrial, _ place: String) {
        let before = count(trial)
        #expect(Clock.waitUntil { count(trial) > before + 5 }, "\(place): it stands still")
    }

    private func snapshots(_ trial: CrashTrial) -> [String] { Files.list(trial.box.file("state/snapshots")) }

    /// Whether what watches over the application has done its work.
    private func isSettled(_ trial: CrashTrial) -> Bool {
        trial.processes.allSatisfy { pid in
            let words = Processes.command(pid)
            return !words.contains("checkpoint") && !words.contains("swrk")
                && Processes.status(pid, "State")?.first != "T"
        }
    }

    /// Checks what there is, and lets the application go on from its snapshot where it is gone.
    /// - Returns: whether it runs.
    private func check(_ trial: CrashTrial, _ place: String) throws -> Bool {
        let box = trial.box
        #expect(Clock.waitUntil { isSettled(trial) }, "\(place): \(trial.processes.map { Processes.command($0) })")
        let state = try trial.listed().state
        let whole = snapshots(trial).filter { !$0.hasPrefix(".") }
        for id in whole {
            let verified = try box.sandbox(["snapshot", "verify", id])
            #expect(verified.succeeded, "\(place): \(verified)")
        }
        switch state {
        case "running": goesOn(trial, place)
        case "checkpointed":
            #expect(whole == ["s"], "\(place): \(whole)")
            #expect(!trial.processes.contains { Processes.command($0).first == "python3" }, "\(place)")
            let before = count(trial)
            let restored = try box.sandbox(["restore", "s", "-d"])
            #expect(restored.succeeded, "\(place): \(restored)")
            goesOn(trial, place)
            #expect(count(trial) > before)
        default: Issue.record("\(place): it is \(state)")
        }
        let swept = try box.sandbox(["gc"])
        #expect(swept.succeeded, "\(place): gc: \(swept)")
        #expect(snapshots(trial).allSatisfy { !$0.hasPrefix(".") }, "\(place): \(snapshots(trial))")
        return state == "running"
    }

    private func end(_ trial: CrashTrial, _ place: String) throws {
        let removed = try trial.box.sandbox(["rm", "-f", trial.name])
        #expect(removed.succeeded, "\(place): \(removed)")
        var left: [String] = []
        _ = Clock.waitUntil(timeout: 5) {
            left = trial.remains.filter { $0 != "snapshots" }
            return left.isEmpty
        }
        #expect(left.isEmpty, "\(place): \(left)")
    }

    @Test(
        "at every step: it runs on, or is gone with a whole snapshot; what is left is cleared away",
        .needsCrashPoints,
        arguments: [[], ["--leave-running"]]
            + (tracksMemory ? [["--pre-copy"], ["--pre-copy", "--leave-running"]] : []))
    func everyStep(options: [String]) throws {
        let scene = scene(options)
        let whole = try CrashTrial(scene)
        let roles = try whole.steps()
        #expect(try check(whole, "nobody killed") == options.contains("--leave-running"))
        try end(whole, "nobody killed")
        let known = ["CRIU: network-lock", "saved", "gathered", "settled", "commit"]
        let all = roles.flatMap { $0.steps }
        #expect(known.allSatisfy { all.contains($0) }, "\(all)")
        var outcomes: Set<Bool> = []
        for (role, steps) in roles where ["main", "warden"].contains(role) {
            for number in steps.turns(all: true) {
                let trial = try CrashTrial(scene)
                let outcome = try trial.perform(role, number)
                let place = "\(role) killed at its step \(number), \(steps[number - 1])"
                #expect(!outcome.timedOut, "\(place): \(outcome)")
                outcomes.insert(try check(trial, place))
                try end(trial, place)
            }
        }
        // One that only helps may be killed: it is done without.
        for (role, steps) in roles where role == "digests" {
            let trial = try CrashTrial(scene)
            let outcome = try trial.perform(role, steps.count)
            #expect(outcome.succeeded, "\(role): \(outcome)")
            #expect(try check(trial, "\(role) killed") == options.contains("--leave-running"))
            try end(trial, "\(role) killed")
        }
        // Both ends have been seen, where there are two.
        #expect(outcomes == (options.contains("--leave-running") ? [true] : [true, false]))
    }

    @Test("a disk that is full in the middle lets it run on, and no snapshot is left")
    func fullDisk() throws {
        let trial = try CrashTrial(
            CrashScene(name: "checkpoint", before: scene([]).before, command: ["ps"]))
        #expect(try trial.perform("nobody", 0).succeeded)
        let box = trial.box
        try box.folder("state/snapshots", mode: 0o700)
        // In a mount namespace of its own: the boxes of other tests would have the mount, too, and miss it afterwards.
        let folder = box.file("state/snapshots")
        let saved = try box.run([
            "unshare", "--mount", "sh", "-c",
            "mount -t tmpfs -o size=300k,mode=700 tmpfs \(folder) && \(box.binary) checkpoint \(trial.name) --snapshot s; "
                + "status=$?; ls -A \(folder); exit $status",
        ])
        #expect(saved.status == 125 && saved.errorLines.count == 1 && saved.out.isEmpty, "\(saved)")
        #expect(try check(trial, "a full disk"))
        let again = try box.sandbox(["checkpoint", trial.name, "--snapshot", "s"])
        #expect(again.succeeded, "control: \(again)")
        #expect(try !check(trial, "with space"))
        try end(trial, "a full disk")
    }

    @Test("a restore that fails leaves what was saved")
    func failedRestore() throws {
        let trial = try CrashTrial(scene([]))
        let saved = try trial.perform("nobody", 0)
        #expect(saved.succeeded, "\(saved)")
        let failed = try trial.box.sandbox(["restore", "s", "-d"], environment: ["SANDBOX_CRIU": "/bin/false"])
        #expect(failed.status == 125 && failed.errorLines.count == 1, "\(failed)")
        #expect(try trial.listed().state == "checkpointed")
        #expect(try !check(trial, "after a failed restore"))
        try end(trial, "after a failed restore")
    }
}
