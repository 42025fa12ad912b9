import CLinux
import Glibc
import Testing

/// One test's surroundings: a scratch folder, a state folder, and `sandbox` runs that use them. What a test leaves
/// running is ended, and what it wrote is removed, when the value goes away.
final class Box: Sendable {
    /// An account that no passwd(5) names.
    static let user: uid_t = 54321

    let path: String
    let mark: String
    let uid: uid_t?
    private let started = Started()

    /// - Parameter uid: Everything is run as, and owned by, this user when the tests run as root.
    init(as uid: uid_t? = nil) throws {
        mark = "box-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        path = Harness.folder + "/" + mark
        self.uid = geteuid() == 0 ? uid : nil
        for folder in ["", "/state", "/home", "/run"] { try Files.makeDirectory(path + folder) }
        if let uid = self.uid {
            for folder in ["", "/state", "/home", "/run"] { chown(path + folder, uid, uid) }
        }
        Leaks.begin(mark, test: Test.current?.name ?? "?")
    }

    deinit {
        started.end()
        Leaks.end(mark)
        forget()
        Harness.remove(path)
    }

    /// Has the records cleared away: by now all of their processes have ended, but of those that were killed control
    /// groups may be left.
    private func forget() {
        let names = Files.list(path + "/state/sandboxes").filter { !$0.hasPrefix(".") }
        if names.isEmpty { return }
        // Of state that was spoilt on purpose nothing can be learned; what is left then, the suite's end finds.
        _ = try? sandbox(["rm", "-f"] + names)
    }

    var environment: [String: String] {
        var values = Harness.environment
        values["HOME"] = path + "/home"
        values["SANDBOX_STATE"] = path + "/state"
        values["XDG_RUNTIME_DIR"] = path + "/run"
        values[Leaks.variable] = mark
        return values
    }

    /// A file's name in the scratch folder.
    func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file in the scratch folder and gives its path.
    @discardableResult
    func write(_ name: String, _ content: String, mode: mode_t = 0o644) throws -> String {
        try Files.write(content, to: file(name), mode: mode)
        if let uid { lchown(file(name), uid, uid) }
        return file(name)
    }

    /// Makes a folder in the scratch folder, its parents too, and gives its path.
    @discardableResult
    func folder(_ name: String, mode: mode_t = 0o755) throws -> String {
        var made = path
        for part in name.split(separator: "/") {
            made += "/" + part
            if Files.exists(made) { continue }
            try Files.makeDirectory(made, mode: mode)
            if let uid { lchown(made, uid, uid) }
        }
        return made
    }

    /// Writes a profile and gives the words that select it.
    func profile(_ toml: String, name: String = "test.toml") throws -> [String] { ["-p", try write(name, toml)] }

    /// Any program to its end.
    func run(
        _ arguments: [String], environment extra: [String: String] = [:], directory: String? = nil,
        input: Input = .none, descriptors: [Int32: Int32] = [:], timeout: Double = 30
    ) throws -> Outcome {
        try Child.capture(
            wrapped(arguments), environment: environment.merging(extra) { $1 }, directory: directory ?? path,
            input: input, descriptors: descriptors, timeout: timeout)
    }

    typealias Input = Child.Input

    /// A fixture's step, which must succeed.
    @discardableResult
    func must(_ arguments: [String]) throws -> Outcome {
        let outcome = try run(arguments)
        guard outcome.succeeded else { throw Failure(saying: "\(arguments): \(outcome)") }
        return outcome
    }

    /// `sandbox` with these words.
    func sandbox(
        _ words: [String], environment: [String: String] = [:], directory: String? = nil, input: Input = .none,
        descriptors: [Int32: Int32] = [:], timeout: Double = 30
    ) throws -> Outcome {
        try run(
            [binary] + words, environment: environment, directory: directory, input: input,
            descriptors: descriptors, timeout: timeout)
    }

    /// `sandbox run` of a command, under a profile's text and further options.
    func launch(
        _ toml: String = "", _ options: [String] = [], _ command: [String], input: Input = .none,
        environment: [String: String] = [:], directory: String? = nil, descriptors: [Int32: Int32] = [:]
    ) throws -> Outcome {
        let selection = toml.isEmpty ? [] : try profile(toml)
        return try sandbox(
            ["run"] + selection + options + ["--"] + command, environment: environment, directory: directory,
            input: input, descriptors: descriptors)
    }

    /// `sandbox run` of a shell script.
    func shell(_ toml: String = "", _ options: [String] = [], _ script: String) throws -> Outcome {
        try launch(toml, options, ["/bin/sh", "-c", script])
    }

    /// Starts `sandbox run` (or any program) and leaves it running; its output goes to files `NAME.out`, `NAME.err`.
    func start(_ arguments: [String], name: String = "started", input: Int32? = nil) throws -> Child {
        let out = linux_open(file(name + ".out"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        let err = linux_open(file(name + ".err"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        let null = linux_open("/dev/null", O_RDONLY | O_CLOEXEC, 0)
        defer { for descriptor in [out, err, null] { close(descriptor) } }
        let child = try Child.start(
            wrapped(arguments), environment: environment, directory: path,
            descriptors: [0: input ?? null, 1: out, 2: err])
        started.add(child)
        return child
    }

    func startSandbox(_ toml: String, _ options: [String] = [], _ command: [String], name: String = "started") throws
        -> Child
    {
        let selection = toml.isEmpty ? [] : try profile(toml, name: name + ".toml")
        return try start([binary, "run"] + selection + options + ["--"] + command, name: name)
    }

    /// What the registry has written down of a sandbox, nothing settled: `running`, `stopped`; `nil` without a record.
    func phase(_ name: String) -> String? {
        let lines = (Files.read(file("state/sandboxes/\(name)/state.toml")) ?? "").split(separator: "\n")
        let line = lines.first { $0.hasPrefix("phase = ") }
        return line.map { $0.dropFirst(9).dropLast().description }
    }

    var binary: String { uid == nil ? Binary.path : Binary.shared }

    /// What a started program has written so far.
    func output(_ name: String = "started") -> String { Files.read(file(name + ".out")) ?? "" }

    func waitForOutput(_ text: String, name: String = "started") -> Bool {
        Clock.waitUntil { output(name).contains(text) }
    }

    /// The words that make `arguments` run as this value's user.
    func wrapped(_ arguments: [String]) -> [String] {
        guard let uid else { return arguments }
        return ["setpriv", "--reuid=\(uid)", "--regid=\(uid)", "--clear-groups", "--"] + arguments
    }
}

/// The processes that a test started and may not have waited for. One thread, the test's, uses the value.
private final class Started: @unchecked Sendable {
    private var children: [Child] = []

    func add(_ child: Child) { children.append(child) }
    func end() { for child in children { child.end() } }
}
