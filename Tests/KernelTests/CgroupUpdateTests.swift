import Glibc
import Testing

@testable import Kernel

extension CgroupTests {
    @Suite struct Update {
        @Test func limitsAreSetReadAndLifted() throws {
            let box = try PopulatedGroup()
            defer { box.discard() }
            _ = try box.start("sleep 1000")
            let isV2 = box.group.groups[0].version == .v2
            var limits = CgroupLimits()
            limits.memory = 64 << 20
            limits.memoryHigh = isV2 ? 32 << 20 : nil
            limits.memorySwap = 8 << 20
            limits.cpu = 0.25
            limits.cpuWeight = 50
            limits.pids = 20
            limits.cpuset = "0"
            limits.ioWeight = 50
            try box.group.update(limits)
            #expect(try box.group.limits() == limits)
            var fewer = CgroupLimits()
            fewer.pids = 1
            try box.group.update(fewer)
            limits.pids = 1
            #expect(try box.group.limits() == limits)
            let keys = CgroupLimits.Key.allCases
            try box.group.update(CgroupLimits(), lifting: keys)
            #expect(try box.group.limits() == CgroupLimits())
            try box.group.update(CgroupLimits(), lifting: keys)
        }

        @Test func oneThatFailsLeavesAllAsItWas() throws {
            var limits = CgroupLimits()
            limits.memory = 128 << 20
            limits.cpuset = "0"
            limits.cpuWeight = 200
            let box = try PopulatedGroup(limits)
            defer { box.discard() }
            let child = try box.startHolder()
            let before = try box.group.limits()
            #expect(before == limits)
            var wanted = CgroupLimits()
            wanted.cpu = 0.5
            wanted.cpuWeight = 10
            wanted.memory = 8 << 20
            wanted.memorySwap = 0
            let error = #expect(throws: SystemError.self) {
                try box.group.update(wanted, lifting: [.cpuset])
            }
            #expect(error?.code == EBUSY)
            #expect(error?.action.hasPrefix("resources.memory: ") == true)
            #expect(error?.mend?.contains("raise the limit") == true)
            #expect(error?.mend?.contains("all the same") == false)
            #expect(try box.group.limits() == before)
            #expect(kill(child, 0) == 0)
            #expect(try box.group.usage().oomKills == 0)
        }

        @Test func processorsThatAreNotThere() throws {
            let box = try PopulatedGroup()
            defer { box.discard() }
            var limits = CgroupLimits()
            limits.cpuset = "0,8191"
            let error = #expect(throws: SystemError.self) { try box.group.update(limits) }
            #expect(error?.action.hasPrefix("resources.cpuset: ") == true)
            #expect(try box.group.limits() == CgroupLimits())
        }

        @Test func memoryGoesUpAndDownWithItsSwap() throws {
            var limits = CgroupLimits()
            limits.memory = 64 << 20
            limits.memorySwap = 16 << 20
            let box = try PopulatedGroup(limits)
            defer { box.discard() }
            for memory: UInt64 in [256 << 20, 32 << 20, 64 << 20] {
                var change = CgroupLimits()
                change.memory = memory
                try box.group.update(change)
                limits.memory = memory
                #expect(try box.group.limits() == limits)
            }
            if box.group.groups.contains(where: { access($0.path + "/memory.memsw.limit_in_bytes", F_OK) == 0 }) {
                let alone = #expect(throws: SystemError.self) {
                    try box.group.update(CgroupLimits(), lifting: [.memory])
                }
                #expect(alone?.mend?.contains("memory-swap") == true)
                #expect(try box.group.limits() == limits)
            }
            try box.group.update(CgroupLimits(), lifting: [.memorySwap, .memory])
            #expect(try box.group.limits() == CgroupLimits())
        }

        @Test func whatCannotBeAsked() throws {
            var limits = CgroupLimits()
            limits.pids = 20
            let group = try make(limits)
            defer { discard(group) }
            let both = #expect(throws: SystemError.self) { try group.update(limits, lifting: [.pids]) }
            #expect(both?.action == "resources.pids")
            var wrong = CgroupLimits()
            wrong.cpu = -1
            #expect(throws: SystemError.self) { try group.update(wrong) }
            var more = limits
            more.pids = 10
            more.ioWeight = 50
            let layout = try CgroupLayout.current()
            if layout.index(of: "io") != layout.index(of: "pids") {
                let unserved = #expect(throws: SystemError.self) { try group.update(more) }
                #expect(unserved?.action == "resources.io-weight")
                #expect(unserved?.code == ENOTSUP)
            }
            #expect(try group.limits() == limits)
            #expect(throws: SystemError.self) { try Cgroup(groups: []).update(limits) }
        }
    }
}
