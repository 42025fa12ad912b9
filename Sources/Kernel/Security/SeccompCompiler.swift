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
        var linker = try SeccompLinker()
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
                decisions[index].decide(name, rule.action, when: rule.conditions, isAdvice: rule.isAdvice)
            }
        }
    }
}

/// Both ends of a pipe (pipe2(2)).
struct Pipe: ~Copyable {
    let output: Descriptor
    let input: Descriptor

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try check("make a pipe") { pipe2(&ends, O_CLOEXEC | O_NONBLOCK) }
        output = Descriptor(ends[0])
        input = Descriptor(ends[1])
    }
}

extension SeccompLinker {
    /// Lets libseccomp compile comparisons of one action on one architecture.
    func compile(
        _ group: ArraySlice<SeccompDecisions.Comparison>, on architecture: SeccompArchitecture, action: UInt32
    ) throws(SeccompError) -> [sock_filter] {
        // Level 3 (Linux 4.14): without it the library probes the kernel with ten system calls.
        try Self.check(seccomp_api_set(3))
        guard let filter = seccomp_init(Self.fallThrough) else { throw Self.failure(ENOMEM) }
        defer { seccomp_release(filter) }
        let native = seccomp_arch_native()
        if architecture.token != native {
            try Self.check(seccomp_arch_add(filter, architecture.token))
            try Self.check(seccomp_arch_remove(filter, native))
        }
        for one in group {
            let arguments = one.conditions.map { $0.operand }
            let result = seccomp_rule_add_array(
                filter, action, one.nativeNumber, UInt32(arguments.count), arguments)
            // Within one action, a comparison that an earlier one includes changes nothing.
            if result != -EEXIST { try Self.check(result) }
        }
        return try Self.export(filter, through: pipe)
    }

    /// The library writes a program in one write(2), which a pipe holds whole (4,096 instructions are 32 KiB).
    private static func export(
        _ filter: scmp_filter_ctx, through pipe: borrowing Pipe
    ) throws(SeccompError) -> [sock_filter] {
        try check(seccomp_export_bpf(filter, pipe.input.number))
        let stride = MemoryLayout<sock_filter>.stride
        let code = [sock_filter](unsafeUninitializedCapacity: 4096) { buffer, count in
            let size = read(pipe.output.number, buffer.baseAddress, buffer.count * stride)
            count = max(0, size) / stride
        }
        if code.isEmpty { throw failure(EIO) }
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
