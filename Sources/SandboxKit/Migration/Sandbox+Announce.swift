import Glibc
import Kernel
import Launch
import Switching

extension Sandbox {
    /// Tells its neighbours where its addresses are now.
    func announce() throws(LaunchError) {
        let record = try record()
        guard let process = record.process, !record.ports.isEmpty else { return }
        try translated { () throws(SystemError) in
            let namespace = try Descriptor(open: "/proc/\(process.pid)/ns/net", O_RDONLY)
            for port in record.ports { try Announcement.send(port, in: namespace.number) }
        }
    }
}
