import Glibc
import Kernel

/// A stream inside another one: parts, each behind its length in four bytes, the highest first; one of no length ends
/// it. So what comes behind it can still be read by somebody else.
enum Framing {
    private static let limit = 1 << 16

    /// Writes all that `source` gives, to its end.
    static func wrap(_ source: Int32, to target: Int32) throws(SystemError) {
        var bytes = [UInt8](repeating: 0, count: limit)
        while true {
            let count = Int(try check("read the snapshot") { Int32(read(source, &bytes, bytes.count)) })
            let length = UInt32(count)
            let head = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
            try writeBytes(head + bytes[..<count], to: target, name: "what goes to the other host")
            if count == 0 { return }
        }
    }

    /// Writes what is inside to `target`. Reads nothing of what comes behind.
    static func unwrap(_ source: Int32, to target: Int32) throws(SystemError) {
        while true {
            let length = try take(4, from: source).reduce(0) { $0 << 8 | Int($1) }
            if length == 0 { return }
            if length > limit { throw SystemError("read what comes from the other host", code: EPROTO) }
            try writeBytes(try take(length, from: source), to: target, name: "the snapshot")
        }
    }

    private static func take(_ count: Int, from source: Int32) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = try check("read what comes from the other host") {
                bytes.withUnsafeMutableBytes {
                    Int32(read(source, $0.baseAddress?.advanced(by: filled), count - filled))
                }
            }
            if got == 0 { throw SystemError("read what comes from the other host", code: ECONNRESET) }
            filled += Int(got)
        }
        return bytes
    }
}

/// A process that carries bytes from one descriptor to another.
struct FramingProcess {
    private let pid: Int32

    /// - Parameter foreign: descriptors that it must not hold.
    init(
        foreign: [Int32], _ carry: () throws(SystemError) -> Void
    ) throws(SystemError) {
        pid = try startChild(in: []) {
            signal(SIGPIPE, SIG_IGN)
            for number in foreign { close(number) }
            do throws(SystemError) { try carry() } catch { _exit(1) }
            _exit(0)
        }
    }

    /// Waits for its end.
    /// - Returns: whether it has carried all of it.
    func finish() throws(SystemError) -> Bool { try waitForEnd(of: pid) == .exited(0) }
}
