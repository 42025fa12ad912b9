import CLinux
import CSeccomp
import Glibc

extension SeccompFilter {
    /// Compiles the filter.
    ///
    /// libseccomp names, numbers and compares; the dispatch over architectures and numbers is a search tree of ours,
    /// because libseccomp's takes time that grows with the square of the rules (8 ms for a usual allow-list).
    public func compile() throws(SeccompError) -> SeccompProgram {
        try check()
        var decisions = try SeccompArchitecture.select(architectures).map { SeccompDecisions($0) }
        for rule in rules { try add(rule, to: &decisions) }
        if !defaultAction.permits { try add(Rule(["@default"], .allow), to: &decisions) }
        var linker = SeccompLinker()
        try linker.link(decisions, defaultAction: defaultAction, foreign: foreignAction)
        return try linker.program()
    }

    private func add(_ rule: Rule, to decisions: inout [SeccompDecisions]) throws(SeccompError) {
        for name in rule.calls {
            if let group = SyscallGroup.named(name) {
                add(group, rule, to: &decisions)
            } else {
                name.withCString { add(SyscallName(pointer: $0), rule, to: &decisions, throughGroup: false) }
            }
        }
    }

    private func add(_ group: SyscallGroup, _ rule: Rule, to decisions: inout [SeccompDecisions]) {
        group.forEachMember { name in
            if name[0] == CChar(UInt8(ascii: "@")) {
                if let nested = SyscallGroup.named(name) { add(nested, rule, to: &decisions) }
            } else {
                add(SyscallName(pointer: name), rule, to: &decisions, throughGroup: true)
            }
        }
    }

    private func add(_ name: SyscallName, _ rule: Rule, to decisions: inout [SeccompDecisions], throughGroup: Bool) {
        for index in decisions.indices {
            if rule.conditions.isEmpty {
                decisions[index].decide(name, rule.action, throughGroup: throughGroup)
            } else {
                decisions[index].decide(name, rule.action, when: rule.conditions)
            }
        }
    }
}

/// Joins the comparisons that libseccomp compiled and the search trees over call numbers into one program.
struct SeccompLinker {
    private var code: [sock_filter] = []

    /// linux/bpf_common.h; word loads at an absolute offset, jumps by a constant, return of a constant.
    private enum Opcode {
        static let load: UInt16 = 0x20
        static let jump: UInt16 = 0x05
        static let jumpIfEqual: UInt16 = 0x15
        static let jumpIfNotLess: UInt16 = 0x35
        static let `return`: UInt16 = 0x06
    }

    /// Offsets in `struct seccomp_data`.
    private enum Offset {
        static let number: UInt32 = 0
        static let architecture: UInt32 = 4
    }

    /// What libseccomp returns where no comparison holds: SECCOMP_RET_TRACE with a value of our own, which no action
    /// of ours is; replaced by a jump behind the comparisons.
    private static let fallThrough: UInt32 = 0x7ff0_5b0f

    /// The machine tells x86_64 and x32 by a bit of the number; the audit architecture is the same.
    mutating func link(
        _ decisions: [SeccompDecisions], defaultAction: SeccompFilter.Action, foreign: SeccompFilter.Action
    ) throws(SeccompError) {
        emit(Opcode.load, Offset.architecture)
        var audits: [UInt32] = []
        for one in decisions where !audits.contains(one.architecture.audit) { audits.append(one.architecture.audit) }
        for audit in audits {
            let next = emitSkip(Opcode.jumpIfEqual, audit)
            if audit == SeccompArchitecture.x86_64.audit {
                try linkX86(decisions, defaultAction, foreign)
            } else if let one = decisions.first(where: { $0.architecture.audit == audit }) {
                try link(one, defaultAction)
            }
            land(next)
        }
        emit(Opcode.return, foreign.code)
    }

    private mutating func linkX86(
        _ decisions: [SeccompDecisions], _ defaultAction: SeccompFilter.Action, _ foreign: SeccompFilter.Action
    ) throws(SeccompError) {
        emit(Opcode.load, Offset.number)
        // A tracer's -1 is no call of x32.
        emit(Opcode.jumpIfEqual, .max, 2, 0)
        let native = emitSkip(Opcode.jumpIfNotLess, SeccompArchitecture.x32.numberBit)
        try linkOrRefuse(.x32, decisions, defaultAction, foreign)
        land(native)
        try linkOrRefuse(.x86_64, decisions, defaultAction, foreign)
    }

    private mutating func linkOrRefuse(
        _ architecture: SeccompArchitecture, _ decisions: [SeccompDecisions], _ defaultAction: SeccompFilter.Action,
        _ foreign: SeccompFilter.Action
    ) throws(SeccompError) {
        if let one = decisions.first(where: { $0.architecture == architecture }) {
            try link(one, defaultAction)
        } else {
            emit(Opcode.return, foreign.code)
        }
    }

    private mutating func link(_ decisions: SeccompDecisions, _ defaultAction: SeccompFilter.Action) throws(SeccompError) {
        var rest = decisions.comparisons[...]
        while let first = rest.first {
            let group = rest.prefix { $0.code == first.code }
            rest = rest.dropFirst(group.count)
            append(try Self.compile(group, on: decisions.architecture, action: first.code))
        }
        emit(Opcode.load, Offset.number)
        emitTree(decisions.runs(default: defaultAction)[...])
    }

