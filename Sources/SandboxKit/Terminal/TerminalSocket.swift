import CLinux
import Glibc
import Kernel

/// The socket on which a detached sandbox's init serves its terminal (unix(7)).
enum TerminalSocket {
    private static let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)

    /// A socket in `folder` that can be connected to; does not block. It is the caller's to close.
    static func listen(in folder: borrowing StateFolder) throws(SystemError) -> Int32 {
        let path = "\(folder.path)/\(File.terminal)"
        try folder.remove(File.terminal)
        let socket = Descriptor(
            try check("make \(path)") { Glibc.socket(AF_UNIX, type | Int32(SOCK_NONBLOCK.rawValue), 0) })
        try withAddress(in: folder) { address, size throws(SystemError) in
            try check("make \(path)") { bind(socket.number, address, size) }
        }
        try check("make \(path)") { fchmodat(folder.descriptor.number, File.terminal, 0o600, 0) }
        try check("make \(path)") { Glibc.listen(socket.number, 8) }
        return socket.take()
    }

    /// A connection to the socket in `folder`.
    static func connect(in folder: borrowing StateFolder) throws(SystemError) -> Descriptor {
        let path = "\(folder.path)/\(File.terminal)"
        let socket = Descriptor(try check("reach \(path)") { Glibc.socket(AF_UNIX, type, 0) })
        try withAddress(in: folder) { address, size throws(SystemError) in
            try check("reach \(path)") { Glibc.connect(socket.number, address, size) }
        }
        return socket
    }

    /// An address holds 107 bytes; a longer path is reached by way of the folder's descriptor.
    private static func withAddress(
        in folder: borrowing StateFolder, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        var path = Array("\(folder.path)/\(File.terminal)".utf8)
        let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
        if path.count > room { path = Array("/proc/self/fd/\(folder.descriptor.number)/\(File.terminal)".utf8) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            for index in 0..<path.count { bytes[index] = path[index] }
        }
        let failure = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> SystemError? in
                do throws(SystemError) {
                    try body(pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
    }
}
