import CLinux
import CSeccomp

extension SeccompProgram {
    /// Whether the kernel would carry out a call that this machine's own convention makes.
    public func permits(_ number: UInt32, _ arguments: [UInt64] = []) -> Bool {
        let call = FilteredCall(number: number, audit: seccomp_arch_native(), arguments: arguments)
        guard let decision = bytes.withUnsafeBytes({ call.decision(by: $0) }) else { return false }
        return decision == SeccompFilter.Action.allow.code || decision == SeccompFilter.Action.log.code
    }
}

/// A call as a filter sees it (`struct seccomp_data` of seccomp(2)).
private struct FilteredCall {
    var number: UInt32
    var audit: UInt32
    var arguments: [UInt64]

    private func word(at offset: UInt32) -> UInt32? {
        switch offset {
        case 0: return number
        case 4: return audit
        case 16..<64 where offset % 4 == 0:
            let index = Int(offset - 16) / 8
            let value = index < arguments.count ? arguments[index] : 0
            return UInt32(truncatingIfNeeded: offset % 8 == 0 ? value : value >> 32)
        default: return nil
        }
    }

    /// What the program returns (linux/bpf_common.h); nil where it holds an instruction that ours do not.
    func decision(by program: UnsafeRawBufferPointer) -> UInt32? {
        let size = MemoryLayout<sock_filter>.stride
        var accumulator: UInt32 = 0
        var index = 0
        while (index + 1) * size <= program.count {
            let one = program.loadUnaligned(fromByteOffset: index * size, as: sock_filter.self)
            index += 1
            switch one.code {
            case 0x20:
                guard let word = word(at: one.k) else { return nil }
                accumulator = word
            case 0x54: accumulator &= one.k
            case 0x05: index += Int(one.k)
            case 0x15: index += Int(accumulator == one.k ? one.jt : one.jf)
            case 0x25: index += Int(accumulator > one.k ? one.jt : one.jf)
            case 0x35: index += Int(accumulator >= one.k ? one.jt : one.jf)
            case 0x06: return one.k
            default: return nil
            }
        }
        return nil
    }
}
