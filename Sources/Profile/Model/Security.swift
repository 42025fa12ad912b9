extension Profile {
    public struct Security: Sendable, Equatable {
        public var capabilities = Capabilities()
        /// Flags of capabilities(7): noroot, no-setuid-fixup, keep-caps, no-cap-ambient-raise and their -locked twins.
        public var securebits: [String] = []
        public var seccomp: Seccomp?
        public var userNamespaces: Permission?
        public var uidMap = IDMapping.own
        public var gidMap: IDMapping?
        public var landlock = Landlock()
        /// Whether TIOCSTI and TIOCLINUX reach a terminal that is shared with the caller; nil: denied.
        public var terminalInjection: Permission?

        public init() {}
    }

    public enum Permission: String, Sendable, CaseIterable { case allow, deny }

    /// Capability names without `CAP_`, upper case. `keep` is the bounding set and what root in the box may use.
    public struct Capabilities: Sendable, Equatable {
        /// nil: everything the caller has when root in the box, none otherwise.
        public var keep: [String]?
        public var ambient: [String] = []
        /// The five sets one by one, for who needs them exact; each overrides what `keep` implies.
        public var bounding: [String]?
        public var permitted: [String]?
        public var effective: [String]?
        public var inheritable: [String]?

        public init() {}

        /// Whether anything in the box can come to have a capability: of the five sets none has it, and the bounding
        /// set is ours, or there is no way to more than its command begins with.
        public func mayHold(_ name: String, in process: Process) -> Bool {
            if keep == nil, !process.isUnprivileged { return true }
            let all =
                (keep ?? []) + ambient + (bounding ?? []) + (permitted ?? []) + (effective ?? []) + (inheritable ?? [])
            return all.contains { [name, "CAP_" + name, "ALL"].contains($0.uppercased()) }
        }
    }

    /// How ids of the box map to ids outside (user_namespaces(7)).
    public enum IDMapping: Sendable, Equatable {
        /// The caller's own id, to itself.
        case own
        /// A private range from /etc/subuid and /etc/subgid, the box's ids beginning with 0.
        case auto
        case explicit([IDRange])
    }

    public struct IDRange: Sendable, Equatable {
        public var inside: UInt32
        public var outside: UInt32
        public var count: UInt32

        public init(inside: UInt32, outside: UInt32, count: UInt32) {
            self.inside = inside
            self.outside = outside
            self.count = count
        }
    }

    /// A system call filter. Names are system calls or groups that begin with `@`, as systemd names them.
    public struct Seccomp: Sendable, Equatable {
        public enum Default: String, Sendable, CaseIterable { case allow, deny }
        public var `default`: Default = .allow
        public var allow: [String] = []
        public var deny: [String] = []
        /// What meets a denied call.
        public var action = SeccompAction.errno("EPERM")
        /// `native`, or names as libseccomp knows them (`x86_64`, `x86`, `x32`, …); empty: all of the machine.
        public var architectures: [String] = []
        public var rules: [SeccompRule] = []

        public init() {}
    }

    public enum SeccompAction: Sendable, Equatable {
        /// An errno name (`EPERM`) or number.
        case errno(String)
        case kill, log, allow, trap
    }

    /// Calls with an action of their own, when all argument conditions hold.
    public struct SeccompRule: Sendable, Equatable {
        public var calls: [String]
        public var action: SeccompAction
        public var conditions: [SeccompCondition]

        public init(calls: [String], action: SeccompAction, conditions: [SeccompCondition] = []) {
            self.calls = calls
            self.action = action
            self.conditions = conditions
        }
    }

    /// A condition on one argument of a system call (seccomp_rule_add(3)).
    public struct SeccompCondition: Sendable, Equatable {
        public enum Comparison: String, Sendable, CaseIterable {
            case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
            /// The argument, masked with `mask`, equals `value`.
            case maskedEqual = "&=="
        }
        /// 0…5.
        public var argument: Int
        public var comparison: Comparison
        public var value: UInt64
        public var mask: UInt64?

        public init(argument: Int, comparison: Comparison, value: UInt64, mask: UInt64? = nil) {
            self.argument = argument
            self.comparison = comparison
            self.value = value
            self.mask = mask
        }
    }

    /// Rules of landlock(7) beyond the filesystem's.
    public struct Landlock: Sendable, Equatable {
        public enum Scope: String, Sendable, CaseIterable {
            case abstractUnix = "abstract-unix"
            case signal
        }
        /// TCP ports that may be bound; nil: not restricted.
        public var tcpBind: [UInt16]?
        /// TCP ports that may be connected to; nil: not restricted.
        public var tcpConnect: [UInt16]?
        /// What must not leave the box.
        public var scope: Set<Scope> = []

        public init() {}
    }
}
