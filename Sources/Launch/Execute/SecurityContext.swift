import CLinux
import Glibc
import Kernel

/// A listening socket of the box's own at the caller's Wayland compositor, whose clients the compositor knows to be
/// confined (the protocol security-context-v1): it keeps from them what reads keys, pictures or the clipboard behind the
/// user's back.
///
/// The compositor is asked in the caller's world, and gets the socket once the box has made it. It takes a handful of
/// messages of the Wayland protocol, and no library.
struct SecurityContext {
    static let key = "display.server"
    private static let manager = "wp_security_context_manager_v1"
    /// Objects of the connection; the display is 1.
    private enum Object {
        static let display: UInt32 = 1, registry: UInt32 = 2, manager: UInt32 = 3, context: UInt32 = 4
    }

    private let connection: WaylandConnection
    /// The writing end of a pipe: the compositor takes connections until nobody holds it any more.
    let line: Int32
    private let end: Int32

    /// Asks the compositor.
    /// - Returns: nil where it does not have the protocol.
    init?(_ socket: String) throws(SystemError) {
        var connection = try WaylandConnection(socket)
        // get_registry, sync.
        try connection.send(Object.display, 1, WaylandConnection.number(Object.registry))
        var name: UInt32?
        try connection.roundTrip { object, code, body in
            guard object == Object.registry, code == 0, let global = WaylandConnection.global(body) else { return }
            if global.interface == SecurityContext.manager { name = global.name }
        }
        guard let name else {
            connection.close()
            return nil
        }
        // bind, as version 1.
        try connection.send(
            Object.registry, 0,
            WaylandConnection.number(name) + WaylandConnection.text(SecurityContext.manager)
                + WaylandConnection.number(1)
                + WaylandConnection.number(Object.manager))
        try connection.roundTrip { _, _, _ in }
        self.connection = connection
        (end, line) = try makePipe("make a pipe")
    }

    /// Makes the socket in the box, by a process of the box's user, and gives it to the compositor.
    /// - Parameter application: what is launched, and `instance` which launch of it.
    func listen(at path: String, application: String, instance: String) throws(SystemError) {
        var connection = connection
        defer {
            connection.close()
            close(end)
            close(line)
        }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let listener = Descriptor(try check("make a socket") { socket(AF_UNIX, type, 0) })
        try check("make \(path)") { linux_unix_bind(listener.number, path) }
        try check("listen at \(path)") { Glibc.listen(listener.number, SOMAXCONN) }
        // create_listener, set_sandbox_engine, set_app_id, set_instance_id, commit.
        try connection.send(
            Object.manager, 1, WaylandConnection.number(Object.context), descriptors: [listener.number, end])
        for (code, text): (UInt16, String) in [(1, "sandbox"), (2, application), (3, instance)] {
            try connection.send(Object.context, code, WaylandConnection.text(text))
        }
        try connection.send(Object.context, 4, [])
        try connection.roundTrip { _, _, _ in }
    }
}

/// A connection to a Wayland compositor: messages of an object's number, their size and kind, and numbers and texts of
/// four bytes each or a multiple.
private struct WaylandConnection {
    private static let action = "ask the Wayland compositor"
    private static let malformed = SystemError(
        action, code: EPROTO, mend: "WAYLAND_DISPLAY must name a compositor's socket")
    private let socket: Int32
    /// Numbers for objects that live for one answer, apart from those that have a name.
    private var next: UInt32 = 16

    init(_ path: String) throws(SystemError) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let made = Descriptor(try check("make a socket") { Glibc.socket(AF_UNIX, type, 0) })
        try check("connect to \(path)") { linux_unix_connect(made.number, path) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        try check(Self.action) {
            setsockopt(made.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        socket = made.take()
    }

    func close() { Glibc.close(socket) }

    func send(
        _ object: UInt32, _ code: UInt16, _ body: [UInt8], descriptors: [Int32] = []
    ) throws(SystemError) {
        let bytes = Self.number(object) + Self.number(UInt32(8 + body.count) << 16 | UInt32(code)) + body
        let sent = try check(Self.action) {
            Int32(linux_send_descriptors(socket, bytes, bytes.count, descriptors, UInt32(descriptors.count)))
        }
        if Int(sent) != bytes.count { throw SystemError(Self.action, code: EIO) }
    }

    /// Waits until the compositor has answered all that was sent, and hears of its events.
    mutating func roundTrip(_ event: (UInt32, UInt16, [UInt8]) -> Void) throws(SystemError) {
        let callback = next
        next += 1
        try send(1, 0, Self.number(callback))
        while true {
            let head = try receive(8)
            let (object, word) = (Self.word(head, 0), Self.word(head, 4))
            guard word >> 16 >= 8 else { throw Self.malformed }
            let body = try receive(Int(word >> 16) - 8)
            // An error of the display's: an object, a number and a text.
            if object == 1, word & 0xffff == 0 {
                let text = body.count > 12 ? Self.text(body, at: 8) ?? "" : ""
                throw SystemError("\(Self.action): \(text.isEmpty ? "it refuses" : text)", code: EPROTO)
            }
            if object == callback { return }
            event(object, UInt16(word & 0xffff), body)
        }
    }

    private func receive(_ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let received = try check(Self.action) {
                bytes.withUnsafeMutableBytes { buffer in
                    Int32(recv(socket, buffer.baseAddress.map { $0 + filled }, count - filled, 0))
                }
            }
            if received == 0 { throw SystemError(Self.action, code: ECONNRESET) }
            filled += Int(received)
        }
        return bytes
    }

    // MARK: - Values

    static func number(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    /// With a zero at its end, and more of them up to a multiple of four bytes.
    static func text(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return number(UInt32(bytes.count + 1)) + bytes + [UInt8](repeating: 0, count: 4 - bytes.count % 4)
    }

    private static func word(_ bytes: [UInt8], _ place: Int) -> UInt32 {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: UInt32.self) }
    }

    private static func text(_ bytes: [UInt8], at place: Int) -> String? {
        guard bytes.count >= place + 4 else { return nil }
        let count = Int(word(bytes, place))
        guard count > 0, count <= bytes.count - place - 4 else { return nil }
        return String(decoding: bytes[(place + 4)..<(place + 3 + count)], as: UTF8.self)
    }

    /// What the event `global` of the registry tells.
    static func global(_ body: [UInt8]) -> (name: UInt32, interface: String)? {
        guard body.count >= 8, let interface = text(body, at: 4) else { return nil }
        return (word(body, 0), interface)
    }
}
