import Glibc
import Testing

/// A command that is killed at one of its steps (CrashPoint), and what there must be before.
struct CrashScene: Sendable, CustomTestStringConvertible {
    let name: String
    /// Commands that must succeed first; `@` stands for the sandbox's name.
    var before: [[String]] = []
    /// Whether all processes of the sandbox are killed then, so that there is something to clear away.
    var isOrphaned = false
    let command: [String]
    var asUser = false
    /// Whether the user has a range of ids, for newuidmap(1).
    var hasRange = false
    /// Whether of many steps of the same kind in a row every one has its turn, not the first alone.
    var isThorough = false
    /// Whether it goes on once the command has returned, until it has stopped for good: begun anew by a waiter, say.
    var goesOn = false
    /// Whether it may wait for long to begin anew.
    var mayWait = false

    var testDescription: String { name }
}

extension Box {
    /// Runs a program as this value's user, who has a name and a range of ids there.
    func withRange(_ arguments: [String], environment extra: [String: String] = [:]) throws -> Outcome {
        let own = uid ?? getuid()
        try write("subuid", "tester:300000:65536\n")
        try write("passwd", (Files.read("/etc/passwd") ?? "") + "tester:x:\(own):\(own)::/:/bin/sh\n")
        try write("group", (Files.read("/etc/group") ?? "") + "tester:x:\(own):\n")
        let script = """
            for name in subuid passwd group; do mount --bind $name /etc/$name; done
            mount --bind subuid /etc/subgid
            exec "$@"
            """
        return try Child.capture(
            ["unshare", "-m", "sh", "-c", script, "sh"] + wrapped(arguments),
            environment: environment.merging(extra) { $1 }, directory: path)
    }
}

/// One go of a scene in surroundings of its own.
struct CrashTrial {
    let scene: CrashScene
    let box: Box

    init(_ scene: CrashScene) throws {
        self.scene = scene
        box = try Box(as: scene.asUser ? Box.user : nil)
    }

    /// The sandbox's name, by which its control groups are known as well.
    var name: String { box.mark }

    /// The steps of each process that has a part in the scene, when nobody is killed.
    func steps() throws -> [(role: String, steps: [String])] {
        _ = try perform("nobody", 0)
        var text = ""
        // What stays beside a sandbox takes its last steps when the command has returned.
        _ = Clock.waitUntil {
            let before = text
            text = Files.read(file) ?? ""
            Clock.pause(0.1)
            return before == text && (!scene.goesOn || box.phase(name) == "stopped")
        }
        var found: [(role: String, steps: [String])] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            if let index = found.firstIndex(where: { $0.role == words[0] }) {
                found[index].steps.append(words[1])
            } else {
                found.append((words[0], [words[1]]))
            }
        }
        return found
    }

    /// Prepares the scene and runs its command, killed at the step of that number.
    func perform(_ role: String, _ number: Int) throws -> Outcome {
        for words in scene.before { try box.must([box.binary] + named(words)) }
        if scene.isOrphaned {
            _ = Clock.waitUntil {
                for pid in processes { kill(pid, SIGKILL) }
                return processes.isEmpty
            }
        }
        let environment = ["SANDBOX_CRASH": "\(file):\(role):\(number)"]
        if !scene.hasRange { return try box.sandbox(named(scene.command), environment: environment, timeout: 20) }
        return try box.withRange([box.binary] + named(scene.command), environment: environment)
    }

    private func named(_ words: [String]) -> [String] { words.map { $0 == "@" ? name : $0 } }

    private var file: String { box.file("steps") }

    // MARK: - What there is

    /// The processes of the sandbox and of commands on it: by their environment, or, where that is gone, their words.
    var processes: [pid_t] {
        Processes.all.filter { pid in
            let words = Processes.command(pid)
            // What has no words has ended, or is the kernel's.
            guard !words.isEmpty else { return false }
            let environment = Files.read("/proc/\(pid)/environ") ?? ""
            return environment.contains(box.mark) || words.contains { $0.contains(box.path + "/") }
        }
    }

    /// What a sandbox must not leave: processes, control groups, mounts, files of its own and half-written ones.
    var remains: [String] {
        var found = processes.map { "process \($0) (\(Processes.command($0).joined(separator: " ").prefix(60)))" }
        found += Leaks.controlGroups.filter { $0.contains("/\(name)-") }
        for line in (Files.read("/proc/self/mountinfo") ?? "").split(separator: "\n") where line.contains(box.path) {
            found.append("mount \(line)")
        }
        for entry in Files.list("/run/netns") where entry.contains(name) { found.append("network namespace \(entry)") }
        let state = box.file("state")
        found += Files.list(state).filter { !["criu", "events", "events.1", "lock", "sandboxes"].contains($0) }
        for entry in Files.list(state + "/sandboxes") {
            found.append("\(entry): " + Files.list("\(state)/sandboxes/\(entry)").joined(separator: " "))
        }
        return found
    }

    /// The only entry of `ps --json`; both "" where there is none.
    func listed() throws -> (state: String, pid: String) {
        let outcome = try box.sandbox(["ps", "-a", "--json"])
        guard outcome.succeeded else { throw Failure(saying: "ps: \(outcome)") }
        func value(_ key: String) -> String {
            let line = outcome.lines.first { $0.contains("\"\(key)\":") } ?? ""
            return (line.split(separator: ":", maxSplits: 1).last ?? "").filter { !"\", ".contains($0) }
        }
        return (value("state"), value("pid"))
    }
}

extension [String] {
    /// The numbers, counted from 1, of the first of each row of steps of one kind and of the last step of all; with
    /// `all` of every one.
    func turns(all: Bool) -> [Int] {
        let kinds = map { $0.hasPrefix("filesystem.") ? "filesystem" : $0 }
        return indices.filter { all || $0 == 0 || $0 == count - 1 || kinds[$0 - 1] != kinds[$0] }.map { $0 + 1 }
    }
}
