import CLinux
import Kernel

/// Runs a classic BPF program over one `struct seccomp_data`, as the kernel does (linux/filter.h).
struct FilterMachine {
    /// What the program reads: a call, and by what convention it was made.
    struct Call {
        var number: UInt32
        var audit: UInt32
        var arguments: [UInt64] = []

        func word(at offset: UInt32) -> UInt32? {
            switch offset {
            case 0: return number
            case 4: return audit
            case 8, 12: return 0
            case 16..<64 where offset % 4 == 0:
                let index = Int(offset - 16) / 8
                let value = index < arguments.count ? arguments[index] : 0
                return UInt32(truncatingIfNeeded: offset % 8 == 0 ? value : value >> 32)
            default: return nil
            }
        }
    }

    let instructions: [sock_filter]

    init(_ program: SeccompProgram) { self.init(bytes: program.bytes) }

    init(bytes: [UInt8]) {
        instructions = bytes.withUnsafeBytes { Array($0.bindMemory(to: sock_filter.self)) }
    }

    /// The value returned and the instructions run; nil for a program that the kernel would refuse.
    func run(_ call: Call) -> (value: UInt32, steps: Int)? {
        var accumulator: UInt32 = 0
        var index = 0
        var steps = 0
        while index < instructions.count {
            let one = instructions[index]
            index += 1
            steps += 1
            switch one.code {
            case 0x20:
                guard let word = call.word(at: one.k) else { return nil }
                accumulator = word
            case 0x54: accumulator &= one.k
            case 0x05: index += Int(one.k)
            case 0x15: index += Int(accumulator == one.k ? one.jt : one.jf)
            case 0x25: index += Int(accumulator > one.k ? one.jt : one.jf)
            case 0x35: index += Int(accumulator >= one.k ? one.jt : one.jf)
            case 0x06: return (one.k, steps)
            default: return nil
            }
        }
        return nil
    }

    func decide(_ call: Call) -> UInt32? { run(call)?.value }
}
