import Glibc
import Testing

@testable import Kernel

/// Groups made for real. Where systemd runs, making one would move the whole test process into a scope: the virtual
/// machine's cases show that.
@Suite(.serialized, .enabled(if: canMakeGroups(), "needs root, a writable cgroup tree, and no systemd"))
struct CgroupTests {
    @Test func limitsAreWrittenAndTheGroupGoes() throws {
        var limits = CgroupLimits()
        limits.memory = 64 << 20
        limits.cpu = 0.5
        limits.pids = 9
        limits.cpuset = "0"
        let group = try make(limits)
        defer { discard(group) }
        #expect(value(group, "pids.max") == "9")
        #expect(value(group, "memory.max", "memory.limit_in_bytes") == "67108864")
        #expect(value(group, "cpu.max", "cpu.cfs_quota_us")?.hasPrefix("50000") == true)
        #expect(value(group, "cpuset.cpus") == "0")
        #expect(try group.isEmpty())
        try group.remove()
        for leaf in group.groups { #expect(access(leaf.path, F_OK) != 0) }
    }

    @Test func joinKillAndRemove() throws {
        var limits = CgroupLimits()
        limits.pids = 20
        let group = try make(limits)
        let child = try sleeper()
        var isReaped = false
        defer {
            if !isReaped { end(child) }
            discard(group)
        }
        try group.join(child)
        #expect(try !group.isEmpty())
        #expect(try group.groups.first?.processes() == [child])
        let busy = #expect(throws: SystemError.self) { try group.remove() }
        #expect(busy?.code == EBUSY)
        #expect(kill(child, 0) == 0, "remove kills nothing")
        try group.kill()
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child)
        isReaped = true
        #expect(status & 0x7f == SIGKILL)
        try group.remove()
        #expect(access(group.path, F_OK) != 0)
    }

    @Test func aLauncherInTheGroupStepsOut() throws {
        var limits = CgroupLimits()
        limits.pids = 1000
        let group = try make(limits)
        defer { discard(group) }
        let layout = try CgroupLayout.current()
        let index = try #require(layout.index(of: "pids"))
        let home = try #require(layout.hierarchies[index].own)
        try group.joinSelf()
        #expect(try group.groups.first?.processes() == [getpid()])
        try group.remove()
        #expect(access(group.path, F_OK) != 0)
        try writeText("0", to: home + "/cgroup.procs")
    }

    @Test func emptyGroupsMadeInsideGoToo() throws {
        var limits = CgroupLimits()
        limits.pids = 20
        let group = try make(limits)
        #expect(mkdir(group.path + "/inner", 0o755) == 0)
        #expect(mkdir(group.path + "/inner/most", 0o755) == 0)
        try group.remove()
        #expect(access(group.path, F_OK) != 0)
    }

    @Test func aLimitThatFailsLeavesNothing() throws {
        var limits = CgroupLimits()
        limits.pids = 3
        limits.memory = 64 << 20
        limits.cpuset = "8191"
        let before = try tree()
        let error = #expect(throws: SystemError.self) { try make(limits) }
        #expect(error?.action.hasPrefix("resources.cpuset: write 8191 to ") == true)
        #expect(error?.mend != nil)
        #expect(error?.mend?.contains("left behind") != true)
        #expect(try tree() == before)
    }

    @Test func sweepTakesTheEmptyLeavesOfTheDeadOnly() throws {
        var limits = CgroupLimits()
        limits.pids = 20
        let mine = try make(limits)
        defer { discard(mine) }
        let parent = groupAbove(mine.path)
        let child = try sleeper()
        defer { end(child) }
        let identity = try #require(try ProcessIdentity(pid: child))
        let alive = parent + "/test\(identity.suffix)"
        // The same pid, another start time: the owner is dead and its pid was given out again.
        let dead = parent + "/test-\(child)-\(identity.start + 1)"
        let used = parent + "/test-used-\(child)-\(identity.start + 2)"
        let foreign = parent + "/foreign"
        for path in [alive, dead, used, foreign] { #expect(mkdir(path, 0o755) == 0) }
        defer { for path in [alive, used, foreign] { rmdir(path) } }
        try Cgroup(groups: [.init(path: used, version: mine.groups[0].version)]).join(child)
        let removed = try Cgroup.sweep(keeping: isForeign)
        #expect(removed.contains(dead))
        #expect(access(dead, F_OK) != 0)
        for path in [mine.path, alive, used, foreign] { #expect(access(path, F_OK) == 0, "\(path)") }
        #expect(kill(child, 0) == 0)
        try Cgroup(groups: [.init(path: groupAbove(parent), version: mine.groups[0].version)]).join(child)
    }

    @Test func trackingTakesEveryHierarchyThatServes() throws {
        let group = try make(CgroupLimits(), tracks: true)
        defer { discard(group) }
        let layout = try CgroupLayout.current()
        #expect(group.groups.count == layout.tracking(CgroupPlan.trackers).count)
        let needed = ["pids.current", "memory.current memory.usage_in_bytes", "cgroup.freeze freezer.state"]
        for files in needed { #expect(value(group, files.split(separator: " ").map(String.init)) != nil, "\(files)") }
        let child = try sleeper()
        defer { end(child) }
        try group.join(child)
        for leaf in group.groups { #expect(try leaf.processes() == [child], "\(leaf.path)") }
    }

    @Test func sweepTakesNamedLeavesThatNobodyKeeps() throws {
        let mine = try make(CgroupLimits(), tracks: true)
        defer { discard(mine) }
        let child = try sleeper()
        let start = try #require(try ProcessIdentity(pid: child)).start
        end(child)
        let dead = "test-\(child)-\(start)"
        let paths = mine.groups.map { groupAbove($0.path) + "/" + dead }
        for path in paths { #expect(mkdir(path, 0o755) == 0) }
        var limits = CgroupLimits()
        limits.pids = 3
        discard(try #require(try Cgroup.create(name: nil, limits: limits, tracks: false)))
        try Cgroup.sweep { $0 == dead || isForeign($0) }
        for path in paths { #expect(access(path, F_OK) == 0, "\(path)") }
        let removed = try Cgroup.sweep(keeping: isForeign)
        for path in paths { #expect(removed.contains(path) && access(path, F_OK) != 0, "\(path)") }
    }

    @Test func makingAnUnnamedGroupSweepsUnnamedOnes() throws {
        var limits = CgroupLimits()
        limits.pids = 20
        let mine = try make(limits)
        defer { discard(mine) }
        let child = try sleeper()
        let start = try #require(try ProcessIdentity(pid: child)).start
        end(child)
        let dead = groupAbove(mine.path) + "/@-\(child)-\(start)"
        #expect(mkdir(dead, 0o755) == 0)
        let unnamed = try #require(try Cgroup.create(name: nil, limits: limits, tracks: false))
        defer { discard(unnamed) }
        #expect(unnamed.path.contains("/sandbox/@-\(getpid())-"))
        #expect(access(dead, F_OK) != 0)
    }

    @Test func descriptorForClone() throws {
        var limits = CgroupLimits()
        limits.pids = 20
        let group = try make(limits)
        defer { discard(group) }
        let descriptor = try group.openForClone()
        #expect((descriptor != nil) == (group.groups.first?.version == .v2))
        if let descriptor {
            #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
            close(descriptor)
        }
    }
}

/// The groups of these tests; those of boxes that other tests run meanwhile come and go.
private func tree() throws -> [String] {
    try CgroupLayout.current().hierarchies.flatMap { try groupsBelow($0.mountPoint + "/sandbox") }
        .filter { $0.contains("/test-") }.sorted()
}
