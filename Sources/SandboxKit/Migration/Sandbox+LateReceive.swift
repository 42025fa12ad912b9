import CLinux
import Checkpoint
import Glibc
import Kernel
import Launch

/// What ``Sandbox/receive(_:)`` does for a sandbox whose memory follows it.
extension Sandbox {
    /// Descriptors of standard input and output, for the process that brings the memory in, and what that tells.
    static func joinPages() throws(LaunchError) -> PageSource {
        try translated { () throws(SystemError) in
            let input = try check("keep standard input") { fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) }
            let output = try check("keep standard output") { fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) }
            var ends: [Int32] = [0, 0]
            let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
            try check("make a socket pair") { socketpair(AF_UNIX, type, 0, &ends) }
            return PageSource(input: input, output: output, judge: ends[0], bench: ends[1])
        }
    }

    /// Waits until all memory is there.
    static func awaitMemory(_ source: PageSource) throws(LaunchError) {
        // Its end is heard of only when nobody else holds it.
        for number in [source.input, source.output, source.judge] { close(number) }
        let judge = source.bench
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try translated { () throws(SystemError) in
            try check("wait for the memory") { Int32(recv(judge, &bytes, bytes.count, 0)) }
        }
        if count == 0 { throw LaunchError("the process that brings its memory in was killed") }
        let text = String(decoding: bytes[..<Int(count)], as: UTF8.self)
        if text != PageSource.whole { throw LaunchError("a part of its memory did not come: \(text)") }
    }

    /// It is not to be killed any more.
    static func letStay(_ source: PageSource) throws(LaunchError) {
        let judge = source.bench
        var byte: UInt8 = 1
        _ = try translated { () throws(SystemError) in
            try check("let the sandbox stay") { Int32(send(judge, &byte, 1, Int32(MSG_NOSIGNAL))) }
        }
    }

    /// Nothing of what came is kept.
    static func clear(_ sandbox: Sandbox, _ snapshot: String, _ store: SnapshotStore) throws(LaunchError) {
        try sandbox.remove(force: true)
        try stored { () throws(SnapshotError) in try store.delete(snapshot) }
    }
}
