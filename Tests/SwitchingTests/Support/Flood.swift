import Addresses
import Glibc
import Kernel
import Netlink
import Synchronization
import Testing

/// Traffic between two namespaces until it is stopped: a numbered datagram there and back every millisecond, and a TCP
/// stream beside it.
final class Flood: Sendable {
    struct Count: Equatable {
        var sent = 0
        var returned = 0
        var streamed = 0
        var received = 0
    }

    private struct Sockets {
        var ask: Int32
        var answer: Int32
        var out: Int32
        var `in`: Int32
    }

    private let isOver = Atomic<Bool>(false)
    private let sockets: Sockets
    private let count = Mutex(Count())
    private let thread: Mutex<pthread_t>

    init(from client: Int32, to server: Int32, _ address: IPAddress) throws {
        let answer = try bound(server, Int32(SOCK_DGRAM.rawValue), 4001)
        let listener = try bound(server, Int32(SOCK_STREAM.rawValue), 4001)
        try check("listen") { listen(listener, 1) }
        let ask = try connected(client, Int32(SOCK_DGRAM.rawValue), address, 4001)
        let out = try connected(client, Int32(SOCK_STREAM.rawValue), address, 4001)
        let accepted = try check("accept") { accept(listener, __SOCKADDR_ARG(__sockaddr__: nil), nil) }
        close(listener)
        for socket in [ask, answer, out, accepted] { _ = fcntl(socket, F_SETFL, O_NONBLOCK) }
        sockets = Sockets(ask: ask, answer: answer, out: out, in: accepted)
        thread = Mutex(pthread_t())
        let own = Unmanaged.passRetained(self)
        var started = pthread_t()
        let failed = pthread_create(
            &started, nil,
            { raw in
                if let raw { Unmanaged<Flood>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            }, own.toOpaque())
        try #require(failed == 0)
        let made = started
        thread.withLock { $0 = made }
    }

    /// Ends it once everything has had half a second to arrive.
    func stop() -> Count {
        isOver.store(true, ordering: .relaxed)
        _ = thread.withLock { pthread_join($0, nil) }
        for socket in [sockets.ask, sockets.answer, sockets.out, sockets.in] { close(socket) }
        return count.withLock { $0 }
    }

    private func run() {
        var own = Count()
        while !isOver.load(ordering: .relaxed) {
            if send(sockets.ask, "x", 1, 0) == 1 { own.sent += 1 }
            stream(&own)
            for _ in 0..<4 {
                answer(&own)
                usleep(200)
            }
        }
        for _ in 0..<500 where own.returned < own.sent || own.received < own.streamed {
            answer(&own)
            receive(&own)
            usleep(1000)
        }
        let final = own
        count.withLock { $0 = final }
    }

    private func answer(_ own: inout Count) {
        var (place, size) = (sockaddr_storage(), socklen_t(MemoryLayout<sockaddr_storage>.size))
        var byte: UInt8 = 0
        withUnsafeMutablePointer(to: &place) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                while recvfrom(sockets.answer, &byte, 1, 0, __SOCKADDR_ARG(__sockaddr__: place), &size) == 1 {
                    _ = sendto(sockets.answer, &byte, 1, 0, __CONST_SOCKADDR_ARG(__sockaddr__: place), size)
                }
            }
        }
        while recv(sockets.ask, &byte, 1, 0) == 1 { own.returned += 1 }
    }

    private func stream(_ own: inout Count) {
        let bytes = [UInt8](repeating: 1, count: 16_384)
        let sent = send(sockets.out, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        if sent > 0 { own.streamed += sent }
        receive(&own)
    }

    private func receive(_ own: inout Count) {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got = recv(sockets.in, &bytes, bytes.count, 0)
            if got <= 0 { return }
            own.received += got
        }
    }
}

private func storage(_ address: IPAddress?, _ port: UInt16) -> sockaddr_in6 {
    var place = sockaddr_in6()
    place.sin6_family = sa_family_t(AF_INET6)
    place.sin6_port = port.bigEndian
    guard let address else { return place }
    let mapped =
        address.family == .v6 ? address.bytes : [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + address.bytes
    withUnsafeMutableBytes(of: &place.sin6_addr) { $0.copyBytes(from: mapped) }
    return place
}

func bound(_ namespace: Int32, _ type: Int32, _ port: UInt16) throws -> Int32 {
    let socket = try openSocket(in: namespace, AF_INET6, type, 0).take()
    var place = storage(nil, port)
    try check("bind") {
        withUnsafePointer(to: &place) {
            bind(socket, __CONST_SOCKADDR_ARG(__sockaddr_in6__: $0), socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
    }
    return socket
}

private func connected(_ namespace: Int32, _ type: Int32, _ address: IPAddress, _ port: UInt16) throws -> Int32 {
    let socket = try openSocket(in: namespace, AF_INET6, type, 0).take()
    var wait = timeval(tv_sec: 3, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    var place = storage(address, port)
    try check("connect") {
        withUnsafePointer(to: &place) {
            connect(socket, __CONST_SOCKADDR_ARG(__sockaddr_in6__: $0), socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
    }
    return socket
}

/// Whether a datagram to a port arrives, within a tenth of a second for each try.
func arrives(
    from client: Int32, to server: Int32, _ address: IPAddress, port: UInt16 = 4000, tries: Int = 20
) throws -> Bool {
    let receiver = Descriptor(try bound(server, Int32(SOCK_DGRAM.rawValue), port))
    var wait = timeval(tv_sec: 0, tv_usec: 100_000)
    setsockopt(receiver.number, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    let sender = Descriptor(try openSocket(in: client, AF_INET6, Int32(SOCK_DGRAM.rawValue), 0).take())
    var place = storage(address, port)
    for _ in 0..<tries {
        // A neighbour that does not answer is an error of a later send.
        _ = withUnsafePointer(to: &place) {
            sendto(
                sender.number, "x", 1, 0, __CONST_SOCKADDR_ARG(__sockaddr_in6__: $0),
                socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
        var byte: UInt8 = 0
        if recv(receiver.number, &byte, 1, 0) == 1 { return true }
    }
    return false
}
