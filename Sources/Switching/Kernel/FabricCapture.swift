import CLinux
import Glibc
public import Kernel
import Netlink

/// All that a switch of several bridges forwards, each frame once: where it comes in. tcpdump(8) looks at one interface,
/// so it gets what we see at all of the bridges, those too that are joined meanwhile.
public struct FabricCapture {
    private let capture: PacketCapture
    private let namespace: Int32
    private let name: String

    /// - Parameter namespace: the switch's.
    /// - Returns: `nil` where the switch has one bridge and room there: that needs no more than tcpdump.
    public init?(_ capture: PacketCapture, of name: String, in namespace: Int32) throws(SystemError) {
        (self.capture, self.namespace, self.name) = (capture, namespace, name)
        let socket = try NetlinkSocket(in: namespace)
        if try socket.link(.name(FabricName.bridge(1))) != nil { return }
        if try socket.links(master: FabricName.bridgeIndex).count < BridgeStar.limit / 2 { return nil }
    }

    /// Looks until it is told to end, has got the packets asked for, or the switch is gone. The process must have one
    /// thread.
    /// - Returns: tcpdump's exit status.
    public func run(_ engine: PacketCapture.Engine) throws(SystemError) -> Int32 {
        let signals = try ForwardedSignals()
        let line = try makePipe("start \(engine.program.path)")
        let reader = try startChild(in: []) { become(engine, line.read, signals.previous) }
        close(line.read)
        do throws(SystemError) {
            try writeBytes(FabricCapture.header, to: line.write, name: engine.program.path)
            try look(line.write, signals.descriptor.number, engine.program.path)
        } catch {
            close(line.write)
            // It has all the packets that it was to take.
            if error.code != EPIPE {
                _ = try waitForEnd(of: reader)
                throw error
            }
            return try status(of: reader)
        }
        close(line.write)
        return try status(of: reader)
    }

    private func status(of reader: Int32) throws(SystemError) -> Int32 {
        switch try waitForEnd(of: reader) {
        case .exited(let status): status
        default: 1
        }
    }

    /// tcpdump, out of the reach of a Ctrl-C that is for us: it is to write what it has been given.
    private func become(_ engine: PacketCapture.Engine, _ input: Int32, _ mask: SignalMask) -> Never {
        setpgid(0, 0)
        if dup2(input, STDIN_FILENO) < 0 { _exit(125) }
        _ = linux_close_range(3, UInt32.max, 0)
        mask.apply()
        let path = engine.program.path
        withCStrings([path] + capture.readingArguments) { words in _ = execve(path, words, Glibc.environ) }
        _exit(127)
    }

    // MARK: - Frames

    /// Of a file of packets: microseconds, whole frames, Ethernet (pcap-savefile(5)).
    private static let header = bytes([0xA1B2_C3D4, 4 << 16 | 2, 0, 0, 262_144, 1])

    private static func bytes(_ words: [UInt32]) -> [UInt8] { words.withUnsafeBytes { Array($0) } }

    private func look(_ output: Int32, _ signals: Int32, _ reader: String) throws(SystemError) {
        let links = try NetlinkSocket(in: namespace)
        var bridges: [Int32] = []
        defer { for socket in bridges { close(socket) } }
        while try join(&bridges, links) {}
        try sayWhere(bridges.count)
        var room = [UInt8](repeating: 0, count: 262_148)
        var (isOver, next) = (false, monotonicMilliseconds() + 1000)
        while !isOver {
            var waiting = ([signals] + bridges).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            waiting.append(pollfd(fd: output, events: 0, revents: 0))
            let count = poll(&waiting, nfds_t(waiting.count), 1000)
            if count < 0, errno != EINTR { throw SystemError("wait for packets", code: errno) }
            if monotonicMilliseconds() >= next {
                if try join(&bridges, links) { try sayWhere(bridges.count) }
                next = monotonicMilliseconds() + 1000
            }
            // What has come until now is written in any case.
            isOver = waiting[waiting.count - 1].revents != 0 || isToEnd(signals)
            for socket in bridges where try !pass(from: socket, to: output, &room, reader) { isOver = true }
        }
        let lost = bridges.reduce(0) { $0 &+ linux_capture_lost($1) }
        if lost > 0 { try say("\(lost) packets dropped by kernel\n") }
    }

    /// Whether a signal says so: not one of a terminal's size, say.
    private func isToEnd(_ signals: Int32) -> Bool {
        var signal = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while read(signals, &signal, size) == size {
            if [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD].contains(Int32(signal.ssi_signo)) { return true }
        }
        return false
    }

    /// Looks at the next bridge, where there is one more.
    private func join(_ bridges: inout [Int32], _ links: borrowing NetlinkSocket) throws(SystemError) -> Bool {
        guard let link = try links.link(.name(FabricName.bridge(bridges.count))) else { return false }
        let socket = try openSocket(
            in: namespace, AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let number = socket.number
        try check("listen on \(link.name)") { linux_capture_start(number, link.index, Ruleset.passing) }
        bridges.append(socket.take())
        return true
    }

    /// Hands on what is there, but not so much that others wait long.
    /// - Returns: whether there can be more.
    private func pass(
        from socket: Int32, to output: Int32, _ room: inout [UInt8], _ reader: String
    ) throws(SystemError) -> Bool {
        for _ in 0..<256 {
            var frame = linux_frame()
            if linux_capture_take(socket, &room, room.count, &frame) < 0 {
                switch errno {
                case EAGAIN: return true
                case EINTR: continue
                // The switch is gone.
                case ENETDOWN, ENODEV, ENXIO: return false
                default: throw SystemError("take a packet", code: errno)
                }
            }
            let head = FabricCapture.bytes([frame.seconds, frame.microseconds, frame.length, frame.length])
            let (start, end) = (Int(frame.offset), Int(frame.offset + frame.length))
            try writeBytes(head + room[start..<end], to: output, name: reader)
        }
        return true
    }

    private func sayWhere(_ count: Int) throws(SystemError) {
        try say("listening on \(name), \(count == 1 ? "1 bridge" : "\(count) bridges")\n")
    }

    private func say(_ text: String) throws(SystemError) {
        try writeText(text, to: STDERR_FILENO, name: "standard error")
    }
}
