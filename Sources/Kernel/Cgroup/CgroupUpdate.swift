import Glibc

extension CgroupLimits {
    /// A limit, by its name among the profile's resources.
    public enum Key: String, Sendable, CaseIterable {
        case memory, cpu, pids, cpuset
        case memoryHigh = "memory-high"
        case memorySwap = "memory-swap"
        case cpuWeight = "cpu-weight"
        case ioWeight = "io-weight"

        /// The controller that enforces it, as version 2 calls it.
        var controller: String {
            switch self {
            case .memory, .memoryHigh, .memorySwap: "memory"
            case .cpu, .cpuWeight: "cpu"
            case .pids: "pids"
            case .cpuset: "cpuset"
            case .ioWeight: "io"
            }
        }
    }
}

extension Cgroup {
    /// Sets the limits given, and lifts those named, while the processes run: all of it, or nothing and an error.
    ///
    /// Memory below what is in use is refused (EBUSY) where the kernel cannot reclaim enough: nothing is killed for it.
    /// Fewer processes than there are only stop new ones. Version 1 keeps the swap that is allowed beside memory when
    /// only memory changes.
    public func update(_ limits: CgroupLimits, lifting: [CgroupLimits.Key] = []) throws(SystemError) {
        try limits.check()
        let demands = limits.demands
        for key in lifting where demands.contains(where: { $0.keys.contains("resources." + key.rawValue) }) {
            throw SystemError("resources." + key.rawValue, code: EINVAL, mend: "set it or lift it, not both")
        }
        try requireExistence("limit")
        var change = CgroupChange()
        do throws(SystemError) {
            for controller in ["cpuset", "cpu", "io", "memory", "pids"] {
                let demand = demands.first { $0.controller == controller }
                let lifted = lifting.filter { $0.controller == controller }
                if demand == nil, lifted.isEmpty { continue }
                guard let group = try leaf(with: controller) else {
                    guard let demand else { continue }
                    throw SystemError(
                        demand.keys.joined(separator: ", "), code: ENOTSUP,
                        mend: "its control group has no \(controller) controller: start it anew with this limit")
                }
                try change.make(limits, lifted, of: controller, in: group)
            }
        } catch {
            throw change.undone(after: error)
        }
    }

    /// The leaf of the hierarchy that has a controller.
    private func leaf(with controller: String) throws(SystemError) -> Group? {
        for group in groups where try group.serves(controller) { return group }
        return nil
    }
}

extension Cgroup.Group {
    fileprivate func serves(_ controller: String) throws(SystemError) -> Bool {
        if version == .v2 { return controlWords(try readText(path + "/cgroup.controllers")).contains(controller) }
        let file: String
        switch controller {
        case "cpuset": file = "cpuset.cpus"
        case "cpu": file = "cpu.shares"
        case "io": file = "blkio.reset_stats"
        case "memory": file = "memory.limit_in_bytes"
        default: file = "pids.max"
        }
        return access(path + "/" + file, F_OK) == 0
    }
}

/// Files written one after the other, and what they said before.
private struct CgroupChange {
    private var before: [(file: String, text: String)] = []

    mutating func make(
        _ limits: CgroupLimits, _ lifted: [CgroupLimits.Key], of controller: String, in group: Cgroup.Group
    ) throws(SystemError) {
        var settings: [CgroupSetting] = []
        switch (group.version, controller) {
        case (.v2, _):
            settings = limits.v2Settings(of: controller)
            for key in lifted { settings.append(.liftingV2(key)) }
        case (.v1, "memory"):
            settings = try limits.v1MemoryChange(lifted, in: group)
        case (.v1, _):
            settings = try limits.v1Settings(of: controller)
            for key in lifted { settings.append(try .liftingV1(key, in: group)) }
        }
        for setting in settings { try write(setting, to: group) }
    }

    private mutating func write(_ setting: CgroupSetting, to group: Cgroup.Group) throws(SystemError) {
        if let choice = setting.choice(in: group.path) {
            let file = group.path + "/" + choice.file
            // Of several lines the first is the group's own; the others are single devices'.
            let line = try readText(file).split(separator: "\n").first
            before.append((file, line.map { String($0) } ?? "\n"))
            if choice.file == "memory.max" { try makeRoom(setting, choice.value, group) }
        }
        try setting.write(to: group.path)
    }

