import CLinux
import Glibc
import Testing

/// Finds what tests leave behind: processes by a mark in their environment, and by comparison the machine's links,
/// named network namespaces, mounts, control groups and state.
enum Leaks {
    static let variable = "SANDBOX_TEST"

    private nonisolated(unsafe) static var tests: [String: String] = [:]
    private nonisolated(unsafe) static var found: [String] = []
    private nonisolated(unsafe) static var lock = pthread_mutex_t()

    private static func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(&lock)
        defer { pthread_mutex_unlock(&lock) }
        return body()
    }

    static func begin(_ mark: String, test: String) { locked { tests[mark] = test } }

    /// Ends what still carries the mark, by its id, and keeps its name for the report.
    static func end(_ mark: String) {
        let left = { Processes.marked(variable, mark).filter { Processes.status($0, "State")?.first != "Z" } }
        guard !Clock.waitUntil(timeout: 3, { left().isEmpty }) else {
            locked { _ = tests.removeValue(forKey: mark) }
            return
        }
        for pid in left() {
            let name = Processes.command(pid).joined(separator: " ")
            kill(pid, SIGKILL)
            locked { found.append("process \(pid) (\(name)) of the test \(tests[mark] ?? "?")") }
        }
    }

    static func takeReport() -> [String] {
        locked {
            defer { found = [] }
            return found
        }
    }

    /// What a launch could leave on the machine.
    static var machine: Set<String> {
        var entries: Set<String> = []
        for link in Files.list("/sys/class/net") { entries.insert("link \(link)") }
        for name in Files.list("/run/netns") { entries.insert("network namespace \(name)") }
        for name in Files.list("/run/sandbox") { entries.insert("state /run/sandbox/\(name)") }
        for line in (Files.read("/proc/self/mountinfo") ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count > 4 { entries.insert("mount \(words[4]) (\(words[3]))") }
        }
        // A group that has processes is somebody else's running box.
        for path in controlGroups where Files.read(path + "/cgroup.procs") == "" {
            entries.insert("control group \(path)")
        }
        return entries.filter { !isForeign($0) }
    }

    /// Whether an entry carries the mark of another run of these tests, at the same time.
    private static func isForeign(_ entry: String) -> Bool {
        if entry.contains("/sandbox-test-") { return !entry.contains(Harness.folder) }
        return entry.contains("box-") && !entry.contains("box-\(getpid())-")
    }

    /// The lowest groups of ours: each box's leaves, and the groups above them that have none.
    static var controlGroups: [String] { controlGroups("/sys/fs/cgroup", depth: 6, isOurs: false) }

    private static func controlGroups(_ path: String, depth: Int, isOurs: Bool) -> [String] {
        guard depth > 0 else { return [] }
        var groups: [String] = []
        for name in Files.list(path) {
            var status = stat()
            guard lstat(path + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
            let isOurs = isOurs || name.contains("sandbox")
            let below = controlGroups(path + "/" + name, depth: depth - 1, isOurs: isOurs)
            if isOurs && below.isEmpty { groups.append(path + "/" + name) }
            groups += below
        }
        return groups
    }
}

/// Around the whole suite: nothing may be on the machine afterwards that was not there before.
struct LeakCheck: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try prepare()
        let before = Leaks.machine
        try await function()
        try sweep()
        var left: [String] = []
        _ = Clock.waitUntil {
            left = Leaks.machine.subtracting(before).sorted()
            return left.isEmpty
        }
        let report = left + Leaks.takeReport()
        #expect(report.isEmpty, "left behind: \(report.joined(separator: "; "))")
    }

    /// The first `ip netns add` on a machine mounts /run/netns, for good: before the first picture, then.
    private func prepare() throws {
        guard Machine.isRoot, Machine.hasProgram("ip"), Files.list("/run/netns").isEmpty else { return }
        let name = "box-\(getpid())-first"
        for action in ["add", "delete"] {
            _ = try Child.capture(["ip", "netns", action, name], environment: Harness.environment)
        }
    }

    /// A launcher that was killed leaves an empty control group for the next command to clear away. This is the last.
    private func sweep() throws {
        let environment = Harness.environment.merging(["SANDBOX_STATE": Harness.folder + "/no-state"]) { $1 }
        let outcome = try Child.capture([Binary.path, "gc"], environment: environment)
        #expect(outcome.succeeded, "\(outcome)")
    }
}

/// Every test of the built executable: one suite, so that one check of what is left behind surrounds them all.
@Suite(LeakCheck()) enum Integration {}
