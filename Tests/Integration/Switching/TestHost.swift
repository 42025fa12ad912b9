import Glibc

/// A host of a test's own: a network namespace with links that the test makes, where `sandbox` is run.
final class TestHost {
    let box: Box
    let name: String
    private let state: String?

    /// - Parameter state: a state directory of its own, by a name in the box's folder; the box's when absent.
    init(_ box: Box, _ name: String, state: String? = nil) throws {
        self.box = box
        self.name = "\(box.mark)-\(name)"
        self.state = state.map { box.file($0) }
        if let state { try box.folder(state, mode: 0o700) }
        try box.must(["ip", "netns", "add", self.name])
        try ip("link", "set", "lo", "up")
    }

    deinit {
        // The links in it go with it.
        _ = try? box.run(["ip", "netns", "delete", name])
    }

    private var entered: [String] { ["nsenter", "--net=/run/netns/\(name)", "--"] }
    var environment: [String: String] { state.map { ["SANDBOX_STATE": $0] } ?? [:] }

    func ip(_ words: String...) throws { try box.must(["ip", "-n", name] + words) }

    func run(_ words: [String], timeout: Double = 30) throws -> Outcome {
        try box.run(entered + words, environment: environment, timeout: timeout)
    }

    /// Starts `sandbox` with these words; see ``Box/start(_:name:input:)``.
    func start(_ words: [String], name: String) throws -> Child {
        let variables = environment.map { "\($0)=\($1)" }
        return try box.start(entered + ["env"] + variables + [box.binary] + words, name: name)
    }

    func sandbox(_ words: [String], timeout: Double = 30) throws -> Outcome {
        try run([box.binary] + words, timeout: timeout)
    }

    @discardableResult
    func must(_ words: String...) throws -> Outcome {
        let outcome = try sandbox(words)
        guard outcome.succeeded else { throw Failure(saying: "\(words): \(outcome)") }
        return outcome
    }

    /// A command in a box with this attachment, to its end.
    func inBox(_ network: [String], _ command: [String], timeout: Double = 30) throws -> Outcome {
        try sandbox(["run", "--unshare", "net"] + network + ["--"] + command, timeout: timeout)
    }

    /// Starts a detached box that sleeps.
    func sleeper(_ name: String, _ network: [String]) throws {
        let outcome = try sandbox(
            ["run", "-d", "-n", name, "--unshare", "net"] + network + ["--", "sleep", "1000"])
        guard outcome.succeeded else { throw Failure(saying: "\(name): \(outcome)") }
    }

    func exec(_ name: String, _ command: [String], timeout: Double = 30) throws -> Outcome {
        try sandbox(["exec", name, "--"] + command, timeout: timeout)
    }

    /// Whether one answer of three comes.
    func pings(_ name: String, _ address: String) throws -> Bool {
        try exec(name, ["ping", "-c", "3", "-i", "0.2", "-W", "1", address]).out.contains("bytes from")
    }

    /// Ends boxes and deletes switches.
    func end(boxes: [String] = [], switches: [String] = []) {
        if !boxes.isEmpty { _ = try? sandbox(["rm", "-f"] + boxes) }
        for name in switches { _ = try? sandbox(["switch", "delete", "-f", name]) }
    }
}

/// A key of the profile, as an option.
func set(_ key: String, _ value: String) -> [String] { ["--set", "\(key)=\(value)"] }

extension TestHost {
    /// Gives it `v0`, a link that leads to the bridge `b0`, which has this address: what is out there.
    func addOutside(_ address: String) throws {
        try ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
        try ip("link", "add", "b0", "type", "bridge")
        try ip("link", "set", "v1", "master", "b0")
        for link in ["v0", "v1", "b0"] { try ip("link", "set", link, "up") }
        try ip("address", "add", address, "dev", "b0")
    }
}
