import Glibc

extension Cgroup {
    /// The limits in force in this group, whoever set them; `nil` for what is not limited or has its usual weight.
    public func limits() throws(SystemError) -> CgroupLimits {
        var limits = CgroupLimits()
        for group in groups {
            switch group.version {
            case .v2: try limits.readV2(group)
            case .v1: try limits.readV1(group)
            }
        }
        try requireExistence("read the limits of")
        return limits
    }
}

extension CgroupLimits {
    fileprivate mutating func readV2(_ group: Cgroup.Group) throws(SystemError) {
        memory = try group.number("memory.max")
        memoryHigh = try group.number("memory.high")
        memorySwap = try group.number("memory.swap.max")
        if let text = try group.text("cpu.max") { cpu = CPUQuota(text)?.cpus }
        cpuWeight = try group.number("cpu.weight").flatMap { $0 == 100 ? nil : Int($0) }
        pids = try group.number("pids.max").map { Int($0) }
        cpuset = try group.text("cpuset.cpus").flatMap { controlWords($0).first }
        ioWeight = try group.text("io.weight").flatMap { controlWords($0).number("default") }.map { Int($0) }
        if ioWeight == nil {
            let weight = try group.text("io.bfq.weight").flatMap { controlWords($0).number("default") }
            ioWeight = weight.map { weightOfBFQ(Int($0)) }
        }
        if ioWeight == 100 { ioWeight = nil }
    }

    fileprivate mutating func readV1(_ group: Cgroup.Group) throws(SystemError) {
        if memory == nil { memory = try group.number("memory.limit_in_bytes") }
        if let both = try group.number("memory.memsw.limit_in_bytes"), let memory, both >= memory {
            memorySwap = both - memory
        }
        if let quota = try group.number("cpu.cfs_quota_us"), let period = try group.number("cpu.cfs_period_us") {
            cpu = CPUQuota("\(quota) \(period)")?.cpus
        }
        if let shares = try group.number("cpu.shares") {
            let weight = (Int(shares) * 100 + 512) / 1024
            cpuWeight = weight == 100 ? nil : min(10_000, max(1, weight))
        }
        if pids == nil { pids = try group.number("pids.max").map { Int($0) } }
        if let own = try group.text("cpuset.cpus").flatMap({ controlWords($0).first }) {
            // Version 1 fills the file in for everybody.
            let above = controlWords(try readText(groupAbove(group.path) + "/cpuset.cpus")).first
            cpuset = own == above ? nil : own
        }
        if let weight = try group.number("blkio.weight") {
            ioWeight = weight == 500 ? nil : Int(weight) / 5
        } else if let weight = try group.number("blkio.bfq.weight") {
            ioWeight = weight == 100 ? nil : weightOfBFQ(Int(weight))
        }
    }
}
