import CSeccomp
import Glibc

/// What a filter's rules come to on one architecture: comparisons first, in order, then one action per number.
struct SeccompDecisions {
    let architecture: SeccompArchitecture
    /// Compiled one after another; the first that matches decides.
    private(set) var comparisons: [Comparison] = []
    /// By number without the architecture's bit; `undecided` where no rule speaks.
    private var dense = [UInt32](repeating: undecided, count: denseCount)
    /// Numbers beyond, as Arm's private ones.
    private var sparse: [(number: UInt32, code: UInt32)] = []

    /// A rule whose arguments have to be looked at.
    struct Comparison {
        /// As the native architecture numbers the call, which is how seccomp_rule_add(3) wants it.
        let nativeNumber: Int32
        let code: UInt32
        let conditions: [SeccompFilter.Condition]
    }

    /// No action of seccomp(2) is so coded.
    private static let undecided: UInt32 = 0x1234_5678
    private static let denseCount = 576
    /// The first of the numbers that all architectures share (Linux 5.1). Programs probe for these calls and fall back
    /// when they meet ENOSYS, but take EPERM for the last word.
    private static let firstCommonNumber: UInt32 = 424

    init(_ architecture: SeccompArchitecture) { self.architecture = architecture }

    /// Adds an unconditional rule's call.
    mutating func decide(_ name: SyscallName, _ action: SeccompFilter.Action, throughGroup: Bool) {
        switch name.number(on: architecture) {
        case .number(let number):
            close(number, throughGroup ? Self.probed(number & ~architecture.numberBit, action) : action)
        case .multiplexed(let multiplexer, let operation, let direct):
            if let direct { close(direct, action) }
            decide(multiplexer, operation, action)
        case .absent, .unknown: break
        }
    }

    /// Adds a conditional rule's call.
    ///
    /// Where the arguments cannot be seen, a denial holds whatever they are, unless it is advice, and a permission does
    /// not hold.
    mutating func decide(
        _ name: SyscallName, _ action: SeccompFilter.Action, when conditions: [SeccompFilter.Condition],
        isAdvice: Bool = false
    ) {
        let closesUnseen = !action.permits && !isAdvice
        switch name.number(on: architecture) {
        case .number(let number):
            if isClosed(number) { return }
            let native = seccomp_syscall_resolve_name(name.pointer)
            if native != -1 {
                compare(name, native, action, conditions)
            } else if architecture.token == seccomp_arch_native() {
                compare(name, Int32(bitPattern: number), action, conditions)
            } else if closesUnseen {
                close(number, action)
            }
        case .multiplexed: if closesUnseen { decide(name, action, throughGroup: false) }
        case .absent, .unknown: break
        }
    }

    private mutating func decide(
        _ multiplexer: SyscallName.Multiplexer, _ operation: UInt64, _ action: SeccompFilter.Action
    ) {
        let (name, mask): (StaticString, UInt64) =
            switch multiplexer {
            case .socketcall: ("socketcall", 0xffff_ffff)
            // The version in the upper half does not change the operation.
            case .ipc: ("ipc", 0xffff)
            }
        name.withUTF8Buffer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                guard let pointer = characters.baseAddress else { return }
                let condition = SeccompFilter.Condition(0, .maskedEqual, operation, mask: mask)
                decide(SyscallName(pointer: pointer), action, when: [condition])
            }
        }
    }

    private mutating func compare(
        _ name: SyscallName, _ native: Int32, _ action: SeccompFilter.Action, _ conditions: [SeccompFilter.Condition]
    ) {
        let narrowed = NarrowArguments(of: name, architecture)
        for guarding in narrowed.guards(for: conditions, action) {
            let guardAction = action.permits ? SeccompFilter.Action.errno(EINVAL) : action
            comparisons.append(Comparison(nativeNumber: native, code: guardAction.code, conditions: [guarding]))
        }
        guard let exact = narrowed.apply(to: conditions, action) else { return }
        comparisons.append(Comparison(nativeNumber: native, code: action.code, conditions: exact))
    }

    private mutating func close(_ number: UInt32, _ action: SeccompFilter.Action) {
        let bare = number & ~architecture.numberBit
        if isClosed(number) { return }
        if bare < UInt32(Self.denseCount) {
            dense[Int(bare)] = action.code
        } else {
            sparse.append((bare, action.code))
        }
    }

    private func isClosed(_ number: UInt32) -> Bool {
        let bare = number & ~architecture.numberBit
        if bare < UInt32(Self.denseCount) { return dense[Int(bare)] != Self.undecided }
        return sparse.contains { $0.number == bare }
    }

    private static func probed(_ number: UInt32, _ action: SeccompFilter.Action) -> SeccompFilter.Action {
        isProbed(number) && action == .errno(EPERM) ? .errno(ENOSYS) : action
    }

    /// 512 to 547 are x32's own forms of old calls.
    private static func isProbed(_ number: UInt32) -> Bool {
        number >= firstCommonNumber && !(512..<548).contains(number)
    }

    /// The first number of each run of numbers with the same action, ascending from the lowest number.
    func runs(default action: SeccompFilter.Action) -> [(start: UInt32, code: UInt32)] {
        let older = action.code
        let newer = Self.probed(Self.firstCommonNumber, action).code
        var runs: [(start: UInt32, code: UInt32)] = []
        func add(_ number: UInt32, _ code: UInt32) {
            if runs.last?.code != code { runs.append((number | architecture.numberBit, code)) }
        }
        for (number, code) in dense.enumerated() {
            let number = UInt32(number)
            add(number, code != Self.undecided ? code : Self.isProbed(number) ? newer : older)
        }
        for one in sparse.sorted(by: { $0.number < $1.number }) {
            if let last = sparseEnd(before: one.number) { add(last, newer) }
            add(one.number, one.code)
        }
        if let last = sparse.map(\.number).max() { add(last + 1, newer) } else { add(UInt32(Self.denseCount), newer) }
        return runs
    }

    /// Where the undecided numbers before the sparse `number` begin; nil when its neighbour below is decided.
    private func sparseEnd(before number: UInt32) -> UInt32? {
        let below = sparse.map(\.number).filter { $0 < number }.max() ?? UInt32(Self.denseCount - 1)
        return below + 1 < number ? below + 1 : nil
    }
}
