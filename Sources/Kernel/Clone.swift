import CLinux
import Glibc

/// Starts a child in new namespaces that goes on in a copy of this process (clone3(2)).
///
/// The caller must have one thread. `body` runs in the child and never returns.
/// - Parameter cgroup: a descriptor of a v2 control group the child begins in, or -1.
/// - Parameter asSibling: it becomes a child of the caller's parent.
/// - Returns: the child's process id.
public func startChild(
    in flags: NamespaceFlags, cgroup: Int32 = -1, sharingDescriptors: Bool = false, asSibling: Bool = false,
    _ body: () -> Never
) throws(SystemError) -> Int32 {
    let relation = (sharingDescriptors ? UInt64(CLONE_FILES) : 0) | (asSibling ? UInt64(CLONE_PARENT) : 0)
    let pid = linux_clone3(flags.rawValue | relation, nil, cgroup)
    if pid == 0 { body() }
    if pid > 0 {
        CrashPoint.pass("clone")
        return pid
    }
    let code = errno
    let what = flags.isEmpty ? "start a process" : "start a process in new namespaces \(flags.names)"
    throw SystemError(what, code: code, mend: namespaceMend(flags, code))
}

/// How a process ended or changed, from a wait(2) status.
public enum WaitStatus: Sendable, Equatable {
    case exited(Int32)
    case signaled(Int32)
    case stopped(Int32)
    case continued

    public init(_ status: Int32) {
        if linux_exited(status) != 0 {
            self = .exited(linux_exit_status(status))
        } else if linux_signaled(status) != 0 {
            self = .signaled(linux_term_signal(status))
        } else if linux_stopped(status) != 0 {
            self = .stopped(linux_stop_signal(status))
        } else {
            self = .continued
        }
    }

    /// A shell's exit status: the process's own, or 128 + N for signal N.
    public var exitStatus: Int32 {
        switch self {
        case .exited(let code): code
        case .signaled(let signal), .stopped(let signal): 128 + signal
        case .continued: 0
        }
    }
}

/// Waits until `pid` has ended (waitpid(2)).
public func waitForEnd(of pid: Int32) throws(SystemError) -> WaitStatus {
    var status: Int32 = 0
    try check("wait for process \(pid)") { waitpid(pid, &status, 0) }
    return WaitStatus(status)
}
