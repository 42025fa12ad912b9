import CLinux
import Glibc

/// A scheduling policy of sched(7).
public enum SchedulingPolicy: String, Sendable, CaseIterable {
    case other, batch, idle, fifo, rr

    var number: Int32 {
        switch self {
        case .other: 0
        case .fifo: 1
        case .rr: 2
        case .batch: 3
        case .idle: 5
        }
    }
}

/// Sets the calling process's scheduling policy; `priority` is 1…99 for `fifo` and `rr`, 0 otherwise.
public func setScheduling(_ policy: SchedulingPolicy, priority: Int32) throws(SystemError) {
    var parameters = sched_param()
    parameters.sched_priority = priority
    try check("set the scheduling policy to \(policy.rawValue) with priority \(priority)") {
        sched_setscheduler(0, policy.number, &parameters)
    }
}

/// Sets the calling process's nice value, -20…19 (setpriority(2)).
public func setNice(_ value: Int32) throws(SystemError) {
    try check("set the nice value to \(value)") { setpriority(PRIO_PROCESS, 0, value) }
}

/// A class of io priorities (ioprio_set(2)).
public enum IOPriorityClass: String, Sendable, CaseIterable {
    case realtime, idle
    case bestEffort = "best-effort"

    var number: Int32 {
        switch self {
        case .realtime: 1
        case .bestEffort: 2
        case .idle: 3
        }
    }
}

/// Sets the calling process's io priority; `level` is 0 (highest) … 7.
public func setIOPriority(_ class: IOPriorityClass, level: Int32) throws(SystemError) {
    let action = "set the io priority to \(`class`.rawValue) with level \(level)"
    guard (0...7).contains(level) else { throw SystemError(action, code: EINVAL, mend: "levels are 0 to 7") }
    // IOPRIO_WHO_PROCESS, IOPRIO_PRIO_VALUE.
    try check(action) { linux_ioprio_set(1, 0, `class`.number << 13 | level) }
}

/// Sets how readily the kernel ends the process when memory runs out, -1000…1000 (proc_pid_oom_score_adj(5)).
public func setOOMScoreAdjust(_ value: Int) throws(SystemError) {
    let action = "set the oom score adjustment to \(value)"
    do throws(SystemError) {
        try writeText("\(value)", to: "/proc/self/oom_score_adj")
    } catch {
        throw SystemError(
            action, code: error.code, mend: error.code == EACCES ? "lowering it needs CAP_SYS_RESOURCE" : nil)
    }
}
