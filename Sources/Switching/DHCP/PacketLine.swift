import Addresses
import CLinux
import Glibc
import Kernel
import Netlink

/// A socket for the packets of one protocol on one interface (packet(7)).
struct PacketLine: ~Copyable {
    /// Types of Ethernet frames (netinet/if_ether.h).
    static let ip: UInt16 = 0x0800
    static let arp: UInt16 = 0x0806
    static let ipv6: UInt16 = 0x86DD
    /// Any of them.
    static let all: UInt16 = 3

    private let socket: Descriptor
    private let link: Int32
    private let type: UInt16

    init(_ namespace: Int32, _ link: Int32, _ type: UInt16) throws(SystemError) {
        (self.link, self.type) = (link, type)
        // It hears of nothing until it is bound.
        let made = try openSocket(
            in: namespace, AF_PACKET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let number = made.number
        try check("listen on the interface") { linux_packet_bind(number, link, type) }
        socket = made
    }

    /// - Parameter station: 6 bytes; all stations when absent.
    func send(_ packet: [UInt8], to station: [UInt8] = MACAddress.broadcast.bytes) throws(SystemError) {
        let number = socket.number
        try check("send on the interface") {
            Int32(linux_packet_send(number, link, type, station, packet, packet.count))
        }
    }

    /// The first packet of which something can be made; `nil` when none has come within `wait` milliseconds.
    func first<Found>(
        within wait: Int32, _ read: (ArraySlice<UInt8>) -> Found?
    ) throws(SystemError) -> Found? {
        try firstPacket(at: socket.number, within: wait, read)
    }
}

/// The first packet at a socket of which something can be made; `nil` when none has come within `wait` milliseconds.
func firstPacket<Found>(
    at socket: Int32, within wait: Int32, _ read: (ArraySlice<UInt8>) -> Found?
) throws(SystemError) -> Found? {
    let end = leaseMilliseconds() + Int64(wait)
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while true {
        let left = end - leaseMilliseconds()
        if left <= 0 { return nil }
        var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        if poll(&waiting, 1, Int32(left)) <= 0 { continue }
        let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        if count < 0 {
            if errno == EAGAIN || errno == EINTR { continue }
            throw SystemError("receive on the interface", code: errno)
        }
        if let found = read(bytes[..<count]) { return found }
    }
}

/// Milliseconds of CLOCK_BOOTTIME: leases run on while the machine sleeps.
func leaseMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