    private mutating func append(_ compiled: [sock_filter]) {
        for (index, instruction) in compiled.enumerated() {
            if instruction.code == Opcode.return, instruction.k == Self.fallThrough {
                emit(Opcode.jump, UInt32(compiled.count - index - 1))
            } else {
                code.append(instruction)
            }
        }
    }

    private mutating func emitTree(_ runs: ArraySlice<(start: UInt32, code: UInt32)>) {
        guard runs.count > 1 else {
            emit(Opcode.return, runs.first?.code ?? SeccompFilter.Action.killProcess.code)
            return
        }
        let middle = runs.startIndex + runs.count / 2
        let jump = code.count
        emit(Opcode.jumpIfNotLess, runs[middle].start)
        emitTree(runs[..<middle])
        let length = code.count - jump - 1
        if length <= 255 {
            code[jump].jt = UInt8(length)
        } else {
            code.insert(sock_filter(code: Opcode.jump, jt: 0, jf: 0, k: UInt32(length)), at: jump + 1)
            code[jump].jf = 1
        }
        emitTree(runs[middle...])
    }

    private mutating func emit(_ opcode: UInt16, _ value: UInt32, _ ifTrue: UInt8 = 0, _ ifFalse: UInt8 = 0) {
        code.append(sock_filter(code: opcode, jt: ifTrue, jf: ifFalse, k: value))
    }

    /// Emits a test whose failure skips everything up to the place where `land` is called with the result.
    private mutating func emitSkip(_ opcode: UInt16, _ value: UInt32) -> Int {
        emit(opcode, value, 1, 0)
        emit(Opcode.jump, 0)
        return code.count - 1
    }

    private mutating func land(_ jump: Int) { code[jump].k = UInt32(code.count - jump - 1) }

    func program() throws(SeccompError) -> SeccompProgram {
        if code.count > 4096 {
            throw .system(SystemError("compile the system call filter", code: E2BIG, mend: "use fewer conditions"))
        }
        return SeccompProgram(bytes: code.withUnsafeBytes { Array($0) })
    }
}

extension SeccompLinker {
    /// Lets libseccomp compile comparisons of one action on one architecture.
    private static func compile(
        _ group: ArraySlice<SeccompDecisions.Comparison>, on architecture: SeccompArchitecture, action: UInt32
    ) throws(SeccompError) -> [sock_filter] {
        guard let filter = seccomp_init(fallThrough) else { throw failure(ENOMEM) }
        defer { seccomp_release(filter) }
        let native = seccomp_arch_native()
        if architecture.token != native {
            try check(seccomp_arch_add(filter, architecture.token))
            try check(seccomp_arch_remove(filter, native))
        }
        for one in group {
            let arguments = one.conditions.map { $0.operand }
            let result = seccomp_rule_add_array(
                filter, action, one.nativeNumber, UInt32(arguments.count), arguments)
            // Within one action, a comparison that an earlier one includes changes nothing.
            if result != -EEXIST { try check(result) }
        }
        return try export(filter)
    }

    private static func export(_ filter: scmp_filter_ctx) throws(SeccompError) -> [sock_filter] {
        let raw = memfd_create("seccomp", UInt32(MFD_CLOEXEC))
        if raw < 0 { throw failure(errno) }
        let file = Descriptor(raw)
        try check(seccomp_export_bpf(filter, file.number))
        let size = lseek(file.number, 0, SEEK_END)
        if size < 0 { throw failure(errno) }
        let stride = MemoryLayout<sock_filter>.stride
        var code = [sock_filter](repeating: sock_filter(), count: Int(size) / stride)
        let count = code.withUnsafeMutableBytes { pread(file.number, $0.baseAddress, $0.count, 0) }
        if count != Int(size) { throw failure(count < 0 ? errno : EIO) }
        return code
    }

    /// libseccomp returns an errno value, negated.
    private static func check(_ result: Int32) throws(SeccompError) {
        if result < 0 { throw failure(-result) }
    }

    private static func failure(_ code: Int32) -> SeccompError {
        .system(SystemError("compile the system call filter", code: code))
    }
}

extension SeccompFilter.Condition {
    fileprivate var operand: scmp_arg_cmp {
        let comparison =
            switch self.comparison {
            case .notEqual: SCMP_CMP_NE
            case .less: SCMP_CMP_LT
            case .lessOrEqual: SCMP_CMP_LE
            case .equal: SCMP_CMP_EQ
            case .greaterOrEqual: SCMP_CMP_GE
            case .greater: SCMP_CMP_GT
            case .maskedEqual: SCMP_CMP_MASKED_EQ
            }
        return self.comparison == .maskedEqual
            ? scmp_arg_cmp(arg: UInt32(argument), op: comparison, datum_a: mask, datum_b: value)
            : scmp_arg_cmp(arg: UInt32(argument), op: comparison, datum_a: value, datum_b: 0)
    }
}
