import Glibc
import Testing

/// A restore that is killed at any of its steps leaves the sandbox running, or nothing of it; the snapshot can be restored
/// then as before.
@Suite("A restore that is killed", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct RestoreCrashTests {
    /// Its connection lives on in the sandbox itself, and is closed in clones of it: they count without one.
    private func scene(count: Int = 1) -> CrashScene {
        let begin = [
            "run", "-d", "-n", "@", "--set", "checkpoint.enabled=true", "--set", "resources.pids=50", "--unshare",
            "net,pid,mount",
        ]
        let loop = "import itertools, time\nfor n in itertools.count(1): print(n, flush=True); time.sleep(0.01)"
        let alone = [
            "--switch", "restored", "--address", "10.94.6.2/24", "--", "python3", "-c", CheckpointCrashTests.counter,
        ]
        let start = begin + (count == 1 ? alone : ["--", "python3", "-c", loop])
        return CrashScene(
            name: "restore", before: [start, ["checkpoint", "@", "--snapshot", "s"]],
            command: ["restore", "s", "-d"] + (count == 1 ? [] : ["--count", "\(count)"]))
    }

    private func log(_ trial: CrashTrial, _ name: String) -> Int {
        let text = Files.read(trial.box.file("state/sandboxes/\(name)/log")) ?? ""
        return text.split(separator: "\n").last.flatMap { Int($0) } ?? 0
    }

    private func goesOn(_ trial: CrashTrial, _ name: String, _ place: String) {
        let before = log(trial, name)
        #expect(Clock.waitUntil { log(trial, name) > before + 5 }, "\(place): \(name) stands still")
    }

    /// Whether nobody is at work on it any more.
    private func isSettled(_ trial: CrashTrial) -> Bool {
        trial.processes.allSatisfy { pid in
            let words = Processes.command(pid)
            return !words.contains("swrk") && (!words.contains("restore") || isWaiter(pid))
        }
    }

    /// It stays beside a sandbox under the name of the command that began it.
    private func isWaiter(_ pid: pid_t) -> Bool {
        (Files.read("/proc/\(pid)/task/\(pid)/children") ?? "").split(separator: " ").contains {
            Processes.command(pid_t($0) ?? 0).first == "python3"
        }
    }

    /// What there must be none of where none runs.
    private func leftovers(_ trial: CrashTrial) -> [String] {
        var found = trial.processes.map { "process \($0): \(Processes.command($0).joined(separator: " ").prefix(80))" }
        found += Leaks.controlGroups.filter { $0.contains("/\(trial.name)-") }
        for line in (Files.read("/proc/self/mountinfo") ?? "").split(separator: "\n")
        where line.contains(trial.box.path) {
            found.append("mount \(line)")
        }
        let state = trial.box.file("state")
        found += Files.list(state + "/switches").map { "switch \($0)" }
        found += Files.list(state + "/snapshots").filter { $0.hasPrefix(".") }
        found += Files.list(state + "/sandboxes").filter { $0.hasPrefix(".") }
        return found
    }

    /// - Returns: whether what was to come back runs.
    private func check(_ trial: CrashTrial, _ names: [String], _ place: String) throws -> Bool {
        let box = trial.box
        _ = Clock.waitUntil(timeout: 10) { isSettled(trial) }
        let swept = try box.sandbox(["gc"])
        #expect(swept.succeeded, "\(place): gc: \(swept)")
        var running: [String] = []
        var left: [String] = []
        // One that was not killed with the other may be about to make it whole; and what had its last processes still when
        // it was cleared away is cleared away the next time.
        let isEither = Clock.waitUntil(timeout: 20) {
            running = names.filter { box.phase($0) == "running" }
            if running == names { return true }
            left = running.isEmpty ? leftovers(trial) : running
            if left.isEmpty { return true }
            _ = try? box.sandbox(["gc"])
            return false
        }
        #expect(isEither, "\(place): running \(running), left \(left)")
        for name in running { goesOn(trial, name, place) }
        let verified = try box.sandbox(["snapshot", "verify", "s"])
        #expect(verified.succeeded, "\(place): \(verified)")
        return !running.isEmpty
    }

    /// The snapshot can be restored, whatever has become of an earlier try.
    private func restoreAgain(_ trial: CrashTrial, _ place: String) throws {
        let restored = try trial.box.sandbox(["restore", "s", "-d"])
        #expect(restored.succeeded, "\(place): \(restored)")
        goesOn(trial, trial.name, place)
    }

    private func end(_ trial: CrashTrial, _ names: [String], _ place: String) throws {
        for name in Set(names + [trial.name]) where trial.box.phase(name) != nil {
            let removed = try trial.box.sandbox(["rm", "-f", name])
            #expect(removed.succeeded, "\(place): \(removed)")
        }
        var left: [String] = []
        _ = Clock.waitUntil(timeout: 5) {
            left = leftovers(trial)
            return left.isEmpty
        }
        #expect(left.isEmpty, "\(place): after rm: \(left)")
    }

    @Test(
        "at every step: it runs, or nothing of it is left; the snapshot can be restored", .needsCrashPoints,
        arguments: [1, 2])
    func everyStep(count: Int) throws {
        let scene = scene(count: count)
        func names(_ trial: CrashTrial) -> [String] {
            count == 1 ? [trial.name] : (1...count).map { "\(trial.name)-\($0)" }
        }
        let whole = try CrashTrial(scene)
        let roles = try whole.steps()
        #expect(try check(whole, names(whole), "nobody killed"))
        try end(whole, names(whole), "nobody killed")
        let all = roles.flatMap { $0.steps }
        let known = ["network", "CRIU: post-restore", "CRIU: pre-resume", "restored"]
        #expect(known.allSatisfy { all.contains($0) }, "\(all)")
        var outcomes: Set<Bool> = []
        for (role, steps) in roles where ["main", "background", "proof"].contains(role) {
            for number in steps.turns(all: false) {
                let trial = try CrashTrial(scene)
                let outcome = try trial.perform(role, number)
                let place = "\(role) killed at its step \(number), \(steps[number - 1])"
                #expect(!outcome.timedOut, "\(place): \(outcome)")
                let runs = try check(trial, names(trial), place)
                outcomes.insert(runs)
                if !runs || count > 1 { try restoreAgain(trial, place) }
                try end(trial, names(trial), place)
            }
        }
        #expect(outcomes == [true, false])
    }

    @Test("memory that was altered is refused though it is looked at while CRIU reads it", arguments: [1, 2])
    func alteredMemory(count: Int) throws {
        let trial = try CrashTrial(scene(count: count))
        for words in trial.scene.before {
            try trial.box.must([trial.box.binary] + words.map { $0 == "@" ? trial.name : $0 })
        }
        let images = trial.box.file("state/snapshots/s/images")
        let name = try #require(Files.list(images).first { $0.hasPrefix("pages-") })
        let file = open("\(images)/\(name)", O_RDWR)
        defer { close(file) }
        var byte: UInt8 = 0
        _ = pread(file, &byte, 1, 5000)
        var other = byte ^ 1
        _ = pwrite(file, &other, 1, 5000)
        let refused = try trial.box.sandbox(["restore", "s", "-d"] + (count == 1 ? [] : ["--count", "\(count)"]))
        #expect(refused.status == 125 && refused.errorLines.count == 1, "\(refused)")
        #expect(refused.err.contains("\(name) has been altered"), "\(refused)")
        #expect(log(trial, trial.name) == 0 || trial.box.phase(trial.name) == "checkpointed")
        var left: [String] = []
        _ = Clock.waitUntil(timeout: 5) {
            left = leftovers(trial)
            return left.isEmpty
        }
        #expect(left.isEmpty, "\(left)")
        _ = pwrite(file, &byte, 1, 5000)
        try restoreAgain(trial, "control")
        try end(trial, [trial.name], "control")
    }
}
