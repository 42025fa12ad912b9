import Glibc
import Testing

@testable import Kernel

private let unified = CgroupLayout(hierarchies: [
    .init(.v2, controllers: ["cpuset", "cpu", "io", "memory", "pids"], mountPoint: "/cg", own: "/cg/me")
])

private let legacy = CgroupLayout(
    hierarchies: ["cpu", "cpuset", "memory", "blkio", "pids"].map {
        .init(.v1, controllers: [$0], mountPoint: "/cg/\($0)", own: "/cg/\($0)")
    })

private func plan(
    _ layout: CgroupLayout, delegated: String? = nil, trackers: [String] = [],
    _ fill: (inout CgroupLimits) -> Void
) throws(SystemError) -> CgroupPlan {
    var limits = CgroupLimits()
    fill(&limits)
    return try CgroupPlan(leaf: "x", limits: limits, trackers: trackers, layout: layout, delegated: delegated) {
        $0.mountPoint
    }
}

private func set(_ key: String, _ file: String, _ value: String, granted: String? = nil, in group: String) -> CgroupStep
{
    .set(CgroupSetting("resources." + key, file, value, granted: granted), group: group)
}

extension CgroupPlan {
    fileprivate var steps: [CgroupStep] { leaves.flatMap(\.steps) }
    fileprivate var groups: [Cgroup.Group] { leaves.map(\.group) }
}

