import Glibc
public import Kernel

/// One part of what two hosts say to each other while a sandbox's memory follows it: four bytes, what it is and its
/// length, the highest first, and as many bytes.
public enum PageFrame: Sendable, Equatable {
    /// A part of CRIU's own conversation about pages.
    case pages([UInt8])
    /// A word of ours.
    case word(String)
    /// No more pages come.
    case end

    /// Bytes of one that is written in one piece whatever it is written to, with its head (PIPE_BUF): then two processes
    /// can write to one pipe.
    public static let piece = 4092
    /// Bytes of the largest one.
    public static let limit = 1 << 16

    private var kind: UInt8 {
        switch self {
        case .pages: 0
        case .word: 1
        case .end: 2
        }
    }

    /// With its head.
    public var bytes: [UInt8] {
        let body: [UInt8] =
            switch self {
            case .pages(let bytes): bytes
            case .word(let text): Array(text.utf8.prefix(PageFrame.piece))
            case .end: []
            }
        return [kind] + [16, 8, 0].map { UInt8(truncatingIfNeeded: body.count >> $0) } + body
    }

    /// Waits for the next one, and reads nothing of what comes behind it.
    /// - Returns: `nil` where the other end is gone.
    public static func read(from source: Int32) throws(SystemError) -> PageFrame? {
        guard let head = try bytes(4, from: source) else { return nil }
        let count = head[1...].reduce(0) { $0 << 8 | Int($1) }
        if count > limit { throw SystemError("read what comes from the other host", code: EPROTO) }
        guard let body = try bytes(count, from: source) else { return nil }
        switch head[0] {
        case 0: return .pages(body)
        case 1: return .word(String(decoding: body, as: UTF8.self))
        case 2: return .end
        default: throw SystemError("read what comes from the other host", code: EPROTO)
        }
    }

    private static func bytes(_ count: Int, from source: Int32) throws(SystemError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = try check("read what comes from the other host") {
                bytes.withUnsafeMutableBytes {
                    Int32(Glibc.read(source, $0.baseAddress?.advanced(by: filled), count - filled))
                }
            }
            if got == 0 { return nil }
            filled += Int(got)
        }
        return bytes
    }

    /// Writes it.
    public func write(to target: Int32) throws(SystemError) {
        try writeBytes(bytes, to: target, name: "what goes to the other host")
    }
}
