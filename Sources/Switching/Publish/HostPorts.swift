import Addresses
import CLinux
import Glibc
import Kernel
import Profile

/// Ports of the host as its own programs have them.
struct HostPorts {
    /// A descriptor of the host's network namespace.
    let host: Int32

    /// - Throws: where a program of the host's has the port, or the host has not got the address.
    func check(_ port: PublishedPort) throws(SwitchError) {
        let code = try tryBind(port)
        switch code {
        case 0: return
        case EADDRINUSE:
            throw SwitchError(
                key: "publish", "\(port.text) is in use by a program of the host's",
                mend: "choose another port; 'ss -lntup' tells who has it")
        case EADDRNOTAVAIL:
            throw SwitchError(
                key: "publish", "\(port.address?.description ?? "") is no address of the host's",
                mend: "see 'ip address', or leave the address out")
        default: throw SwitchError(SystemError("try \(port.text)", code: code), key: "publish")
        }
    }

    /// The errno value of bind(2).
    private func tryBind(_ port: PublishedPort) throws(SwitchError) -> Int32 {
        let isTCP = port.transport == .tcp
        let type = Int32((isTCP ? SOCK_STREAM : SOCK_DGRAM).rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let family = Int32(port.family.number)
        let socket = Descriptor(
            try attributed(to: "publish") { () throws(SystemError) in
                try Kernel.check("open a socket") { linux_socket_in(host, -1, family, type, 0) }
            })
        var on: Int32 = 1
        // A listener is in the way, a connection that is over is not. Of UDP all sockets are.
        if isTCP { setsockopt(socket.number, SOL_SOCKET, SO_REUSEADDR, &on, 4) }
        if port.family == .v6 { setsockopt(socket.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, 4) }
        return bind(socket.number, port) == 0 ? 0 : errno
    }

    private func bind(_ socket: Int32, _ port: PublishedPort) -> Int32 {
        let bytes = (port.address ?? .unspecified(port.family)).bytes
        func with<Address>(_ address: Address) -> Int32 {
            withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(socket, __CONST_SOCKADDR_ARG(__sockaddr__: $0), socklen_t(MemoryLayout<Address>.size))
                }
            }
        }
        switch port.family {
        case .v4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.port.bigEndian
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
            return with(address)
        case .v6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.port.bigEndian
            withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
            return with(address)
        }
    }
}
