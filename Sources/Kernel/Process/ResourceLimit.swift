import Glibc

/// A resource of setrlimit(2), by its lower-case name without `RLIMIT_`.
public enum ResourceLimit: String, Sendable, CaseIterable {
    case `as`, core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending
    case stack

    /// The number that the kernel knows it by (the generic ones, which x86 and Arm use).
    var number: Int32 {
        switch self {
        case .cpu: 0
        case .fsize: 1
        case .data: 2
        case .stack: 3
        case .core: 4
        case .rss: 5
        case .nproc: 6
        case .nofile: 7
        case .memlock: 8
        case .as: 9
        case .locks: 10
        case .sigpending: 11
        case .msgqueue: 12
        case .nice: 13
        case .rtprio: 14
        case .rttime: 15
        }
    }
}

/// A resource limit's two values; nil is unlimited.
public struct LimitPair: Sendable, Equatable {
    public var soft: UInt64?
    public var hard: UInt64?

    public init(soft: UInt64?, hard: UInt64?) {
        self.soft = soft
        self.hard = hard
    }
}

/// The resource limits of a process, whoever owns it (proc_pid_limits(5)); throws ENOENT or ESRCH without one.
public func limits(of process: Int32) throws(SystemError) -> [(resource: ResourceLimit, limit: LimitPair)] {
    let path = "/proc/\(process)/limits"
    guard let limits = ResourceLimit.limits(in: try readText(path)) else {
        throw SystemError("read \(path)", code: EPROTO)
    }
    return limits
}

extension ResourceLimit {
    /// The lines are in the order of the numbers, with columns of 25, 20 and 20 characters and a space after each.
    static func limits(in text: String) -> [(resource: ResourceLimit, limit: LimitPair)]? {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n")).dropFirst()
        var limits: [(resource: ResourceLimit, limit: LimitPair)] = []
        for resource in allCases {
            guard Int(resource.number) < lines.count else { return nil }
            let words = lines[lines.startIndex + Int(resource.number)].dropFirst(26)
                .split(separator: UInt8(ascii: " ")).map { Substring($0) }
            guard words.count >= 2, let soft = value(words[0]), let hard = value(words[1]) else { return nil }
            limits.append((resource, LimitPair(soft: soft, hard: hard)))
        }
        return limits
    }

    private static func value(_ word: Substring) -> UInt64?? {
        if word == "unlimited" { return .some(nil) }
        return UInt64(word).map { .some($0) }
    }
}

/// Sets a resource limit of a process, the calling one for 0; nil is unlimited (prlimit(2)).
public func setLimit(_ limit: ResourceLimit, soft: UInt64?, hard: UInt64?, of process: Int32 = 0) throws(SystemError) {
    var values = rlimit64(rlim_cur: rlim64_t(soft ?? .max), rlim_max: rlim64_t(hard ?? .max))
    let action = "limit \(limit.rawValue) to \(text(soft)) (soft) and \(text(hard)) (hard)"
    do throws(SystemError) {
        try check(action) { prlimit64(process, __rlimit_resource(UInt32(limit.number)), &values, nil) }
    } catch {
        guard error.code == EPERM else { throw error }
        throw SystemError(action, code: EPERM, mend: "only root may raise a hard limit; give one that is not higher")
    }
}

private func text(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "unlimited" }
