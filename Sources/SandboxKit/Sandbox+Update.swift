import Glibc
public import Kernel
public import Launch
public import Profile

extension Sandbox {
    /// Changes limits while the sandbox runs: all of them, or none and an error. It begins again with them.
    ///
    /// One that waits to begin again gets them then.
    /// - Parameter changes: keys of the section `resources`; the value `!` lifts a limit.
    public func update(_ changes: [Override]) throws(LaunchError) {
        for change in changes where !change.key.hasPrefix("resources.") {
            let known = CgroupLimits.Key.allCases.map { "resources." + $0.rawValue }.joined(separator: ", ")
            throw LaunchError("\(change.key) cannot be changed while the sandbox runs", mend: "these can: \(known)")
        }
        let lock = try registry.lock(name)
        guard let record = try registry.settle(lock) else { throw Registry.unknown(name) }
        guard record.isUnderWay else { throw notRunning }
        var request = try registry.request(name)
        let before = try registry.profile(request, name).resources
        let loaded = try registry.merged(request, changes)
        let step = LimitChange(from: CgroupLimits(before), to: CgroupLimits(loaded.profile.resources), naming: changes)
        if record.phase == .running { try apply(step, record) }
        request.profile = loaded.merged
        do throws(LaunchError) {
            try registry.write(request, name)
        } catch {
            if record.phase == .running { try apply(step.reversed, record) }
            throw error
        }
        try EventLog(registry.state).add("updated", name, [("resources", step.document)])
    }

    private func apply(_ step: LimitChange, _ record: SandboxRecord) throws(LaunchError) {
        if record.groups.isEmpty { throw hasNoGroup }
        do throws(SystemError) {
            try Cgroup(groups: record.groups).update(step.limits, lifting: step.lifted)
        } catch {
            throw error.isEndOfGroup ? notRunning : LaunchError(error)
        }
    }
}

extension Registry {
    /// The profile of a request with some keys changed.
    func merged(_ request: LaunchRequest, _ changes: [Override]) throws(LaunchError) -> LoadedProfile {
        do throws(ProfileError) {
            return try LoadedProfile(document: request.profile, name: File.request, overrides: changes)
        } catch {
            throw LaunchError(error.message)
        }
    }

    /// Puts a changed request in place; for one who has the lock.
    func write(_ request: LaunchRequest, _ name: String) throws(LaunchError) {
        try translated { () throws(SystemError) in
            guard let folder = try openFolder(name) else { throw SystemError("write \(path(name))", code: ENOENT) }
            try folder.write(File.request, request.text)
        }
    }
}

/// The limits that change, with their old and new values.
struct LimitChange: Equatable {
    private let before: CgroupLimits
    private let after: CgroupLimits
    private let keys: [CgroupLimits.Key]

    /// What `changes` name is set even where it was so before: others may have changed the group.
    init(from before: CgroupLimits, to after: CgroupLimits, naming changes: [Override]) {
        let named = changes.map(\.key)
        let keys = CgroupLimits.Key.allCases.filter { key in
            named.contains("resources." + key.rawValue) || before.value(key) != after.value(key)
        }
        self.init(before, after, keys)
    }

    private init(_ before: CgroupLimits, _ after: CgroupLimits, _ keys: [CgroupLimits.Key]) {
        self.before = before
        self.after = after
        self.keys = keys
    }

    var reversed: LimitChange { LimitChange(after, before, keys) }

    /// Those that are set.
    var limits: CgroupLimits {
        var limits = CgroupLimits()
        for key in keys {
            switch key {
            case .memory: limits.memory = after.memory
            case .memoryHigh: limits.memoryHigh = after.memoryHigh
            case .memorySwap: limits.memorySwap = after.memorySwap
            case .cpu: limits.cpu = after.cpu
            case .cpuWeight: limits.cpuWeight = after.cpuWeight
            case .pids: limits.pids = after.pids
            case .cpuset: limits.cpuset = after.cpuset
            case .ioWeight: limits.ioWeight = after.ioWeight
            }
        }
        return limits
    }

    var lifted: [CgroupLimits.Key] { keys.filter { after.value($0) == .null } }

    /// The new values by their keys, null for what is lifted.
    var document: Value { .table(keys.map { ($0.rawValue, after.value($0)) }) }
}

extension CgroupLimits {
    /// A limit as a document holds it; null where there is none.
    public func value(_ key: Key) -> Value {
        func bytes(_ number: UInt64?) -> Value { number.map { .integer(Int(clamping: $0)) } ?? .null }
        func count(_ number: Int?) -> Value { number.map { .integer($0) } ?? .null }
        return switch key {
        case .memory: bytes(memory)
        case .memoryHigh: bytes(memoryHigh)
        case .memorySwap: bytes(memorySwap)
        case .cpu: cpu.map { .double($0) } ?? .null
        case .cpuWeight: count(cpuWeight)
        case .pids: count(pids)
        case .cpuset: cpuset.map { .string($0) } ?? .null
        case .ioWeight: count(ioWeight)
        }
    }
}
