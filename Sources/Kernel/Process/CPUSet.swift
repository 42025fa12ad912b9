import Glibc

/// Processors by number, written as a list such as `0-1,3` (cpuset(7), list format).
public struct CPUSet: Sendable, Equatable {
    /// The bits that sched_setaffinity(2) takes: processor n is bit n of the words, in the kernel's order.
    let mask: [UInt]

    /// Ascending, each once.
    public var processors: [Int] {
        (0..<mask.count * UInt.bitWidth).filter { mask[$0 / UInt.bitWidth] & 1 << UInt($0 % UInt.bitWidth) != 0 }
    }

    /// Processors that the kernel's largest mask can name.
    private static let limit = 8192

    /// nil when `list` is empty or no list of numbers and ascending ranges.
    public init?(_ list: String) {
        var found: [UInt] = []
        for part in list.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let ends = part.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = ends.first.flatMap(Self.number), let last = ends.last.flatMap(Self.number),
                first <= last, last < Self.limit
            else { return nil }
            while found.count <= last / UInt.bitWidth { found.append(0) }
            for one in first...last { found[one / UInt.bitWidth] |= 1 << UInt(one % UInt.bitWidth) }
        }
        mask = found
    }

    /// Binds a thread, 0 for the calling one, to those of them that the machine and the thread's cpuset have
    /// (sched_setaffinity(2)).
    public func bind(_ thread: Int32) -> Int32 {
        mask.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return -1 }
            return sched_setaffinity(thread, bytes.count, start.assumingMemoryBound(to: cpu_set_t.self))
        }
    }

    private static func number(_ digits: Substring.UTF8View.SubSequence) -> Int? {
        guard (1...4).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}

/// Binds the calling process to `processors` (sched_setaffinity(2)).
///
/// Throws when the machine, or the process's cpuset, lacks one of them: the kernel alone would leave it out in silence.
public func setAffinity(_ processors: CPUSet) throws(SystemError) {
    let mask = processors.mask
    let action = "bind the process to CPUs \(processors.processors.map { "\($0)" }.joined(separator: ","))"
    try check(action) { processors.bind(0) }
    var held = [UInt](repeating: 0, count: 8192 / UInt.bitWidth)
    try check(action) {
        held.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return -1 }
            return sched_getaffinity(0, bytes.count, start.assumingMemoryBound(to: cpu_set_t.self))
        }
    }
    if !held.starts(with: mask) {
        throw SystemError(action, code: EINVAL, mend: "the machine, or the process's cpuset, lacks one of them")
    }
}