@Suite struct CgroupPlanTests {
    @Test func everyLimitOnVersion2() throws {
        let plan = try plan(unified) {
            $0.memory = 1 << 29
            $0.memoryHigh = 1 << 28
            $0.memorySwap = 0
            $0.cpu = 0.5
            $0.cpuWeight = 50
            $0.pids = 200
            $0.cpuset = "0-1"
            $0.ioWeight = 200
        }
        let keys = ["cpuset", "cpu", "cpu-weight", "io-weight", "memory", "memory-high", "memory-swap", "pids"]
            .map { "resources." + $0 }
        let controllers = ["cpuset", "cpu", "io", "memory", "pids"]
        var io = CgroupSetting("resources.io-weight", "io.weight", "default 200")
        io.choices.append(.init(file: "io.bfq.weight", value: "default 109"))
        let leaf = "/cg/sandbox/x"
        #expect(
            plan.steps == [
                .make("/cg/sandbox", shared: true),
                .enable(controllers, group: "/cg", keys: keys),
                .enable(controllers, group: "/cg/sandbox", keys: keys),
                .make(leaf, shared: false),
                set("cpuset", "cpuset.cpus", "0-1", granted: "cpuset.cpus.effective", in: leaf),
                set("cpu", "cpu.max", "50000 100000", in: leaf),
                set("cpu-weight", "cpu.weight", "50", in: leaf),
                .set(io, group: leaf),
                set("memory-high", "memory.high", "268435456", in: leaf),
                set("memory", "memory.max", "536870912", in: leaf),
                set("memory-swap", "memory.swap.max", "0", in: leaf),
                set("pids", "pids.max", "200", in: leaf),
            ])
        #expect(plan.groups == [.init(path: leaf, version: .v2)])
    }

    @Test func everyLimitOnVersion1() throws {
        let plan = try plan(legacy) {
            $0.memory = 1 << 29
            $0.memorySwap = 1 << 20
            $0.cpu = 1.5
            $0.cpuWeight = 200
            $0.pids = 7
            $0.cpuset = "1"
            $0.ioWeight = 50
        }
        var io = CgroupSetting("resources.io-weight", "blkio.weight", "250")
        io.choices.append(.init(file: "blkio.bfq.weight", value: "50"))
        #expect(
            plan.steps == [
                .make("/cg/cpuset/sandbox", shared: true),
                .inherit(file: "cpuset.cpus", from: "/cg/cpuset", to: "/cg/cpuset/sandbox"),
                .inherit(file: "cpuset.mems", from: "/cg/cpuset", to: "/cg/cpuset/sandbox"),
                .make("/cg/cpuset/sandbox/x", shared: false),
                .inherit(file: "cpuset.cpus", from: "/cg/cpuset/sandbox", to: "/cg/cpuset/sandbox/x"),
                .inherit(file: "cpuset.mems", from: "/cg/cpuset/sandbox", to: "/cg/cpuset/sandbox/x"),
                set("cpuset", "cpuset.cpus", "1", granted: "cpuset.effective_cpus", in: "/cg/cpuset/sandbox/x"),
                .make("/cg/cpu/sandbox", shared: true),
                .make("/cg/cpu/sandbox/x", shared: false),
                set("cpu", "cpu.cfs_period_us", "100000", in: "/cg/cpu/sandbox/x"),
                set("cpu", "cpu.cfs_quota_us", "150000", in: "/cg/cpu/sandbox/x"),
                set("cpu-weight", "cpu.shares", "2048", in: "/cg/cpu/sandbox/x"),
                .make("/cg/blkio/sandbox", shared: true),
                .make("/cg/blkio/sandbox/x", shared: false),
                .set(io, group: "/cg/blkio/sandbox/x"),
                .make("/cg/memory/sandbox", shared: true),
                .make("/cg/memory/sandbox/x", shared: false),
                set("memory", "memory.limit_in_bytes", "536870912", in: "/cg/memory/sandbox/x"),
                set("memory-swap", "memory.memsw.limit_in_bytes", "537919488", in: "/cg/memory/sandbox/x"),
                .make("/cg/pids/sandbox", shared: true),
                .make("/cg/pids/sandbox/x", shared: false),
                set("pids", "pids.max", "7", in: "/cg/pids/sandbox/x"),
            ])
        #expect(plan.groups.count == 5)
    }

    @Test func controllersOfOneVersion1MountShareAGroup() throws {
        let layout = CgroupLayout(hierarchies: [
            .init(.v1, controllers: ["cpuset", "cpu"], mountPoint: "/cg/both", own: "/cg/both")
        ])
        let plan = try plan(layout) {
            $0.cpu = 1
            $0.cpuset = "0"
        }
        #expect(plan.groups == [.init(path: "/cg/both/sandbox/x", version: .v1)])
    }

    @Test func mixedHierarchiesPutVersion2First() throws {
        var layout = legacy
        layout.hierarchies.removeAll { $0.controllers == ["pids"] }
        layout.hierarchies.append(.init(.v2, controllers: ["pids"], mountPoint: "/cg/unified", own: nil))
        let plan = try plan(layout) {
            $0.memory = 4096
            $0.pids = 3
        }
        #expect(plan.groups.map(\.path) == ["/cg/unified/sandbox/x", "/cg/memory/sandbox/x"])
    }

    @Test func withoutLimitsAMereHandle() throws {
        let leaf = "/cg/sandbox/x"
        #expect(
            try plan(unified) { _ in }.steps == [.make("/cg/sandbox", shared: true), .make(leaf, shared: false)])
        #expect(try plan(legacy) { _ in }.groups == [.init(path: "/cg/cpu/sandbox/x", version: .v1)])
    }

    @Test func trackingOnVersion2TakesOneLeafWithWhatIsThere() throws {
        let both = try plan(unified, trackers: CgroupPlan.trackers) { $0.pids = 5 }
        let others = ["cpuset", "cpu", "io", "memory"]
        #expect(
            both.steps == [
                .make("/cg/sandbox", shared: true),
                .enable(["pids"], group: "/cg", keys: ["resources.pids"]),
                .enable(["pids"], group: "/cg/sandbox", keys: ["resources.pids"]),
                .offer(others, group: "/cg"),
                .offer(others, group: "/cg/sandbox"),
                .make("/cg/sandbox/x", shared: false),
                set("pids", "pids.max", "5", in: "/cg/sandbox/x"),
            ])
        #expect(both.leaves.map(\.isOptional) == [false])
        let alone = try plan(unified, trackers: CgroupPlan.trackers) { _ in }
        #expect(alone.leaves.map(\.isOptional) == [true])
        let bare = CgroupLayout(hierarchies: [.init(.v2, controllers: [], mountPoint: "/cg", own: "/cg")])
        #expect(
            try plan(bare, trackers: CgroupPlan.trackers) { _ in }.steps == [
                .make("/cg/sandbox", shared: true), .make("/cg/sandbox/x", shared: false),
            ])
    }

    @Test func trackingOnVersion1TakesALeafOfEachHierarchy() throws {
        var layout = legacy
        for name in ["freezer", "cpuacct", "devices"] {
            layout.hierarchies.append(.init(.v1, controllers: [name], mountPoint: "/cg/\(name)", own: nil))
        }
        layout.hierarchies.append(.init(.v2, controllers: [], mountPoint: "/cg/unified", own: nil))
        let plan = try plan(layout, trackers: CgroupPlan.trackers) { $0.memory = 4096 }
        let names = ["memory", "cpu", "cpuset", "blkio", "pids", "freezer", "cpuacct"]
        #expect(plan.groups.map(\.path) == names.map { "/cg/\($0)/sandbox/x" })
        #expect(plan.leaves.filter { !$0.isOptional }.map(\.group.path) == ["/cg/memory/sandbox/x"])
    }

    @Test func version2FreezesWhereVersion1DoesNot() throws {
        var layout = legacy
        layout.hierarchies.append(.init(.v2, controllers: [], mountPoint: "/cg/unified", own: nil))
        let plan = try plan(layout, trackers: CgroupPlan.trackers) { _ in }
        #expect(plan.groups.first == .init(path: "/cg/unified/sandbox/x", version: .v2))
        #expect(plan.groups.count == 6)
    }

    @Test func trackingGoesWithoutAHierarchyWhoseOwnGroupIsOutside() throws {
        let plan = try CgroupPlan(
            leaf: "x", limits: CgroupLimits(), trackers: CgroupPlan.trackers, layout: legacy
        ) { $0.controllers == ["memory"] ? nil : $0.mountPoint }
        #expect(plan.groups.count == 4)
    }

    @Test func missingControllerNamesTheKey() {
        let layout = CgroupLayout(hierarchies: [.init(.v2, controllers: ["pids"], mountPoint: "/cg", own: "/cg")])
        let kernel = #expect(throws: SystemError.self) {
            try plan(layout) {
                $0.memory = 4096
                $0.memoryHigh = 4096
            }
        }
        #expect(kernel?.action == "resources.memory, resources.memory-high")
        #expect(kernel?.mend?.contains("the kernel has no memory controller") == true)
        let user = #expect(throws: SystemError.self) { try plan(layout, delegated: "/cg/a") { $0.cpuset = "0" } }
        #expect(user?.action == "resources.cpuset")
        #expect(user?.mend?.contains("Delegate=cpuset") == true)
        let none = #expect(throws: SystemError.self) { try plan(CgroupLayout(hierarchies: [])) { $0.pids = 1 } }
        #expect(none?.mend?.contains("mount cgroup2") == true)
    }

    @Test func whatVersion1CannotDo() {
        #expect(throws: SystemError.self) { try plan(legacy) { $0.memoryHigh = 4096 } }
        #expect(throws: SystemError.self) { try plan(legacy) { $0.memorySwap = 4096 } }
        let overflow = #expect(throws: SystemError.self) {
            try plan(legacy) {
                $0.memory = .max
                $0.memorySwap = 1
            }
        }
        #expect(overflow?.code == ERANGE)
    }

    @Test func valuesOutOfRange() {
        let wrong: [(inout CgroupLimits) -> Void] = [
            { $0.cpu = 0 }, { $0.cpu = -1 }, { $0.cpu = .nan }, { $0.cpu = .infinity }, { $0.cpu = 0.0001 },
            { $0.cpuWeight = 0 }, { $0.cpuWeight = 10_001 }, { $0.ioWeight = 0 }, { $0.pids = 0 }, { $0.memory = 0 },
            { $0.cpuset = "" }, { $0.cpuset = "a" }, { $0.cpuset = "2-1" }, { $0.cpuset = "0,,1" },
            { $0.cpuset = "0-99999" }, { $0.cpuset = "-1" },
        ]
        for fill in wrong {
            var limits = CgroupLimits()
            fill(&limits)
            let error = #expect(throws: SystemError.self) { try limits.check() }
            #expect(error?.code == EINVAL)
            #expect(error?.action.hasPrefix("resources.") == true)
        }
    }

    @Test(arguments: ["", "a/b", "..", ".x", "@", "cgroup.procs", "a b", "a\n", String(repeating: "a", count: 300)])
    func namesThatAreNoSingleComponent(name: String) {
        #expect(throws: SystemError.self) { try checkName(name) }
    }

    @Test(arguments: [
        (0.5, "50000 100000"), (2.0, "200000 100000"), (0.01, "1000 100000"), (0.005, "5000 1000000"),
        (0.001, "1000 1000000"),
    ])
    func quota(cpus: Double, text: String) { #expect(CPUQuota(cpus).text == text) }

    @Test func cpuLists() {
        #expect(CPUList("0-2,5")?.cpus == [0, 1, 2, 5])
        #expect(CPUList("3") == CPUList("3-3"))
        #expect(CPUList("1,0") == CPUList("0-1"))
    }

    @Test func scopeArgumentsCarryThePidAndDelegate() {
        let scope = SystemdScope(name: "web", owner: ProcessIdentity(pid: 42, start: 7), isUser: true)
        #expect(scope.unit == "sandbox-web-42-7.scope")
        #expect(scope.arguments.starts(with: ["busctl", "--user"]))
        let text = scope.arguments.joined(separator: " ")
        #expect(
            text.hasSuffix(
                "sandbox-web-42-7.scope fail 4 Description s sandbox web Delegate b true "
                    + "CollectMode s inactive-or-failed PIDs au 1 42 0"))
    }
}
