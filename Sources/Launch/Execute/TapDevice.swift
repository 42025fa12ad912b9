import CLinux
import Glibc
import Kernel

/// The character device of a macvtap interface of the calling process's network namespace: a program that reads and
/// writes Ethernet frames there has the interface's port for itself (ip-link(8), macvtap).
struct TapDevice {
    private let interface: String

    init(_ interface: String) { self.interface = interface }

    /// Makes `tapN` in a directory, N being the interface's index, for its owner alone.
    /// - Returns: it, opened with O_PATH.
    func make(in directory: Int32) throws(SystemError) -> Descriptor {
        let index = if_nametoindex(interface)
        if index == 0 { throw SystemError("find the interface \(interface)", code: errno) }
        let name = "tap\(index)"
        let number = try deviceNumber(name)
        try check("make the device /dev/\(name)") { mknodat(directory, name, S_IFCHR | 0o600, number) }
        return try Descriptor(
            check("open /dev/\(name)") { linux_openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0) })
    }

    /// A sysfs(5) of this network namespace, mounted nowhere, tells it: "MAJOR:MINOR".
    private func deviceNumber(_ name: String) throws(SystemError) -> dev_t {
        let system = try MountTree(new: "sysfs", attributes: [.readOnly], action: "look at the device of \(interface)")
        let path = "class/net/\(interface)/\(name)/dev"
        let file = try Descriptor(
            check("look at the device of \(interface)") {
                linux_openat(system.descriptor.number, path, O_RDONLY | O_CLOEXEC, 0)
            })
        let text = try readText(file.number, name: path)
        let parts = text.split { $0 == ":" || $0 == "\n" }.compactMap { UInt32($0) }
        guard parts.count == 2 else { throw SystemError("look at the device of \(interface)", code: EPROTO) }
        return dev_t(linux_makedev(parts[0], parts[1]))
    }
}
