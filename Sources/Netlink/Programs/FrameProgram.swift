import CLinux
import Glibc
public import Kernel

/// A program that decides about an interface's frames (bpf(2), BPF_PROG_TYPE_SCHED_CLS), written instruction by
/// instruction. Registers 0 to 5 are lost with each helper; 6 holds the frame, 10 is where the stack ends.
public struct FrameProgram: Sendable, Equatable {
    public typealias Register = UInt8

    /// A place in the program that is jumped to, forwards only.
    public struct Label: Sendable, Equatable {
        fileprivate var number: Int
    }

    /// What is known of a frame (linux/bpf.h, `struct __sk_buff`).
    public enum Field: Int16, Sendable {
        case length = 0
        case packetType = 4
        case mark = 8
        /// The Ethernet type as frames have it.
        case `protocol` = 16
    }

    public enum Width: UInt8, Sendable {
        case word = 0x00
        case half = 0x08
        case byte = 0x10
    }

    /// Of 32 bits, numbers without a sign.
    public enum Condition: UInt8, Sendable {
        case equal = 0x16
        case unequal = 0x56
        case less = 0xA6
        case more = 0x26
    }

    public enum Helper: Int32, Sendable {
        case cloneRedirect = 13
        case redirect = 23
        case loadBytes = 26
        case changeType = 32
        case lookupUDP = 85
        case release = 86
        case lookupTCP = 99
        case redirectPeer = 155
        case checkMTU = 163
    }

    /// What becomes of the frame (tc-bpf(8)).
    public enum Verdict: Int32, Sendable {
        /// Others decide, and in the end it goes on.
        case next = -1
        case drop = 2
    }

    public private(set) var code: [UInt64] = []
    private var labels = 0
    private var jumps: [(place: Int, label: Int)] = []

    public init() { emit(0xBF, 6, 1) }

    public static func == (one: FrameProgram, other: FrameProgram) -> Bool { one.code == other.code }

    private mutating func emit(
        _ operation: UInt8, _ target: Register = 0, _ source: Register = 0, _ offset: Int16 = 0, _ number: Int32 = 0
    ) {
        let registers = UInt64(target) | UInt64(source) << 4
        let low = UInt64(operation) | registers << 8 | UInt64(UInt16(bitPattern: offset)) << 16
        code.append(low | UInt64(UInt32(bitPattern: number)) << 32)
    }

    public mutating func set(_ register: Register, _ number: Int32) { emit(0xB7, register, 0, 0, number) }

    public mutating func copy(_ register: Register, from source: Register) { emit(0xBF, register, source) }

    /// An address on the stack, at `offset` from its end.
    public mutating func pointer(_ register: Register, to offset: Int32) {
        copy(register, from: 10)
        emit(0x07, register, 0, 0, offset)
    }

    public mutating func load(_ field: Field, into register: Register) { emit(0x61, register, 6, field.rawValue) }

    public mutating func setMark(_ mark: UInt32) {
        set(2, Int32(bitPattern: mark))
        emit(0x63, 6, 2, Field.mark.rawValue)
    }

    public mutating func load(_ width: Width, _ register: Register, at stack: Int16) {
        emit(0x61 | width.rawValue, register, 10, stack)
    }

    /// A word of what a register points to.
    public mutating func load(_ register: Register, from source: Register, _ offset: Int16) {
        emit(0x61, register, source, offset)
    }

    /// The lower 32 bits of a register onto the stack.
    public mutating func save(_ register: Register, at stack: Int16) { emit(0x63, 10, register, stack) }

    public mutating func store(_ number: Int32, at stack: Int16) { emit(0x62, 10, 0, stack, number) }

    public mutating func and(_ register: Register, _ mask: UInt32) {
        emit(0x54, register, 0, 0, Int32(bitPattern: mask))
    }

    public mutating func add(_ register: Register, _ number: Int32) { emit(0x07, register, 0, 0, number) }

    public mutating func shiftLeft(_ register: Register, _ bits: Int32) { emit(0x64, register, 0, 0, bits) }

    /// Turns 16 bits of a frame into a number.
    public mutating func fromNetwork(_ register: Register) { emit(0xDC, register, 0, 0, 16) }

    public mutating func call(_ helper: Helper) { emit(0x85, 0, 0, 0, helper.rawValue) }

    public mutating func end() { emit(0x95) }

    public mutating func end(_ verdict: Verdict) {
        set(0, verdict.rawValue)
        end()
    }

    public mutating func label() -> Label {
        labels += 1
        return Label(number: labels)
    }

    public mutating func jump(to label: Label) {
        jumps.append((code.count, label.number))
        emit(0x05)
    }

    public mutating func jump(if register: Register, _ condition: Condition, _ number: Int32, to label: Label) {
        jumps.append((code.count, label.number))
        emit(condition.rawValue, register, 0, 0, number)
    }

    /// Whether a helper has found nothing; where it has, the register can be looked through from here on.
    public mutating func jump(ifNone register: Register, to label: Label) {
        jumps.append((code.count, label.number))
        emit(0x15, register)
    }

    /// The label's place is here.
    public mutating func place(_ label: Label) {
        for jump in jumps where jump.label == label.number {
            let distance = UInt64(UInt16(code.count - jump.place - 1))
            code[jump.place] |= distance << 16
        }
        jumps.removeAll { $0.label == label.number }
    }

    /// Whether all labels have got their places.
    public var isWhole: Bool { jumps.isEmpty }
}

/// A program that the kernel has taken in.
public struct LoadedProgram: ~Copyable {
    public let descriptor: Descriptor
    public let name: String

    /// - Parameter name: for lists; at most 15 letters, digits and `_`.
    public init(_ program: FrameProgram, name: String) throws(SystemError) {
        self.name = name
        precondition(program.isWhole, "a jump leads nowhere")
        var attributes = [UInt64](repeating: 0, count: 16)
        // BPF_PROG_TYPE_SCHED_CLS.
        attributes[0] = 3 | UInt64(program.code.count) << 32
        var code = program.code
        let number = load(&attributes, &code, name)
        if number >= 0 {
            descriptor = Descriptor(number)
            return
        }
        let mend =
            errno == EPERM || errno == ENOSYS
            ? "programs for frames need root, and a kernel with CONFIG_BPF_SYSCALL" : nil
        throw SystemError("load the program \(name)", code: errno, mend: mend)
    }
}

private func load(_ attributes: inout [UInt64], _ code: inout [UInt64], _ name: String) -> Int32 {
    "GPL".withCString { license in
        code.withUnsafeMutableBytes { code in
            attributes[1] = UInt64(UInt(bitPattern: code.baseAddress))
            attributes[2] = UInt64(UInt(bitPattern: license))
            attributes.withUnsafeMutableBytes { bytes in
                // `prog_name`.
                for (index, byte) in name.utf8.prefix(15).enumerated() { bytes[48 + index] = byte }
            }
            // BPF_PROG_LOAD.
            return linux_bpf(5, &attributes, 128)
        }
    }
}
