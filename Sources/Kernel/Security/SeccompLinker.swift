import CLinux
import Glibc

/// Joins the comparisons that libseccomp compiled and the search trees over call numbers into one program.
struct SeccompLinker: ~Copyable {
    typealias Run = (start: UInt32, code: UInt32)

    private var code: [sock_filter] = []
    let pipe: Pipe

    init() throws(SeccompError) {
        do throws(SystemError) { pipe = try Pipe() } catch { throw .system(error) }
        code.reserveCapacity(512)
    }

    /// Runs in a leaf; with more, a call is decided in more steps, with fewer, the program grows.
    private static let leafSize = 16

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
    static let fallThrough: UInt32 = 0x7ff0_5b0f

    /// The machine tells x86_64 and x32 by a bit of the number; the audit architecture is the same.
    mutating func link(
        _ decisions: [SeccompDecisions], defaultAction: SeccompFilter.Action, foreign: SeccompFilter.Action
    ) throws(SeccompError) {
        emit(Opcode.load, Offset.architecture)
        var audits: [UInt32] = []
        for one in decisions where !audits.contains(one.architecture.audit) { audits.append(one.architecture.audit) }
        for audit in audits {
            let next = emitSkip(Opcode.jumpIfEqual, audit)
            if audit == SeccompArchitecture.x64.audit {
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
        try linkOrRefuse(.x64, decisions, defaultAction, foreign)
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

    private mutating func link(
        _ decisions: SeccompDecisions, _ defaultAction: SeccompFilter.Action
    ) throws(SeccompError) {
        var rest = decisions.comparisons[...]
        while let first = rest.first {
            let group = rest.prefix { $0.code == first.code }
            rest = rest.dropFirst(group.count)
            append(try compile(group, on: decisions.architecture, action: first.code))
        }
        emit(Opcode.load, Offset.number)
        emitTree(decisions.runs(default: defaultAction)[...], end: nil)
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

    /// A search tree whose leaves are short lists.
    ///
    /// - Parameter end: the first number behind the runs; nil for the last of them.
    private mutating func emitTree(_ runs: ArraySlice<Run>, end: UInt32?) {
        if runs.count <= Self.leafSize { return emitLeaf(runs, end: end) }
        let middle = runs.startIndex + runs.count / 2
        let jump = code.count
        emit(Opcode.jumpIfNotLess, runs[middle].start)
        emitTree(runs[..<middle], end: runs[middle].start)
        let length = code.count - jump - 1
        if length <= 255 {
            code[jump].jt = UInt8(length)
        } else {
            code.insert(sock_filter(code: Opcode.jump, jt: 0, jf: 0, k: UInt32(length)), at: jump + 1)
            code[jump].jf = 1
        }
        emitTree(runs[middle...], end: end)
    }

    /// Tests for the runs that are not of the commonest action, then the actions, each once.
    private mutating func emitLeaf(_ runs: ArraySlice<Run>, end: UInt32?) {
        var actions: [UInt32] = []
        for run in runs where !actions.contains(run.code) { actions.append(run.code) }
        let common = actions.max { left, right in runs.count { $0.code == left } < runs.count { $0.code == right } }
        guard let common else { return emit(Opcode.return, SeccompFilter.Action.killProcess.code) }
        let others = actions.filter { $0 != common }
        var jumps: [(at: Int, whenTrue: Bool, code: UInt32)] = []
        for (index, run) in zip(runs.indices, runs) where run.code != common {
            let next = index + 1 < runs.endIndex ? runs[index + 1].start : end
            if next == run.start + 1 {
                jumps.append((code.count, true, run.code))
                emit(Opcode.jumpIfEqual, run.start)
            } else if let next {
                emit(Opcode.jumpIfNotLess, run.start, 0, 1)
                jumps.append((code.count, false, run.code))
                emit(Opcode.jumpIfNotLess, next)
            } else {
                jumps.append((code.count, true, run.code))
                emit(Opcode.jumpIfNotLess, run.start)
            }
        }
        let actionsStart = code.count
        for action in [common] + others { emit(Opcode.return, action) }
        for jump in jumps {
            let target = actionsStart + 1 + (others.firstIndex(of: jump.code) ?? 0)
            let distance = UInt8(target - jump.at - 1)
            if jump.whenTrue { code[jump.at].jt = distance } else { code[jump.at].jf = distance }
        }
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
