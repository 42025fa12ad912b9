import CLinux
import Glibc
public import Kernel
public import Launch

/// An open file of a box that belongs to the world outside, and that a restore connects anew.
public struct ExternalFile: Sendable, Equatable {
    /// What it is connected to.
    public enum Role: String, Sendable, CaseIterable {
        /// /dev/null.
        case null
        /// The sandbox's log.
        case log
    }
    /// CRIU's name for it: `file[MOUNT:INODE]`, or `pipe:[INODE]`.
    public var key: String
    public var role: Role

    public init(key: String, role: Role) { (self.key, self.role) = (key, role) }
}

/// Finds the files that a box's processes have open and its mount namespace does not have.
public struct ExternalFiles {
    private let log: FileStatus?
    private let hasMountNamespace: Bool
    /// Pipes whose other end the process that keeps the output has.
    private let outputs: Set<String>
    public private(set) var found: [ExternalFile] = []

    /// - Parameter log: the sandbox's log file.
    /// - Parameter keeper: the process that keeps its output where it does not write the log itself.
    public init(log: FileStatus?, hasMountNamespace: Bool, keeper: Int32? = nil) throws(LaunchError) {
        (self.log, self.hasMountNamespace) = (log, hasMountNamespace)
        outputs = try LaunchError.wrap { () throws(SystemError) in
            guard let keeper else { return [] }
            let links = try descriptorNumbers(of: keeper).compactMap { linkTarget("/proc/\(keeper)/fd/\($0)") }
            return Set(links.filter { $0.hasPrefix("pipe:[") })
        }
    }

    /// Looks at all descriptors of a process.
    /// - Throws: for a file that a restore could not connect anew, naming process, descriptor and path.
    public mutating func look(at pid: Int32) throws(LaunchError) {
        let (mounts, overlays) = try mountIDs(pid)
        for number in try descriptors(pid) {
            let path = "/proc/\(pid)/fd/\(number)"
            if !outputs.isEmpty, let target = linkTarget(path), outputs.contains(target) {
                add(ExternalFile(key: target, role: .log))
                continue
            }
            // A file in memory is in no mount of anybody's (memfd_create(2)), and CRIU saves it.
            if linkTarget(path)?.hasPrefix("/memfd:") == true { continue }
            guard let status = FileStatus(path: path) else { continue }
            let isNull = status.kind == .characterDevice && status.represented == UInt64(linux_makedev(1, 3))
            let isLog = log.map { $0.device == status.device && $0.inode == status.inode } ?? false
            guard status.kind == .file || status.kind == .directory || status.kind == .characterDevice,
                let mount = try LaunchError.wrap({ () throws(SystemError) in
                    try mountID(ofDescriptor: number, of: pid)
                })
            else { continue }
            if mounts.contains(mount), !isLog { continue }
            guard isLog || isNull else {
                throw LaunchError(
                    "process \(pid) has descriptor \(number) open from outside the sandbox: \(linkTarget(path) ?? "?")",
                    mend: "a snapshot cannot hold it; open it inside the sandbox, or close it before")
            }
            // Where a box's root is an overlay through which the file is seen too, CRIU says that it is on that one.
            for mount in [mount] + overlays {
                let key = "file[\(String(mount, radix: 16)):\(String(status.inode, radix: 16))]"
                add(ExternalFile(key: key, role: isLog ? .log : .null))
            }
        }
    }

    private mutating func add(_ file: ExternalFile) {
        if !found.contains(file) { found.append(file) }
    }

    /// None of one that has ended and waits for its parent.
    private func mountIDs(_ pid: Int32) throws(LaunchError) -> (all: Set<Int>, overlays: [Int]) {
        try LaunchError.wrap { () throws(SystemError) in
            let entries = try MountEntry.all(of: pid)
            return (Set(entries.map(\.id)), entries.filter { $0.type == "overlay" }.map(\.id))
        }
    }

    private func descriptors(_ pid: Int32) throws(LaunchError) -> [Int32] {
        try LaunchError.wrap { () throws(SystemError) in try descriptorNumbers(of: pid) }
    }
}
