import Kernel
import Profile
import Testing

@testable import SandboxKit

@Suite("Changes of limits") struct LimitChangeTests {
    private var before: CgroupLimits {
        var limits = CgroupLimits()
        (limits.memory, limits.pids) = (64 << 20, 20)
        return limits
    }

    @Test("what differs and what was named changes, nothing else") func keys() {
        var after = before
        after.pids = 30
        let change = LimitChange(from: before, to: after, naming: [])
        #expect(change.limits.pids == 30 && change.limits.memory == nil && change.lifted.isEmpty)
        let named = LimitChange(from: before, to: after, naming: [Override("resources.memory", .string("64M"))])
        #expect(named.limits.pids == 30 && named.limits.memory == 64 << 20)
        #expect(named.document.json == Value.table([("memory", .integer(64 << 20)), ("pids", .integer(30))]).json)
    }

    @Test("what has no limit any more is lifted, and set again when it is turned round") func lifted() {
        var after = before
        after.memory = nil
        after.cpu = 0.5
        let change = LimitChange(from: before, to: after, naming: [])
        #expect(change.lifted == [.memory] && change.limits.cpu == 0.5 && change.limits.memory == nil)
        #expect(change.reversed.lifted == [.cpu] && change.reversed.limits.memory == 64 << 20)
        #expect(change.reversed.reversed == change)
    }

    @Test("every key has a value of its own") func values() {
        var limits = CgroupLimits()
        #expect(CgroupLimits.Key.allCases.allSatisfy { limits.value($0) == .null })
        (limits.memory, limits.memoryHigh, limits.memorySwap, limits.cpu) = (1, 2, 3, 4.5)
        (limits.cpuWeight, limits.pids, limits.cpuset, limits.ioWeight) = (5, 6, "7", 8)
        let values = CgroupLimits.Key.allCases.map { limits.value($0).compactJSON }
        #expect(values == ["1", "4.5", "6", "\"7\"", "2", "3", "5", "8"])
    }
}
