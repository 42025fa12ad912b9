import CLinux
import Glibc
import Kernel

/// Finds out whether a window manager takes care of windows, by one that it shows for that: who maps a window while one is
/// about to begin may be left without it.
///
/// It takes a handful of requests of the X protocol, and no library.
struct WindowManagerWait: ~Copyable {
    private static let action = "show a window to the window manager"
    private static let malformed = SystemError(action, code: EPROTO)
    private let connection: Descriptor
    private let window: [UInt8]
    private let property: [UInt8]

    init(_ authority: Authority) throws(SystemError) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let made = Descriptor(try check("make a socket") { socket(AF_UNIX, type, 0) })
        let path = DisplayPlan.folder + "/X0"
        try check("connect to \(path)") { linux_unix_connect(made.number, path) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        try check(Self.action) {
            setsockopt(made.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        let (kind, cookie) = (Array(Authority.kind.utf8), authority.cookie)
        try Self.send(
            made.number,
            [0x6c, 0, 11, 0, 0, 0, UInt8(kind.count), 0, UInt8(cookie.count), 0, 0, 0] + Self.padded(kind)
                + Self.padded(cookie))
        let (root, own) = try Self.windows(made.number)
        // CreateWindow, a pixel like its parent; InternAtom.
        try Self.send(
            made.number,
            [1, 0, 8, 0] + own + root + [0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0] + [UInt8](repeating: 0, count: 8))
        let name = Array("WM_STATE".utf8)
        let length = UInt8(2 + Self.padded(name).count / 4)
        try Self.send(made.number, [16, 0, length, 0, UInt8(name.count), 0, 0, 0] + Self.padded(name))
        let atom = try Self.answer(made.number)[8..<12]
        (window, property) = (own, Array(atom))
        connection = made
    }

    /// Shows the window (MapWindow), or takes it back (UnmapWindow).
    func show(_ isShown: Bool) throws(SystemError) {
        try Self.send(connection.number, [isShown ? 8 : 10, 0, 2, 0] + window)
    }

    /// Whether the window manager has taken the window on (GetProperty).
    func isManaged() throws(SystemError) -> Bool {
        try Self.send(
            connection.number, [20, 0, 6, 0] + window + property + [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
        let answer = try Self.answer(connection.number)
        let words = answer[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        if words > 1 { throw Self.malformed }
        if words > 0 { _ = try Self.receive(connection.number, 4 * words) }
        return words > 0
    }

    /// The first screen's root window and an id for one of this client's, from what the server says first.
    private static func windows(_ connection: Int32) throws(SystemError) -> (root: [UInt8], own: [UInt8]) {
        let head = try receive(connection, 8)
        guard head[0] == 1 else { throw malformed }
        let body = try receive(connection, 4 * (Int(head[6]) | Int(head[7]) << 8))
        guard body.count >= 32 else { throw malformed }
        let vendor = Int(body[16]) | Int(body[17]) << 8
        let place = 32 + (vendor + 3) / 4 * 4 + 8 * Int(body[21])
        guard body.count >= place + 4 else { throw malformed }
        return (Array(body[place..<place + 4]), [body[4] | 1] + body[5..<8])
    }

    /// The 32 bytes of a reply.
    private static func answer(_ connection: Int32) throws(SystemError) -> [UInt8] {
        let answer = try receive(connection, 32)
        guard answer[0] == 1 else { throw malformed }
        return answer
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }

    private static func send(_ connection: Int32, _ bytes: [UInt8]) throws(SystemError) {
        let sent = try check(action) { Int32(Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))) }
        if Int(sent) != bytes.count { throw SystemError(action, code: EIO) }
    }

    private static func receive(_ connection: Int32, _ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let received = try check(action) {
                bytes.withUnsafeMutableBytes { buffer in
                    Int32(recv(connection, buffer.baseAddress.map { $0 + filled }, count - filled, 0))
                }
            }
            if received == 0 { throw SystemError(action, code: ECONNRESET) }
            filled += Int(received)
        }
        return bytes
    }
}
