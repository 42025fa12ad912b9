import CLinux
import Glibc
import Kernel

/// The socket on which a detached sandbox's init serves its terminal (unix(7)).
enum TerminalSocket {
    private static let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)

    /// A socket in `folder` that can be connected to; does not block. It is the caller's to close.
    static func listen(in folder: borrowing StateFolder) throws(SystemError) -> Int32 {
        let action = "make \(folder.path)/\(File.terminal)"
        try folder.remove(File.terminal)
        let socket = Descriptor(try check(action) { Glibc.socket(AF_UNIX, type | Int32(SOCK_NONBLOCK.rawValue), 0) })
        try check(action) { linux_unix_bind(socket.number, path(in: folder)) }
        try check(action) { fchmodat(folder.descriptor.number, File.terminal, 0o600, 0) }
        try check(action) { Glibc.listen(socket.number, 8) }
        return socket.take()
    }

    /// A connection to the socket in `folder`.
    static func connect(in folder: borrowing StateFolder) throws(SystemError) -> Descriptor {
        let action = "reach \(folder.path)/\(File.terminal)"
        let socket = Descriptor(try check(action) { Glibc.socket(AF_UNIX, type, 0) })
        try check(action) { linux_unix_connect(socket.number, path(in: folder)) }
        return socket
    }

    /// What an address has no room for is reached by way of the folder's descriptor.
    private static func path(in folder: borrowing StateFolder) -> String {
        let path = "\(folder.path)/\(File.terminal)"
        return path.utf8.count < 108 ? path : "/proc/self/fd/\(folder.descriptor.number)/\(File.terminal)"
    }
}
