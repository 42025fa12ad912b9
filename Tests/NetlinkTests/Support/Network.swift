import Addresses
import CLinux
import CNetlink
import Glibc
import Kernel
import Testing

@testable import Netlink

/// Whether tests can have network namespaces of their own.
let isRoot = geteuid() == 0
let needsRoot: Comment = "needs root, for network namespaces"

/// Runs `body` with the calling thread in a network namespace made for it, and takes the thread back afterwards; the
/// namespace goes with its last descriptor, and all that is in it. Nothing else has links of the host before it.
func inNewNetwork(_ body: (_ namespace: Int32) throws -> Void) throws {
    let home = try Descriptor(open: "/proc/thread-self/ns/net", O_RDONLY)
    try unshareNamespaces(.net)
    defer {
        // A thread of the pool that stays where it is would break all other tests.
        if setns(home.number, CLONE_NEWNET) != 0 { fatalError("no way back to the first network namespace") }
    }
    let here = try Descriptor(open: "/proc/thread-self/ns/net", O_RDONLY)
    try body(here.number)
}

/// Another network namespace; the calling thread stays where it is.
func newNetwork() throws -> Descriptor {
    let home = try Descriptor(open: "/proc/thread-self/ns/net", O_RDONLY)
    try unshareNamespaces(.net)
    let made = try Descriptor(open: "/proc/thread-self/ns/net", O_RDONLY)
    try joinNamespace(home.number, .net, name: "of before")
    return made
}

/// A network namespace with one interface in it, `eth0`, as an application has it.
struct Station: ~Copyable {
    let namespace: Descriptor
    let socket: NetlinkSocket
    let address: IPAddress

    /// Joined to a bridge of the calling thread's namespace by a veth whose host end has the name.
    static func join(
        _ name: String, _ prefix: String, on switchSocket: borrowing NetlinkSocket, bridge: Int32,
        mac: MACAddress? = nil, port: BridgePortOptions? = nil
    ) throws -> Station {
        try make(prefix) { namespace in
            let peer = LinkOptions("eth0", address: mac, namespace: namespace)
            let host = LinkOptions(name, master: bridge, isUp: true)
            try switchSocket.send(.create(LinkSpec(host, .veth(peer: peer))))
            if let port { try switchSocket.send(.change(.name(name), LinkChange(port: port))) }
        }
    }

    /// With the interface that `body` makes in the new namespace under the name `eth0`.
    static func make(_ prefix: String, _ body: (_ namespace: Int32) throws -> Void) throws -> Station {
        let prefix = try #require(IPPrefix(prefix))
        let namespace = try newNetwork()
        let socket = try NetlinkSocket(in: namespace.number)
        try body(namespace.number)
        let link = try #require(try socket.link("eth0"))
        let address = InterfaceAddress(prefix, link: link.index, flags: [.withoutDuplicateDetection])
        try socket.send([
            .change("lo", LinkChange(isUp: true)), .change("eth0", LinkChange(isUp: true, ipv6Addresses: .never)),
            .add(address),
        ])
        return Station(namespace: namespace, socket: socket, address: prefix.address)
    }

    /// - Parameter tries: the kernel asks for an unanswered neighbour again after a second, which is ten tries.
    func reaches(_ other: borrowing Station, tries: Int = 40) throws -> Bool {
        try arrives(from: namespace.number, to: other.namespace.number, other.address, tries: tries)
    }
}

/// Whether a datagram from one namespace arrives at an address of another, within a tenth of a second for each try.
func arrives(
    from: Int32, to: Int32, _ address: IPAddress, tries: Int
) throws -> Bool {
    let receiver = try openSocket(in: to, AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
    let sender = try openSocket(in: from, AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
    var wait = timeval(tv_sec: 0, tv_usec: 100_000)
    setsockopt(receiver.number, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    var place = sockaddr_in6()
    place.sin6_family = sa_family_t(AF_INET6)
    // At a port that nobody has: a child of another test's holds one of before until it executes its program.
    try check("bind") { withAddress(place) { bind(receiver.number, $0, $1) } }
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    try check("look for the port") {
        withUnsafeMutablePointer(to: &place) {
            getsockname(receiver.number, __SOCKADDR_ARG(__sockaddr_in6__: $0), &length)
        }
    }
    let bytes = address.family == .v6 ? address.bytes : [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + address.bytes
    withUnsafeMutableBytes(of: &place.sin6_addr) { $0.copyBytes(from: bytes) }
    for _ in 0..<tries {
        // A neighbour that does not answer is an error of a later send.
        _ = withAddress(place) { sendto(sender.number, "x", 1, 0, $0, $1) }
        var byte: UInt8 = 0
        if recv(receiver.number, &byte, 1, 0) == 1 { return true }
    }
    return false
}

private func withAddress<R>(_ address: sockaddr_in6, _ body: (__CONST_SOCKADDR_ARG, socklen_t) -> R) -> R {
    withUnsafePointer(to: address) {
        body(__CONST_SOCKADDR_ARG(__sockaddr_in6__: $0), socklen_t(MemoryLayout<sockaddr_in6>.size))
    }
}
