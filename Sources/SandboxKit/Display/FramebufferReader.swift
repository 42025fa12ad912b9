import CLinux
import Glibc
import Kernel

/// Reads a screen once by the remote framebuffer protocol (RFC 6143), from a server that may be hostile: it is given no
/// more memory, and no more time, than a screen needs.
///
/// LibVNCClient would be the library for it. Debian has it as a shared one only, and this executable is static; it brings
/// GnuTLS, SASL, libjpeg and LZO for encodings and logins that a socket of the box's own does without, and hands whatever
/// a hostile server sends to their decoders. What is needed of the protocol is one screen of plain pixels.
struct FramebufferReader: ~Copyable {
    private let connection: Descriptor
    private let deadline: Int
    private let isAlone: Bool

    private static let action = "read the screen"
    private static let malformed = SystemError(action, code: EPROTO, mend: "the box's X server is not what it was")

    /// Connects.
    /// - Parameter socket: its `O_PATH` descriptor.
    /// - Parameter milliseconds: for how long at most.
    /// - Parameter alone: whether all others who look on are sent away.
    init(_ socket: Int32, milliseconds: Int, alone: Bool = false) throws(SystemError) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let made = Descriptor(try check("make a socket") { Glibc.socket(AF_UNIX, type, 0) })
        try check("connect to the display") { linux_unix_connect(made.number, "/proc/self/fd/\(socket)") }
        connection = made
        isAlone = alone
        deadline = monotonicMilliseconds() + milliseconds
    }

    /// Asks for the whole screen and waits for all of it, and until the server has let go of the connection.
    func read() throws(SystemError) -> Picture {
        let picture = try screen()
        shutdown(connection.number, Int32(SHUT_WR))
        var rest = [UInt8](repeating: 0, count: 4096)
        while true {
            try wait(for: POLLIN)
            let count = recv(connection.number, &rest, rest.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return picture }
            if count < 0, errno != EAGAIN, errno != EINTR { throw SystemError(Self.action, code: errno) }
        }
    }

    private func screen() throws(SystemError) -> Picture {
        try greet()
        var picture = try begin()
        var left = picture.width * picture.height
        while left > 0 {
            switch try bytes(1)[0] {
            case 0: left -= try update(&picture)
            case 1: try skip(6 * number16(Array(try bytes(5)[3...])))
            case 2: continue
            case 3: try skip(number32(Array(try bytes(7)[3...])))
            default: throw Self.malformed
            }
        }
        return picture
    }

    /// Version 3.8, and no authentication: who may open the socket may see the screen.
    private func greet() throws(SystemError) {
        guard try bytes(12).starts(with: Array("RFB 003.".utf8)) else { throw Self.malformed }
        try send(Array("RFB 003.008\n".utf8))
        guard try bytes(Int(try bytes(1)[0])).contains(1) else { throw Self.malformed }
        try send([1])
        guard try bytes(4) == [0, 0, 0, 0] else { throw Self.malformed }
        try send([isAlone ? 0 : 1])
    }

    /// Has pixels of four bytes (blue, green, red) sent, not encoded, and asks for all of them.
    private func begin() throws(SystemError) -> Picture {
        let start = try bytes(24)
        let (width, height) = (try number16(Array(start[0..<2])), try number16(Array(start[2..<4])))
        guard (1...16384).contains(width), (1...16384).contains(height) else { throw Self.malformed }
        try skip(try number32(Array(start[20..<24])))
        try send([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0])
        try send([2, 0, 0, 1, 0, 0, 0, 0])
        try send([3, 0, 0, 0, 0, 0] + Array(start[0..<4]))
        return Picture(width: width, height: height)
    }

    /// The rectangles of one update.
    /// - Returns: how many pixels they have.
    private func update(_ picture: inout Picture) throws(SystemError) -> Int {
        var count = 0
        for _ in 0..<(try number16(Array(try bytes(3)[1...]))) {
            let head = try bytes(12)
            var numbers: [Int] = []
            for index in 0..<4 { numbers.append(try number16(Array(head[2 * index..<2 * index + 2]))) }
            let (x, y, width, height) = (numbers[0], numbers[1], numbers[2], numbers[3])
            guard head[8...].allSatisfy({ $0 == 0 }), x + width <= picture.width, y + height <= picture.height else {
                throw Self.malformed
            }
            for row in y..<y + height { picture.put(try bytes(4 * width), x: x, y: row) }
            count += width * height
        }
        return count
    }

    // MARK: - Bytes

    private func number16(_ bytes: [UInt8]) throws(SystemError) -> Int { Int(bytes[0]) << 8 | Int(bytes[1]) }

    private func number32(_ bytes: [UInt8]) throws(SystemError) -> Int {
        let number = bytes.reduce(0) { $0 << 8 | Int($1) }
        // A name, or a text that was copied.
        guard number <= 1 << 20 else { throw Self.malformed }
        return number
    }

    private func skip(_ count: Int) throws(SystemError) {
        var left = count
        while left > 0 { left -= try bytes(min(left, 4096)).count }
    }

    private func bytes(_ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            try wait(for: POLLIN)
            let received = bytes.withUnsafeMutableBytes { buffer in
                recv(connection.number, buffer.baseAddress.map { $0 + filled }, count - filled, 0)
            }
            if received == 0 { throw SystemError(Self.action, code: ECONNRESET) }
            if received < 0, errno != EAGAIN, errno != EINTR { throw SystemError(Self.action, code: errno) }
            filled += max(0, received)
        }
        return bytes
    }

    private func send(_ bytes: [UInt8]) throws(SystemError) {
        try wait(for: POLLOUT)
        let sent = Glibc.send(connection.number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        if sent != bytes.count { throw SystemError(Self.action, code: sent < 0 ? errno : EIO) }
    }

    private func wait(for event: Int32) throws(SystemError) {
        var wait = pollfd(fd: connection.number, events: Int16(event), revents: 0)
        let left = max(0, deadline - monotonicMilliseconds())
        let count = try check(Self.action) { poll(&wait, 1, Int32(left)) }
        if count == 0 { throw SystemError(Self.action, code: ETIMEDOUT, mend: "the box's X server does not answer") }
    }
}

extension Picture {
    /// Pixels of four bytes, blue first.
    fileprivate mutating func put(_ row: [UInt8], x: Int, y: Int) {
        var place = (y * width + x) * 3
        pixels.withUnsafeMutableBufferPointer { pixels in
            row.withUnsafeBufferPointer { row in
                var index = 0
                while index < row.count {
                    (pixels[place], pixels[place + 1], pixels[place + 2]) = (row[index + 2], row[index + 1], row[index])
                    place += 3
                    index += 4
                }
            }
        }
    }
}
