import Glibc
import Testing

@testable import Kernel

@Suite struct CgroupFileTests {
    @Test func processorTimeOfVersion2() {
        var usage = CgroupUsage()
        usage.readCPUStat("usage_usec 1200\nuser_usec 900\nsystem_usec 300\nnr_periods 0\n")
        #expect((usage.cpu, usage.cpuUser, usage.cpuSystem) == (1200, 900, 300))
        usage.readCPUStat("")
        #expect(usage == CgroupUsage())
    }

    @Test func processorTicksOfVersion1() {
        var usage = CgroupUsage()
        usage.readCPUTicks("user 12\nsystem 3\n", perSecond: 100)
        #expect((usage.cpuUser, usage.cpuSystem, usage.cpu) == (120_000, 30_000, nil))
    }

    @Test(arguments: [
        ("", [0, 0, 0, 0]), ("8:0\n", [0, 0, 0, 0]),
        (
            "8:0 rbytes=4096 wbytes=1 rios=2 wios=3 dbytes=9 dios=9\n254:1 rbytes=4 wbytes=1 rios=1 wios=1",
            [4100, 2, 3, 4]
        ),
        ("8:0 rbytes=x wbytes=1", [0, 1, 0, 0]),
    ])
    func deviceTrafficOfVersion2(text: String, sums: [UInt64]) {
        var usage = CgroupUsage()
        usage.readIOStat(text)
        #expect([usage.readBytes, usage.writtenBytes, usage.reads, usage.writes] == sums.map { Optional($0) })
    }

    @Test func deviceTrafficOfVersion1() {
        let text = "8:0 Read 4096\n8:0 Write 10\n8:0 Sync 1\n8:0 Total 4106\n8:16 Read 4\n8:16 Write 0\nTotal 4110\n"
        #expect(CgroupUsage.readAndWritten(text) == (4100, 10))
        #expect(CgroupUsage.readAndWritten("Total 0\n") == (0, 0))
        #expect(CgroupUsage.readAndWritten("") == (0, 0))
    }

    @Test func namedNumbers() {
        let words = controlWords("low 0\nhigh 7\nmax 0\noom 1\noom_kill 2\noom_group_kill 0\n")
        #expect(words.number("oom_kill") == 2)
        #expect(words.number("swap") == nil)
        #expect(controlWords("oom_kill").number("oom_kill") == nil)
    }

    @Test func quotaRead() {
        #expect(CPUQuota("50000 100000\n")?.cpus == 0.5)
        for none in ["max 100000\n", "-1 100000", "", "5"] { #expect(CPUQuota(none) == nil, "\(none)") }
    }

    @Test(arguments: [1, 50, 100, 109, 1000]) func weightsOfBFQ(weight: Int) {
        var limits = CgroupLimits()
        limits.ioWeight = weightOfBFQ(weight)
        #expect(limits.v2Settings(of: "io").first?.choices.last?.value == "default \(weight)")
    }
}

extension CgroupTests {
    @Suite struct Usage {
        @Test func whatAGroupUses() throws {
            var limits = CgroupLimits()
            limits.memory = 200 << 20
            limits.pids = 30
            let box = try PopulatedGroup(limits)
            defer { box.discard() }
            _ = try box.startHolder()
            let usage = try box.group.usage()
            #expect(usage.pids == 2)
            #expect(usage.pidsLimit == 30)
            #expect(usage.memoryLimit == 200 << 20)
            let memory = try #require(usage.memory)
            #expect(memory > 24 << 20 && memory < 200 << 20)
            #expect(usage.memoryPeak.map { $0 >= 24 << 20 } != false)
            #expect(usage.oomKills == 0)
            let before = try #require(usage.cpu)
            #expect(before > 0)
            _ = try box.start("while :; do :; done")
            try wait("use the CPU") { try (box.group.usage().cpu ?? 0) > before + 30_000 }
            try wait("in user mode") { try (box.group.usage().cpuUser ?? 0) > 0 }
            #expect(usage.cpuSystem != nil)
        }

        @Test func nothingIsLimitedWithoutLimits() throws {
            let box = try PopulatedGroup()
            defer { box.discard() }
            let usage = try box.group.usage()
            #expect((usage.memoryLimit, usage.pidsLimit, usage.pids) == (nil, nil, 0))
            #expect(try box.group.limits() == CgroupLimits())
        }

        @Test func killsForWantOfMemoryAreCounted() throws {
            var limits = CgroupLimits()
            limits.memory = 16 << 20
            let box = try PopulatedGroup(limits)
            defer { box.discard() }
            let child = try box.start("exec 2>/dev/null; x=$(head -c 50331648 /dev/zero | tr '\\0' x); exit 3")
            _ = try box.reap(child)
            let kills = try #require(try box.group.usage().oomKills)
            #expect(kills >= 1)
            let file = try #require(box.group.oomFile)
            #expect(controlWords(try readText(file)).number("oom_kill") == kills)
        }

        @Test func aGroupThatIsGone() throws {
            let box = try PopulatedGroup()
            box.discard()
            #expect(throws: SystemError.self) { try box.group.usage() }
            #expect(throws: SystemError.self) { try box.group.limits() }
            let none = #expect(throws: SystemError.self) { try Cgroup(groups: []).usage() }
            #expect(none?.mend?.contains("run as root") == true)
        }
    }
}
