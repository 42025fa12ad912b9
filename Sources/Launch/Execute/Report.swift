import Addresses
import CLinux
import Glibc
import Kernel

/// What the box tells the waiter, one message of a socket pair each.
enum Report {
    /// The launch failed before the command began.
    case failed(LaunchError)
    /// The command was stopped by a signal.
    case stopped(signal: Int32)
    /// The controlling side of the box's pseudo-terminal.
    case terminal(descriptor: Int32)
    /// The command has begun; from a launcher in the background.
    case begun
    /// The box's interfaces are there, and these name servers were told.
    case attached(nameServers: [IPAddress])
    /// The command has begun, as a child of the waiter's own.
    case sibling(pid: Int32)
}

/// What joins the waiter and the box; all of it is gone with the command's exec.
struct ReportChannel {
    let waiter: Int32
    let box: Int32
    /// A pipe that is at its end once the command has begun, or the box was killed: then nobody holds the writing side
    /// any more. A byte in it tells which.
    let begin: (read: Int32, write: Int32)

    init() throws(SystemError) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        try check("make a socket pair") { socketpair(AF_UNIX, type, 0, &ends) }
        (waiter, box) = (ends[0], ends[1])
        begin = try makePipe("make a pipe")
    }

    func keepWaiterSide() {
        close(box)
        close(begin.write)
    }

    func keepBoxSide() {
        close(waiter)
        close(begin.read)
    }

    /// Whether a report, or the end of them, can be received at once.
    var hasReport: Bool {
        var wait = pollfd(fd: waiter, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, 0) > 0
    }

    /// Lets the box go on, from the waiter, with the name servers that its networks told.
    func go(_ nameServers: [IPAddress] = []) throws(SystemError) {
        let bytes = [UInt8(0)] + ReportChannel.text(nameServers).utf8
        try check("let the box go on") { Int32(Glibc.send(waiter, bytes, bytes.count, Int32(MSG_NOSIGNAL))) }
        CrashPoint.pass("go")
    }

    /// Waits in the box until it may go on; without a waiter it never may.
    /// - Returns: the name servers that its networks told.
    func waitForGo() -> [IPAddress] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(box, &bytes, bytes.count, 0)
            if count >= 1 { return ReportChannel.addresses(bytes[1..<count]) }
            if count < 0, errno == EINTR { continue }
            _exit(137)
        }
    }

    /// Says, from the box, that nothing but the command's execution is left to do.
    func beginning() {
        var byte: UInt8 = 0
        // A waiter that is gone is no error.
        _ = write(begin.write, &byte, 1)
    }

    /// Whether the box had said so when the pipe came to its end, asked from the waiter.
    var hasBegun: Bool {
        var byte: UInt8 = 0
        return read(begin.read, &byte, 1) == 1
    }

    /// Whether the waiter is gone, asked from the box.
    var isWaiterGone: Bool {
        var wait = pollfd(fd: box, events: 0, revents: 0)
        return poll(&wait, 1, 0) > 0 && wait.revents & Int16(POLLHUP) != 0
    }

    /// Sends from the box. A waiter that is gone is no error.
    func send(_ report: Report) {
        switch report {
        case .failed(let error): send(0, error.status, text: [error.key ?? "", error.message])
        case .stopped(let signal): send(1, signal)
        case .terminal(let descriptor): send(2, 0, descriptor: descriptor)
        case .begun: send(3, 0)
        case .sibling(let pid): send(4, pid)
        case .attached(let nameServers): send(5, 0, text: [ReportChannel.text(nameServers)])
        }
    }

    /// The next report; nil when the box's end is closed everywhere.
    func receive() throws(SystemError) -> Report? {
        var bytes = [UInt8](repeating: 0, count: 8192)
        var descriptor: Int32 = -1
        let count = try check("hear from the box") {
            Int32(linux_receive_message(waiter, &bytes, bytes.count, &descriptor))
        }
        guard count >= 5 else { return nil }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 1, as: Int32.self) }
        switch bytes[0] {
        case 1: return .stopped(signal: value)
        case 2: return .terminal(descriptor: descriptor)
        case 3: return .begun
        case 4: return .sibling(pid: value)
        case 5: return .attached(nameServers: ReportChannel.addresses(bytes[5..<Int(count)]))
        default:
            let parts = bytes[5..<Int(count)].split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            let texts = parts.map { String(decoding: $0, as: UTF8.self) }
            let key = texts.first ?? ""
            return .failed(LaunchError(key: key.isEmpty ? nil : key, texts.last ?? "", status: value))
        }
    }

    /// As many as fit: resolv.conf(5) takes three.
    private static func text(_ addresses: [IPAddress]) -> String {
        addresses.prefix(50).map { $0.description }.joined(separator: " ")
    }

    private static func addresses(_ bytes: ArraySlice<UInt8>) -> [IPAddress] {
        bytes.split(separator: UInt8(ascii: " ")).compactMap { IPAddress(String(decoding: $0, as: UTF8.self)) }
    }

    private func send(_ kind: UInt8, _ value: Int32, text: [String] = [], descriptor: Int32 = -1) {
        var bytes = [kind] + withUnsafeBytes(of: value) { Array($0) }
        for (index, part) in text.enumerated() {
            if index > 0 { bytes.append(0) }
            bytes += part.utf8.prefix(4000)
        }
        _ = linux_send_message(box, bytes, bytes.count, descriptor)
    }
}
