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
    /// CRIU's name for it: `file[MOUNT:INODE]`.
    public var key: String
    public var role: Role

    public init(key: String, role: Role) { (self.key, self.role) = (key, role) }
}

/// Finds the files that a box's processes have open and its mount namespace does not have.
public struct ExternalFiles {
    private let log: FileStatus?
    private let hasMountNamespace: Bool
    public private(set) var found: [ExternalFile] = []

    /// - Parameter log: the sandbox's log file.
    public init(log: FileStatus?, hasMountNamespace: Bool) {
        (self.log, self.hasMountNamespace) = (log, hasMountNamespace)
    }

    /// Looks at all descriptors of a process.
    /// - Throws: for a file that a restore could not connect anew, naming process, descriptor and path.
    public mutating func look(at pid: Int32) throws(LaunchError) {
        let mounts = try mountIDs(pid)
        for number in try descriptors(pid) {
            let path = "/proc/\(pid)/fd/\(number)"
            guard let status = FileStatus(path: path) else { continue }
            let isNull = status.kind == .characterDevice && status.represented == UInt64(linux_makedev(1, 3))
            let isLog = log.map { $0.device == status.device && $0.inode == status.inode } ?? false
            guard status.kind == .file || status.kind == .directory || status.kind == .characterDevice,
                let mount = mountID(pid, number)
            else { continue }
            if mounts.contains(mount), !isLog { continue }
            guard isLog || isNull else {
                throw LaunchError(
                    "process \(pid) has descriptor \(number) open from outside the sandbox: \(linkTarget(path) ?? "?")",
                    mend: "a snapshot cannot hold it; open it inside the sandbox, or close it before")
            }
            add(
                ExternalFile(
                    key: "file[\(String(mount, radix: 16)):\(String(status.inode, radix: 16))]",
                    role: isLog ? .log : .null))
        }
    }

    private mutating func add(_ file: ExternalFile) {
        if !found.contains(file) { found.append(file) }
    }

    private func mountIDs(_ pid: Int32) throws(LaunchError) -> Set<Int> {
        let text: String
        do throws(SystemError) { text = try readText("/proc/\(pid)/mountinfo") } catch { throw LaunchError(error) }
        var ids: Set<Int> = []
        for line in text.split(separator: "\n") {
            if let word = line.split(separator: " ", maxSplits: 1).first, let id = Int(word) { ids.insert(id) }
        }
        return ids
    }

    private func descriptors(_ pid: Int32) throws(LaunchError) -> [Int32] {
        do throws(SystemError) {
            return try descriptorNumbers(of: pid)
        } catch {
            throw LaunchError(error)
        }
    }

    /// `nil` for one that was closed meanwhile.
    private func mountID(_ pid: Int32, _ number: Int32) -> Int? {
        guard let text = try? readText("/proc/\(pid)/fdinfo/\(number)") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("mnt_id:") {
            return Int(line.dropFirst(7).drop { $0 == "\t" || $0 == " " })
        }
        return nil
    }
}