    /// Version 2 would kill processes to bring memory below a new limit.
    private func makeRoom(_ setting: CgroupSetting, _ value: String, _ group: Cgroup.Group) throws(SystemError) {
        guard let limit = UInt64(value) else { return }
        for _ in 0..<5 {
            guard let used = try group.number("memory.current"), used > limit else { return }
            let file = group.path + "/memory.reclaim"
            if access(file, F_OK) != 0 { break }
            do throws(SystemError) {
                try writeText("\(used - limit)", to: file)
            } catch {
                // Not as much as was asked for.
                if error.code != EAGAIN { throw error }
            }
        }
        guard let used = try group.number("memory.current"), used > limit else { return }
        throw SystemError(
            "\(setting.key): write \(value) to \(group.path)/memory.max", code: EBUSY,
            mend: "\(used) bytes are in use: raise the limit")
    }

    /// `error`, after every file says again what it said, last first.
    func undone(after error: SystemError) -> SystemError {
        var left: [String] = []
        for (file, text) in before.reversed() {
            do throws(SystemError) {
                try writeText(text, to: file)
            } catch {
                left.append(file)
            }
        }
        if left.isEmpty { return error }
        var error = error
        error.mend = (error.mend.map { $0 + "; " } ?? "") + "changed all the same: " + left.joined(separator: ", ")
        return error
    }
}

extension CgroupSetting {
    fileprivate static func liftingV2(_ key: CgroupLimits.Key) -> CgroupSetting {
        let name = "resources." + key.rawValue
        switch key {
        case .memory: return CgroupSetting(name, "memory.max", "max")
        case .memoryHigh: return CgroupSetting(name, "memory.high", "max")
        case .memorySwap: return CgroupSetting(name, "memory.swap.max", "max")
        case .cpu: return CgroupSetting(name, "cpu.max", "max")
        case .cpuWeight: return CgroupSetting(name, "cpu.weight", "100")
        case .pids: return CgroupSetting(name, "pids.max", "max")
        case .cpuset: return CgroupSetting(name, "cpuset.cpus", "\n")
        case .ioWeight:
            var setting = CgroupSetting(name, "io.weight", "default 100")
            setting.choices.append(.init(file: "io.bfq.weight", value: "default 100"))
            return setting
        }
    }

    /// For all but memory's.
    fileprivate static func liftingV1(
        _ key: CgroupLimits.Key, in group: Cgroup.Group
    ) throws(SystemError) -> CgroupSetting {
        let name = "resources." + key.rawValue
        switch key {
        case .cpu: return CgroupSetting(name, "cpu.cfs_quota_us", "-1")
        case .cpuWeight: return CgroupSetting(name, "cpu.shares", "1024")
        case .cpuset:
            let above = controlWords(try readText(groupAbove(group.path) + "/cpuset.cpus")).joined(separator: ",")
            return CgroupSetting(name, "cpuset.cpus", above)
        case .ioWeight:
            var setting = CgroupSetting(name, "blkio.weight", "500")
            setting.choices.append(.init(file: "blkio.bfq.weight", value: "100"))
            return setting
        default: return CgroupSetting(name, "pids.max", "max")
        }
    }
}

extension CgroupLimits {
    /// Version 1 limits memory, and memory with swap, which may at no moment be the smaller of the two.
    fileprivate func v1MemoryChange(_ lifted: [Key], in group: Cgroup.Group) throws(SystemError) -> [CgroupSetting] {
        let both = "memory.memsw.limit_in_bytes"
        let current = try Cgroup(groups: [group]).limits()
        var merged = CgroupLimits()
        merged.memoryHigh = memoryHigh
        merged.memory = lifted.contains(.memory) ? nil : memory ?? current.memory
        merged.memorySwap = lifted.contains(.memorySwap) ? nil : memorySwap ?? current.memorySwap
        if merged.memorySwap != nil, merged.memory == nil, memorySwap == nil {
            throw SystemError(
                "resources.memory", code: EINVAL,
                mend: "control groups version 1 limit swap together with memory: lift resources.memory-swap too")
        }
        var settings = try merged.v1Settings(of: "memory")
        if merged.memory == nil, current.memory != nil {
            settings.append(CgroupSetting("resources.memory", "memory.limit_in_bytes", "-1"))
        }
        if merged.memorySwap == nil, current.memorySwap != nil {
            settings.append(CgroupSetting("resources.memory-swap", both, "-1"))
        }
        let old = try group.number(both) ?? .max
        let new = settings.first { $0.choices[0].file == both }.map { UInt64($0.choices[0].value) ?? .max } ?? old
        if new > old { settings.reverse() }
        return settings
    }
}
