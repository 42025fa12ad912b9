/// What one application shall see and may do: the merged, checked content of one or more profile files.
///
/// Every value is as the user wrote it (`~`, `$XDG_…` and globs not expanded); `nil` means "not said".
public struct Profile: Sendable, Equatable {
    /// One line for listings.
    public var description: String?
    public var namespaces = Namespaces()
    public var process = Process()
    /// Resource limits of setrlimit(2), by lower-case name without `RLIMIT_` (`nofile`, `core`, …).
    public var limits: Named<Limit> = [:]
    public var filesystem = Filesystem()
    public var security = Security()
    public var resources = Resources()
    public var network = Network()
    public var lifecycle = Lifecycle()
    public var checkpoint = Checkpoint()
    public var display = Display()
    public var dbus = DBus()
    /// What makes it a function; `nil` for an application's.
    public var function: Function?

    public init() {}
}

/// The eight kinds of namespaces(7), by the name that /proc/PID/ns gives them, but for `mount` (`mnt`).
public enum NamespaceKind: String, Sendable, CaseIterable, Comparable {
    case user, mount, pid, net, ipc, uts, cgroup, time

    /// The entry of /proc/PID/ns.
    public var entry: String { self == .mount ? "mnt" : rawValue }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Profile {
    public struct Namespaces: Sendable, Equatable {
        public var unshare: NamespaceSet = []
        public var join: [NamespaceKind: JoinTarget] = [:]
        /// Offsets of the clocks in a new time namespace, in seconds (time_namespaces(7)).
        public var monotonicOffset: Int?
        public var boottimeOffset: Int?

        public init() {}
    }

    /// An existing namespace: a file (bind-mounted or under /proc) or another sandbox by name.
    public enum JoinTarget: Sendable, Equatable {
        case path(String)
        case sandbox(String)
    }

    /// A pair of setrlimit(2) values; `nil` is unlimited.
    public struct Limit: Sendable, Equatable {
        public var soft: UInt64?
        public var hard: UInt64?

        public init(soft: UInt64?, hard: UInt64?) {
            self.soft = soft
            self.hard = hard
        }
    }
}

extension Profile {
    public struct Process: Sendable, Equatable {
        /// The command when the command line gives none.
        public var command: [String] = []
        /// A name, looked up in the box's own passwd(5), or a number.
        public var user: String?
        public var group: String?
        public var groups: [String]?
        /// Octal, as in umask(1).
        public var umask: UInt32?
        public var workingDirectory: String?
        public var hostname: String?
        public var domainname: String?
        public var noNewPrivileges = true
        public var terminal = Terminal.auto
        public var dieWithParent = false
        /// With a pid namespace: whether our small init is pid 1 (true) or the command itself (false).
        public var initProcess = true
        public var environment = Environment()
        public var oomScoreAdjust: Int?
        public var nice: Int?
        public var coreLimit: Limit?
        public var scheduling: Scheduling?
        public var ioPriority: IOPriority?
        /// CPUs of sched_setaffinity(2), a list such as "0-1,3".
        public var cpuAffinity: String?
        /// Descriptors beyond 0, 1 and 2 that the command inherits.
        public var keepDescriptors: [Int32] = []
        /// Whether the command gets a new, empty session keyring (keyrings(7)).
        public var sessionKeyring = true

        public init() {}

        /// Whether its command begins without root's rights and cannot come to them, as far as the user's name tells:
        /// what that is in the box's own passwd(5) shows when it is launched.
        public var isUnprivileged: Bool {
            guard noNewPrivileges, let user else { return false }
            return user != "root" && Int(user) != 0
        }
    }

    public enum Terminal: String, Sendable, CaseIterable {
        /// The caller's terminal, guarded by a seccomp rule against TIOCSTI and TIOCLINUX.
        case auto
        /// A pseudo-terminal of its own.
        case pty
        /// The caller's terminal as it is.
        case inherit
        /// No terminal: a session of its own, without a controlling terminal.
        case none
    }

    public struct Environment: Sendable, Equatable {
        public var clear = false
        /// Names (with `*` at the end as a wildcard) kept when `clear` is true.
        public var keep: [String] = []
        public var unset: [String] = []
        public var set: Named<String> = [:]

        public init() {}
    }

    public struct Scheduling: Sendable, Equatable {
        public enum Policy: String, Sendable, CaseIterable { case other, batch, idle, fifo, rr }
        public var policy: Policy
        /// 1…99 for `fifo` and `rr`, 0 otherwise (sched(7)).
        public var priority: Int

        public init(policy: Policy, priority: Int = 0) {
            self.policy = policy
            self.priority = priority
        }
    }

    public struct IOPriority: Sendable, Equatable {
        public enum Class: String, Sendable, CaseIterable {
            case realtime, idle
            case bestEffort = "best-effort"
        }
        public var `class`: Class
        /// 0 (highest) … 7 (ioprio_set(2)).
        public var level: Int

        public init(class: Class, level: Int = 4) {
            self.class = `class`
            self.level = level
        }
    }
}

extension Profile {
    public struct Resources: Sendable, Equatable {
        /// Bytes (memory.max of cgroup v2).
        public var memory: UInt64?
        /// Bytes; the limit at which the kernel throttles (memory.high).
        public var memoryHigh: UInt64?
        /// Bytes of swap beside `memory` (memory.swap.max).
        public var memorySwap: UInt64?
        /// CPUs' worth of time, 0.5 being half of one (cpu.max).
        public var cpu: Double?
        /// 1…10000, default 100 (cpu.weight).
        public var cpuWeight: Int?
        public var pids: Int?
        /// A list such as "0-1,3" (cpuset.cpus).
        public var cpuset: String?
        /// 1…10000, default 100 (io.weight).
        public var ioWeight: Int?

        public init() {}

        /// Whether any limit is asked for, so that a control group is needed.
        public var isEmpty: Bool { self == Resources() }
    }
}
