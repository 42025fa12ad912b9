/// Arguments of which the kernel reads 32 bits only: a comparison of all 64 can be evaded by setting upper ones.
struct NarrowArguments {
    /// Bit n: argument n is 32 bits wide in the kernel.
    private let narrow: UInt8
    private let allNarrow: Bool

    init(of name: SyscallName, _ architecture: SeccompArchitecture) {
        narrow = Self.table.first { name.matches($0.name) }?.arguments ?? 0
        allNarrow = architecture.isNarrow
    }

    /// The conditions on what the kernel reads; nil when they never hold.
    func apply(to conditions: [SeccompFilter.Condition], _ action: SeccompFilter.Action) -> [SeccompFilter.Condition]? {
        var result: [SeccompFilter.Condition] = []
        for var condition in conditions {
            if isNarrow(condition.argument) {
                condition.value &= 0xffff_ffff
                condition.mask &= 0xffff_ffff
            } else if allNarrow {
                switch narrowed(&condition) {
                case .always: continue
                case .never: return nil
                case .open: break
                }
            }
            result.append(equalityMasked(condition, action))
        }
        return result
    }

    /// Conditions that catch an upper half which an inequality would be evaded with.
    func guards(for conditions: [SeccompFilter.Condition], _ action: SeccompFilter.Action) -> [SeccompFilter.Condition]
    {
        if allNarrow { return [] }
        return conditions.compactMap { condition in
            switch condition.comparison {
            case .equal, .maskedEqual: nil
            default: isNarrow(condition.argument) ? .init(condition.argument, .greater, 0xffff_ffff) : nil
            }
        }
    }

    private func isNarrow(_ argument: Int) -> Bool { narrow & 1 << UInt8(argument) != 0 }

    /// An argument not known to be narrow may be: a denial then takes the lower half alone, a permission all of it.
    private func equalityMasked(
        _ condition: SeccompFilter.Condition, _ action: SeccompFilter.Action
    ) -> SeccompFilter.Condition {
        guard condition.comparison == .equal else { return condition }
        let lower = isNarrow(condition.argument) || !action.permits && condition.value <= 0xffff_ffff
        guard lower else { return condition }
        return .init(condition.argument, .maskedEqual, condition.value, mask: 0xffff_ffff)
    }

    private enum Outcome { case always, never, open }

    /// Decides a comparison with more than 32 bits on a 32-bit architecture; what is left open has to be made.
    private func narrowed(_ condition: inout SeccompFilter.Condition) -> Outcome {
        if condition.comparison == .maskedEqual {
            if condition.value & ~condition.mask != 0 || condition.value > 0xffff_ffff { return .never }
            condition.mask &= 0xffff_ffff
            return .open
        }
        if condition.value <= 0xffff_ffff { return .open }
        switch condition.comparison {
        case .notEqual, .less, .lessOrEqual: return .always
        default: return .never
        }
    }

    /// From the kernel's SYSCALL_DEFINE lines: int, unsigned int, pid_t, uid_t, umode_t, key_serial_t and their like.
    private static let table: [(name: StaticString, arguments: UInt8)] = [
        ("accept4", 0b1001), ("access", 0b10), ("add_key", 0b1_0000), ("arch_prctl", 0b1), ("bind", 0b101),
        ("bpf", 0b101), ("chmod", 0b10), ("clone", 0b1), ("close_range", 0b111), ("connect", 0b101),
        ("epoll_create1", 0b1), ("epoll_ctl", 0b111), ("eventfd2", 0b11), ("execveat", 0b1_0001),
        ("faccessat", 0b101), ("faccessat2", 0b1101), ("fanotify_init", 0b11), ("fchmod", 0b11), ("fchmodat", 0b101),
        ("fchmodat2", 0b1101), ("fcntl", 0b11), ("fcntl64", 0b11), ("fsconfig", 0b1_0011), ("fsmount", 0b111),
        ("fsopen", 0b10), ("futex", 0b10_0110), ("getsockopt", 0b111), ("inotify_init1", 0b1), ("ioctl", 0b11),
        ("io_uring_enter", 0b1111), ("io_uring_register", 0b1011), ("io_uring_setup", 0b1), ("ioprio_set", 0b111),
        ("kcmp", 0b111), ("keyctl", 0b1), ("kill", 0b11), ("landlock_add_rule", 0b1011), ("listen", 0b11),
        ("madvise", 0b100), ("memfd_create", 0b10), ("memfd_secret", 0b1), ("mkdir", 0b10), ("mkdirat", 0b101),
        ("mknod", 0b110), ("mknodat", 0b1101), ("mlock2", 0b100), ("mlockall", 0b1), ("move_mount", 0b1_0101),
        ("open", 0b110), ("open_by_handle_at", 0b101), ("open_tree", 0b101), ("openat", 0b1101), ("openat2", 0b1),
        ("perf_event_open", 0b1110), ("personality", 0b1), ("pidfd_getfd", 0b111), ("pidfd_open", 0b11),
        ("pidfd_send_signal", 0b1011), ("pipe2", 0b10), ("prctl", 0b1), ("prlimit64", 0b11), ("quotactl", 0b101),
        ("reboot", 0b111), ("recvfrom", 0b1001), ("recvmsg", 0b101), ("request_key", 0b1000),
        ("rt_sigqueueinfo", 0b11), ("rt_tgsigqueueinfo", 0b111), ("sched_setparam", 0b1),
        ("sched_setscheduler", 0b11), ("seccomp", 0b11), ("sendmsg", 0b101), ("sendto", 0b10_1001), ("setfsuid", 0b1),
        ("setgid", 0b1), ("setns", 0b11), ("setpriority", 0b111), ("setregid", 0b11), ("setresgid", 0b111),
        ("setresuid", 0b111), ("setreuid", 0b11), ("setrlimit", 0b1), ("setsockopt", 0b1_0111), ("setuid", 0b1),
        ("shutdown", 0b11), ("socket", 0b111), ("socketcall", 0b1), ("socketpair", 0b111), ("swapon", 0b10),
        ("syslog", 0b101), ("tgkill", 0b111), ("timerfd_create", 0b11), ("tkill", 0b11), ("umask", 0b1),
        ("umount2", 0b10), ("unlinkat", 0b101), ("unshare", 0b1), ("userfaultfd", 0b1), ("waitid", 0b1001),
    ]
}
