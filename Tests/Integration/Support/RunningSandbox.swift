import Glibc
import Testing

/// A detached sandbox of a test's, whose command is a long sleep unless said otherwise. Call `end` when done with it.
final class RunningSandbox {
    let box: Box
    let name: String
    private var isOver = false

    init(
        _ box: Box, _ toml: String = "", _ options: [String] = [], _ command: [String] = ["sleep", "1000"],
        name: String = "first"
    ) throws {
        self.box = box
        self.name = name
        let selection = toml.isEmpty ? [] : try box.profile(toml, name: name + ".toml")
        try box.must([box.binary, "run", "-d", "-n", name] + selection + options + ["--"] + command)
    }

    /// One that has been started already.
    init(joining name: String, of box: Box) throws {
        self.box = box
        self.name = name
    }

    deinit { end() }

    var folder: String { box.file("state/sandboxes/\(name)") }
    /// What it has written, wherever that is kept.
    var log: String { ["log", "log.0", "log.1"].map { Files.read(folder + "/" + $0) ?? "" }.joined() }

    /// The process that stands for it: process 1, or the command.
    var process: pid_t { recorded("process")?.pid ?? 0 }
    /// Its command.
    var command: pid_t { recorded("application")?.pid ?? 0 }

    func recorded(_ key: String) -> (pid: pid_t, start: Int)? { box.recorded(key, of: name) }

    /// Changes a line of its state file.
    func forge(_ key: String, _ value: String) throws {
        let path = folder + "/state.toml"
        let lines = (Files.read(path) ?? "").split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.hasPrefix(key + " = ") ? "\(key) = \(value)" : String($0)
        }
        try Files.write(lines.joined(separator: "\n"), to: path, mode: 0o600)
    }

    /// `sandbox exec` of a command in it.
    func exec(
        _ options: [String] = [], _ command: [String], environment: [String: String] = [:], directory: String? = nil,
        input: Box.Input = .none, descriptors: [Int32: Int32] = [:], timeout: Double = 30
    ) throws -> Outcome {
        try box.sandbox(
            ["exec", name] + options + ["--"] + command, environment: environment, directory: directory, input: input,
            descriptors: descriptors, timeout: timeout)
    }

    func shell(_ options: [String] = [], _ script: String) throws -> Outcome {
        try exec(options, ["/bin/sh", "-c", script])
    }

    /// Starts `sandbox exec` and leaves it running; its output goes to files as with `Box.start`.
    func start(_ options: [String] = [], _ command: [String], name: String = "entered") throws -> Child {
        try box.start([box.binary, "exec", self.name] + options + ["--"] + command, name: name)
    }

    /// The process that a started `sandbox exec` runs: the waiter's child, or the same where there is no waiter.
    static func command(of child: Child) -> pid_t {
        var found = child.pid
        _ = Clock.waitUntil {
            found = Processes.children(of: child.pid).first ?? child.pid
            let words = Processes.command(found)
            return !words.isEmpty && !words.contains("exec")
        }
        return found
    }

    /// Ends it and has the next command clear it away.
    func end() {
        if isOver { return }
        isOver = true
        let held = process
        if held > 0 { kill(held, SIGKILL) }
        // The first command that finds it ended clears it away, unless a waiter of its own is about to.
        _ = Clock.waitUntil {
            _ = try? exec([], ["true"])
            return !(Files.read(folder + "/state.toml") ?? "").contains("phase = \"running\"")
        }
    }

    /// Ends it with all that is in it and forgets it, paused or not.
    func remove() {
        // One that is gone already cannot be removed.
        _ = try? box.sandbox(["rm", "-f", name])
        end()
    }

    /// An entry of `sandbox inspect`.
    func inspection() throws -> JSONDocument { try box.sandbox(["inspect", name]).document()[0] }
}

extension Box {
    /// A process of a sandbox's record, as `KEY = [PID, START]`.
    func recorded(_ key: String, of name: String) -> (pid: pid_t, start: Int)? {
        let text = Files.read(file("state/sandboxes/\(name)/state.toml")) ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix(key + " = ") {
            let numbers = line.split { !$0.isNumber }.compactMap { Int($0) }
            if numbers.count == 2 { return (pid_t(numbers[0]), numbers[1]) }
        }
        return nil
    }
}
