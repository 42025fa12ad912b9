import Glibc

/// What a control group is to hold an application to; `nil` is "no limit asked for".
public struct CgroupLimits: Sendable, Equatable {
    /// Bytes of memory.
    public var memory: UInt64?
    /// Bytes of memory from which on the kernel throttles and reclaims.
    public var memoryHigh: UInt64?
    /// Bytes of swap beside `memory`.
    public var memorySwap: UInt64?
    /// CPUs' worth of time.
    public var cpu: Double?
    /// 1…10000, 100 being the usual.
    public var cpuWeight: Int?
    public var pids: Int?
    /// A list such as "0-1,3".
    public var cpuset: String?
    /// 1…10000, 100 being the usual.
    public var ioWeight: Int?

    public init() {}

    public var isEmpty: Bool { self == CgroupLimits() }
}

/// One limit as a control file wants it.
struct CgroupSetting: Equatable {
    /// The profile's key.
    var key: String
    /// The file that takes it, alternatives in order of preference; the value's scale may differ.
    var choices: [Choice]
    /// The file in which the kernel tells which CPUs it really granted.
    var granted: String?

    struct Choice: Equatable {
        var file: String
        var value: String
    }

    init(_ key: String, _ file: String, _ value: String, granted: String? = nil) {
        self.key = key
        choices = [Choice(file: file, value: value)]
        self.granted = granted
    }
}

/// The limits that one controller enforces.
struct CgroupDemand: Equatable {
    /// The controller's name in version 2; version 1 spells `io` `blkio`.
    var controller: String
    var keys: [String]
}

extension CgroupLimits {
    /// The controllers that the limits need, with the keys that need them.
    var demands: [CgroupDemand] {
        var demands: [CgroupDemand] = []
        func add(_ controller: String, _ keys: [(Bool, String)]) {
            let asked = keys.filter(\.0).map { "resources." + $0.1 }
            if !asked.isEmpty { demands.append(CgroupDemand(controller: controller, keys: asked)) }
        }
        add("cpuset", [(cpuset != nil, "cpuset")])
        add("cpu", [(cpu != nil, "cpu"), (cpuWeight != nil, "cpu-weight")])
        add("io", [(ioWeight != nil, "io-weight")])
        add(
            "memory",
            [(memory != nil, "memory"), (memoryHigh != nil, "memory-high"), (memorySwap != nil, "memory-swap")])
        add("pids", [(pids != nil, "pids")])
        return demands
    }

    /// Refuses values that no kernel takes, or that it would silently bend.
    func check() throws(SystemError) {
        try require(cpu.map { $0.isFinite && $0 >= 0.001 && $0 <= 100_000 } ?? true, "cpu", "give at least 0.001 CPUs")
        try require(cpuWeight.map((1...10_000).contains) ?? true, "cpu-weight", "give 1 to 10000")
        try require(ioWeight.map((1...10_000).contains) ?? true, "io-weight", "give 1 to 10000")
        try require(pids.map { $0 >= 1 } ?? true, "pids", "give at least 1")
        try require(memory.map { $0 > 0 } ?? true, "memory", "give at least one page")
        try require(
            cpuset.map { CPUList($0) != nil } ?? true, "cpuset", "give a list of CPUs such as \"0-1,3\"")
    }

    private func require(_ holds: Bool, _ key: String, _ mend: String) throws(SystemError) {
        if !holds { throw SystemError("resources." + key, code: EINVAL, mend: mend) }
    }

    /// The files of a version 2 group, in the order to write them (the kernel's cgroup-v2.rst).
    func v2Settings(of controller: String) -> [CgroupSetting] {
        switch controller {
        case "cpuset":
            return cpuset.map {
                [CgroupSetting("resources.cpuset", "cpuset.cpus", $0, granted: "cpuset.cpus.effective")]
            } ?? []
        case "cpu":
            let quota = cpu.map { CgroupSetting("resources.cpu", "cpu.max", CPUQuota($0).text) }
            let weight = cpuWeight.map { CgroupSetting("resources.cpu-weight", "cpu.weight", "\($0)") }
            return [quota, weight].compactMap { $0 }
        case "io":
            guard let ioWeight else { return [] }
            var setting = CgroupSetting("resources.io-weight", "io.weight", "default \(ioWeight)")
            setting.choices.append(.init(file: "io.bfq.weight", value: "default \(bfqWeight(ioWeight))"))
            return [setting]
        case "memory":
            let high = memoryHigh.map { CgroupSetting("resources.memory-high", "memory.high", "\($0)") }
            let hard = memory.map { CgroupSetting("resources.memory", "memory.max", "\($0)") }
            let swap = memorySwap.map { CgroupSetting("resources.memory-swap", "memory.swap.max", "\($0)") }
            return [high, hard, swap].compactMap { $0 }
        case "pids":
            return pids.map { [CgroupSetting("resources.pids", "pids.max", "\($0)")] } ?? []
        default:
            return []
        }
    }

