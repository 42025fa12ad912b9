import Glibc
import Testing

/// A switch with a name server, in a state directory of its own. Call `end` when done with it.
final class NamedSwitch {
    let box: Box
    let name: String
    private var isOver = false

    init(_ options: [String] = [], name: String = "lan") throws {
        box = try Box()
        self.name = name
        try box.must([box.binary, "switch", "create", name, "--dns"] + options)
    }

    deinit { end() }

    /// Ends what is on it, and the switch.
    func end() {
        if isOver { return }
        isOver = true
        let names = Files.list(box.file("state/sandboxes")).filter { !$0.hasPrefix(".") && !$0.hasPrefix("switch-") }
        // What is left after this, the suite's end finds.
        if !names.isEmpty { _ = try? box.sandbox(["rm", "-f"] + names) }
        _ = try? box.sandbox(["switch", "delete", "-f", name])
    }

    /// A detached box on it.
    func start(_ name: String, _ options: [String] = [], _ command: [String] = ["sleep", "1000"]) throws {
        try box.must(
            [box.binary, "run", "-d", "-n", name, "--unshare", "net,mount,pid", "--switch", self.name] + options
                + ["--"] + command)
    }

    /// A script in a box of its own on it.
    func shell(_ script: String, _ options: [String] = []) throws -> Outcome {
        try box.sandbox(
            ["run", "--unshare", "net,mount,pid", "--switch", name] + options + ["--", "/bin/sh", "-c", script])
    }

    /// What a name leads to, or an address: the words that getent(1) prints; empty where that is nothing.
    func ask(_ what: String, _ database: String = "ahostsv4") throws -> [String] {
        let outcome = try shell("getent \(database) \(what)")
        return outcome.lines.first?.split(separator: " ").map(String.init) ?? []
    }

    var server: String { "switch-\(name)-dns" }

    /// The name server's process; 0 where there is none.
    var serverProcess: pid_t { box.recorded("application", of: server)?.pid ?? 0 }

    func show() throws -> JSONDocument { try box.sandbox(["switch", "show", name, "--json"]).document() }

    func delete() throws -> Outcome { try box.sandbox(["switch", "delete", name]) }
}
