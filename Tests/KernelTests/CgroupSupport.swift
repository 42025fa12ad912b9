import Glibc
import Testing

@testable import Kernel

/// Leaves of sandboxes that other tests run meanwhile are theirs to remove.
func isForeign(_ leaf: String) -> Bool { !leaf.hasPrefix("test-") }

/// A group of these tests.
func make(_ limits: CgroupLimits, tracks: Bool = false) throws -> Cgroup {
    try #require(try Cgroup.create(name: "test", limits: limits, tracks: tracks))
}

/// The first file that one of the leaves has.
func value(_ group: Cgroup, _ files: String...) -> String? { value(group, files) }

func value(_ group: Cgroup, _ files: [String]) -> String? {
    for leaf in group.groups {
        for file in files where access("\(leaf.path)/\(file)", F_OK) == 0 {
            return controlWords((try? readText("\(leaf.path)/\(file)")) ?? "").joined(separator: " ")
        }
    }
    return nil
}

/// Removes what a test made, also after it failed; a group that is gone already is fine.
func discard(_ group: Cgroup) {
    do {
        try group.remove()
    } catch {
        Issue.record("left behind: \(error)")
    }
}

func sleeper() throws -> Int32 { try spawn(["sleep", "1000"]) }

private func spawn(_ words: [String]) throws -> Int32 {
    var pid: Int32 = 0
    var argv = words.map { strdup($0) } + [nil]
    defer { for pointer in argv { free(pointer) } }
    // The threads that run tests block signals, SIGCHLD among them: a shell would inherit that and never see an end.
    var attributes = posix_spawnattr_t()
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_init(&attributes)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    defer { posix_spawnattr_destroy(&attributes) }
    let code = posix_spawnp(&pid, words[0], nil, &attributes, &argv, environ)
    if code != 0 { throw SystemError("start \(words[0])", code: code) }
    return pid
}

/// A group that tracks, and shells that run a script in it; all gone at the end.
final class PopulatedGroup {
    let group: Cgroup
    private var children: [Int32] = []

    init(_ limits: CgroupLimits = CgroupLimits()) throws { group = try make(limits, tracks: true) }

    /// Returns when the shell stands in the group.
    func start(_ script: String) throws -> Int32 {
        let join = #"for leaf; do echo 0 >"$leaf/cgroup.procs" || exit; done; "#
        let child = try spawn(["sh", "-c", join + script, "sh"] + group.groups.map(\.path))
        children.append(child)
        try wait("join") { try group.groups.allSatisfy { try $0.processes().contains(child) } }
        return child
    }

    /// Waits for a child's end; returns its wait(2) status.
    func reap(_ child: Int32) throws -> Int32 {
        var status: Int32 = 0
        try wait("end") { waitpid(child, &status, WNOHANG) == child }
        children.removeAll { $0 == child }
        return status
    }

    /// Two processes that hold 24 MiB.
    func startHolder() throws -> Int32 {
        let child = try start("x=$(head -c 25165824 /dev/zero | tr '\\0' x); sleep 1000 & wait")
        try wait("hold memory") {
            let others = try group.processes().filter { $0 != child }
            let usage = try group.usage()
            guard let other = others.first, others.count == 1, usage.pids == 2 else { return false }
            // The shell's first child ends while this looks at it: no name yet, look again.
            let name = try? readText("/proc/\(other)/comm")
            return name == "sleep\n" && (usage.memory ?? 0) > 24 << 20
        }
        return child
    }

    func discard() {
        do {
            try group.kill()
            for child in children { _ = try reap(child) }
        } catch {
            Issue.record("\(error)")
        }
        KernelTests.discard(group)
    }
}

/// Waits, without a judgement on how long it takes.
func wait(_ what: String, until holds: () throws -> Bool) throws {
    for _ in 0..<20_000 {
        if try holds() { return }
        pauseBriefly(microseconds: 1000)
    }
    throw SystemError("wait: \(what)", code: ETIMEDOUT)
}

func end(_ pid: Int32) {
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
}

func canMakeGroups() -> Bool {
    guard let isRoot = try? isRealRoot(), isRoot, let layout = try? CgroupLayout.current() else { return false }
    guard let isSystemd = try? SystemdScope.isSystemdRunning(), !isSystemd else { return false }
    let index = layout.index(of: "pids")
    return index.map { access(layout.hierarchies[$0].mountPoint + "/cgroup.procs", W_OK) == 0 } ?? false
}
