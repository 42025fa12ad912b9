import CLinux
import Glibc
import Kernel

/// passwd(5) and group(5) of a box that runs, which may have put anything in their place: a device that is opened does
/// something, a pipe never ends.
struct AccountFiles {
    /// Descriptors by their numbers, in a /proc that is not the box's.
    private let descriptors: Int32
    private static let sizeLimit = 16 << 20

    /// Call it before the box is entered.
    init() throws(LaunchError) {
        descriptors = try attributed(to: "process.user") { () throws(SystemError) in
            try Descriptor(open: "/proc/self/fd", O_PATH | O_DIRECTORY).take()
        }
    }

    /// Call it in the box, once.
    func database() throws(LaunchError) -> AccountDatabase {
        AccountDatabase(passwd: try read("/etc/passwd"), group: try read("/etc/group"))
    }

    /// The file's text; empty for what is no file. It is opened only after it is known to be one.
    private func read(_ path: String) throws(LaunchError) -> String {
        try attributed(to: "process.user") { () throws(SystemError) -> String in
            let root = RootDirectory(try Descriptor(open: "/", O_PATH | O_DIRECTORY))
            guard let number = try root.find(path) else { return "" }
            let found = Descriptor(number)
            guard try FileStatus(found.number, name: path).kind == .file else { return "" }
            let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC
            let file = Descriptor(
                try check("open \(path)") { linux_openat(descriptors, "\(found.number)", flags, 0) })
            return try readText(file.number, name: path, atMost: AccountFiles.sizeLimit)
        }
    }
}