    /// The files of a version 1 group, in the order to write them (the kernel's cgroup-v1 documents).
    func v1Settings(of controller: String) throws(SystemError) -> [CgroupSetting] {
        switch controller {
        case "cpu":
            var settings: [CgroupSetting] = []
            if let cpu {
                let quota = CPUQuota(cpu)
                settings.append(CgroupSetting("resources.cpu", "cpu.cfs_period_us", "\(quota.period)"))
                settings.append(CgroupSetting("resources.cpu", "cpu.cfs_quota_us", "\(quota.quota)"))
            }
            // The default of version 1 is 1024 shares, that of version 2 a weight of 100.
            if let cpuWeight {
                let shares = max(2, cpuWeight * 1024 / 100)
                settings.append(CgroupSetting("resources.cpu-weight", "cpu.shares", "\(shares)"))
            }
            return settings
        case "cpuset":
            return cpuset.map {
                [CgroupSetting("resources.cpuset", "cpuset.cpus", $0, granted: "cpuset.effective_cpus")]
            } ?? []
        case "io":
            guard let ioWeight else { return [] }
            // blkio's own weight knows 10 to 1000 and starts from 500.
            let weight = min(1000, max(10, ioWeight * 5))
            var setting = CgroupSetting("resources.io-weight", "blkio.weight", "\(weight)")
            setting.choices.append(.init(file: "blkio.bfq.weight", value: "\(bfqWeight(ioWeight))"))
            return [setting]
        case "memory":
            return try v1Memory()
        default:
            return v2Settings(of: controller)
        }
    }

    private func v1Memory() throws(SystemError) -> [CgroupSetting] {
        if memoryHigh != nil {
            throw SystemError(
                "resources.memory-high", code: ENOTSUP,
                mend: "control groups version 1 cannot throttle by memory: use resources.memory, or boot with version 2"
            )
        }
        var settings = memory.map { [CgroupSetting("resources.memory", "memory.limit_in_bytes", "\($0)")] } ?? []
        guard let memorySwap else { return settings }
        // Version 1 counts memory and swap together.
        guard let memory else {
            throw SystemError(
                "resources.memory-swap", code: EINVAL,
                mend: "control groups version 1 limit swap together with memory: give resources.memory too")
        }
        let (both, overflow) = memory.addingReportingOverflow(memorySwap)
        if overflow { throw SystemError("resources.memory-swap", code: ERANGE, mend: "give fewer bytes") }
        settings.append(CgroupSetting("resources.memory-swap", "memory.memsw.limit_in_bytes", "\(both)"))
        return settings
    }
}

/// BFQ knows weights of 1 to 1000, also starting from 100.
private func bfqWeight(_ weight: Int) -> Int {
    weight <= 100 ? weight : 100 + (weight - 100) * 900 / 9900
}

/// The opposite of ``bfqWeight(_:)``, as near as its coarser scale allows.
func weightOfBFQ(_ weight: Int) -> Int {
    weight <= 100 ? weight : 100 + (weight - 100) * 9900 / 900
}

/// CPU time per period, both in microseconds. The kernel takes no quota below 1 ms and no period above 1 s.
struct CPUQuota: Equatable {
    var quota: Int
    var period: Int

    init(_ cpus: Double) {
        period = cpus < 0.01 ? 1_000_000 : 100_000
        quota = Int((cpus * Double(period)).rounded())
    }

    /// From what cpu.max says; `nil` for "max".
    init?(_ text: String) {
        let words = controlWords(text)
        guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), quota > 0, period > 0 else {
            return nil
        }
        (self.quota, self.period) = (quota, period)
    }

    var text: String { "\(quota) \(period)" }
    var cpus: Double { Double(quota) / Double(period) }
}

/// A set of CPUs as the kernel writes it, "0-1,3" (cpuset(7), List format).
struct CPUList: Equatable {
    var cpus: Set<Int> = []

    /// `nil` when the text is no list or names more CPUs than Linux can have.
    init?(_ text: String) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first.flatMap({ $0 }), let last = ends.last.flatMap({ $0 }), ends.count <= 2,
                first >= 0, first <= last, last < 8192
            else { return nil }
            cpus.formUnion(first...last)
        }
    }
}
