import CSeccomp
import Glibc

/// A system call filter as a value (seccomp(2)): the first rule that names the call and whose conditions hold decides.
///
/// So what must hold in any case (`terminalInjectionRules`, `noUserNamespacesRules`) goes first, denials before
/// permissions. On an architecture that lacks a call, or hides its arguments (i386's socketcall(2) and ipc(2)), a
/// conditional denial holds whatever the arguments are, and a conditional permission does not hold.
public struct SeccompFilter: Sendable, Equatable {
    /// What a call that no rule decides meets.
    ///
    /// Unless it lets calls through, `@default` is allowed after all rules: what execve(2) and a program's start need.
    public var defaultAction: Action
    public var rules: [Rule]
    /// Names as libseccomp knows them, or `native`; empty: all that the machine's kernel runs.
    public var architectures: [String]
    /// What a call by any other architecture's convention meets.
    public var foreignAction: Action

    public init(
        defaultAction: Action = .allow, rules: [Rule] = [], architectures: [String] = [],
        foreignAction: Action = .killProcess
    ) {
        self.defaultAction = defaultAction
        self.rules = rules
        self.architectures = architectures
        self.foreignAction = foreignAction
    }

    /// What meets a call (the return values of seccomp(2)).
    public enum Action: Sendable, Equatable {
        case allow
        /// Allowed, and written to the audit log.
        case log
        /// SIGSYS to the thread.
        case trap
        case killProcess
        /// An errno(3) value, 1…4095.
        case errno(Int32)

        /// The value a program returns.
        var code: UInt32 {
            switch self {
            case .allow: 0x7fff_0000
            case .log: 0x7ffc_0000
            case .trap: 0x0003_0000
            case .killProcess: 0x8000_0000
            case .errno(let number): 0x0005_0000 | UInt32(truncatingIfNeeded: number) & 0xffff
            }
        }

        /// Whether the call is carried out.
        var permits: Bool { self == .allow || self == .log }
    }

    /// Calls, by name or as a group that begins with `@`, and what they meet when all conditions hold.
    public struct Rule: Sendable, Equatable {
        public var calls: [String]
        public var action: Action
        public var conditions: [Condition]
        /// Whether a denial is left out where the arguments cannot be seen: one that protects from nothing.
        public var isAdvice: Bool

        public init(_ calls: [String], _ action: Action, _ conditions: [Condition] = [], isAdvice: Bool = false) {
            self.calls = calls
            self.action = action
            self.conditions = conditions
            self.isAdvice = isAdvice
        }
    }

    /// A condition on one argument (seccomp_rule_add(3)), compared unsigned.
    ///
    /// Where the kernel reads 32 bits of the argument, only these are compared.
    public struct Condition: Sendable, Equatable {
        public enum Comparison: Sendable, Equatable {
            case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
            /// The argument's bits under `mask` equal `value`.
            case maskedEqual
        }
        /// 0…5.
        public var argument: Int
        public var comparison: Comparison
        public var value: UInt64
        public var mask: UInt64

        public init(_ argument: Int, _ comparison: Comparison, _ value: UInt64, mask: UInt64 = .max) {
            self.argument = argument
            self.comparison = comparison
            self.value = value
            self.mask = mask
        }
    }
}

/// Why a filter cannot be made.
public enum SeccompError: Error, Sendable, Equatable {
    case unknownCall(String, nearest: String?)
    case unknownGroup(String, nearest: String?)
    case unknownArchitecture(String)
    /// Conditions that cannot be compared, with the reason.
    case conditions(call: String, String)
    case errorNumber(Int32)
    case system(SystemError)

    public var message: String {
        switch self {
        case .unknownCall(let name, let nearest):
            return "unknown system call '\(name)'" + suggestion(nearest)
        case .unknownGroup(let name, let nearest):
            return "unknown group of system calls '\(name)'" + suggestion(nearest)
        case .unknownArchitecture(let name):
            return "unknown architecture '\(name)'; known are native, "
                + SeccompArchitecture.known.map { "\($0.name)" }.joined(separator: ", ")
        case .conditions(let call, let reason): return "conditions on '\(call)': \(reason)"
        case .errorNumber(let number): return "\(number) is no errno value; 1 to 4095 are"
        case .system(let error): return error.message
        }
    }

    private func suggestion(_ nearest: String?) -> String { nearest.map { "; did you mean '\($0)'?" } ?? "" }
}

extension SeccompFilter {
    /// Checks every name, number and condition without compiling.
    public func check() throws(SeccompError) {
        try checkAction(defaultAction)
        try checkAction(foreignAction)
        _ = try SeccompArchitecture.select(architectures)
        for rule in rules {
            try checkAction(rule.action)
            for name in rule.calls { try SyscallName.check(name) }
            try checkConditions(of: rule)
        }
    }

    private func checkAction(_ action: Action) throws(SeccompError) {
        guard case .errno(let number) = action, !(1...4095).contains(number) else { return }
        throw .errorNumber(number)
    }

    private func checkConditions(of rule: Rule) throws(SeccompError) {
        // Bits, not a Set: the first use of a generic type with a protocol in its constraints costs a look-up over all
        // conformances that the executable has.
        var seen: UInt8 = 0
        let call = rule.calls.first ?? ""
        for condition in rule.conditions {
            guard (0...5).contains(condition.argument) else {
                throw .conditions(call: call, "arguments are numbered 0 to 5, not \(condition.argument)")
            }
            let bit: UInt8 = 1 << UInt8(condition.argument)
            guard seen & bit == 0 else {
                throw .conditions(call: call, "argument \(condition.argument) is compared twice; use two rules")
            }
            seen |= bit
            if condition.comparison == .maskedEqual, condition.value & ~condition.mask != 0 {
                throw .conditions(call: call, "the value has bits that the mask lacks, so that it never holds")
            }
        }
    }
}
