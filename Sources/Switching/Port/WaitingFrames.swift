import Addresses
import CLinux
import Glibc
import Kernel
import Netlink

/// Frames for a box that stands still, kept until they can reach it where it goes on. What is dropped instead comes again
/// only after a time of its sender's own, which TCP doubles with each packet that is not answered.
public final class WaitingFrames {
    private var lines: [FrameLine] = []

    /// Makes ready to keep those for some ports.
    /// - Parameter box: a descriptor of their network namespace.
    /// - Parameter fabric: a port's switch; `nil` where frames cannot be given to it.
    init(
        _ ports: [Port], of box: Int32, _ fabric: (Port) throws(SwitchError) -> Switch?
    ) throws(SwitchError) {
        for port in ports {
            guard let mac = port.mac, let fabric = try fabric(port) else { continue }
            try attributed { () throws(SystemError) in
                guard let link = try NetlinkSocket(in: box).link(.name(port.name)) else { return }
                lines.append(try FrameLine(link, mac, of: box, to: fabric.namespace.number))
            }
        }
    }

    /// All of its descriptors, for a process that closes others.
    public var descriptors: [Int32] { lines.flatMap { $0.descriptors } }

    /// Begins.
    public func keep() throws(SwitchError) {
        try attributed { () throws(SystemError) in for line in lines { try line.keep() } }
    }

    /// Has the switches deliver what has come.
    public func pass() { for line in lines { line.pass() } }

    /// This process keeps no more of them: the ports' namespace can go.
    public func end() { lines = [] }
}

/// Where frames for one port come and whence they go on.
private final class FrameLine {
    private let link: Int32
    private let mac: [UInt8]
    private let source: Descriptor
    private let target: Descriptor

    /// Bytes before each frame that tell what it lacks of check sums and lengths (`struct virtio_net_hdr`).
    private static let head = 10
    /// Bytes that are kept at most; what comes later is dropped.
    private static let room: Int32 = 1 << 20
    /// How the Ethernet addresses of those begin who are asked for an IPv6 address (RFC 4291, 2.7.1).
    private static let asked: [UInt8] = [0x33, 0x33, 0xff]

    init(_ link: Link, _ mac: MACAddress, of box: Int32, to fabric: Int32) throws(SystemError) {
        (self.link, self.mac) = (link.index, mac.bytes)
        // Both hear nothing before they are bound to a protocol.
        source = try FrameLine.open(in: box)
        target = try FrameLine.open(in: fabric)
        try FrameLine.set(source.number, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        try FrameLine.set(source.number, SOL_SOCKET, SO_RCVBUFFORCE, FrameLine.room)
        try check("send from the switch") { linux_packet_bind(target.number, FabricName.bridgeIndex, 0) }
    }

    private static func open(in namespace: Int32) throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let socket = try openSocket(in: namespace, AF_PACKET, type, 0)
        try set(socket.number, SOL_PACKET, PACKET_VNET_HDR, 1)
        return socket
    }

    private static func set(_ socket: Int32, _ level: Int32, _ name: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        try check("make ready to keep frames") {
            setsockopt(socket, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    var descriptors: [Int32] { [source.number, target.number] }

    func keep() throws(SystemError) {
        try check("keep frames") { linux_packet_bind(source.number, link, PacketLine.all) }
    }

    func pass() {
        // First all: where the box has not gone they come here again.
        for frame in taken() {
            // One that is lost comes again from its sender.
            _ = send(target.number, frame, frame.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
    }

    private func taken() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        while true {
            let count = recv(source.number, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EINTR { continue }
            if count < 0 { return frames }
            if isMeant(bytes[..<count]) { frames.append(Array(bytes[..<count])) }
        }
    }

    /// Whether the box alone is to get it, and a switch that does not know where it is would send it elsewhere.
    private func isMeant(_ bytes: ArraySlice<UInt8>) -> Bool {
        let frame = bytes.dropFirst(FrameLine.head)
        return frame.starts(with: mac) || frame.starts(with: FrameLine.asked)
    }
}
