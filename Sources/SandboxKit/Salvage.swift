import CLinux
import Glibc
import Kernel
import Launch
import Profile

/// What can be told of a sandbox whose record is damaged.
struct Salvage {
    private let name: String
    private let fields: Fields
    /// Device and inode of the files in its directory.
    private let files: [[UInt64]]

    init(_ name: String, in folder: borrowing StateFolder) throws(SystemError) {
        self.name = name
        fields = Fields(Salvage.readable(in: folder))
        var files: [[UInt64]] = []
        for entry in try folder.entries() {
            guard let status = FileStatus(path: "\(folder.path)/\(entry)", follow: false) else { continue }
            files.append([status.device, status.inode])
        }
        self.files = files
    }

    /// The lines that are whole: a record has a key on each.
    private static func readable(in folder: borrowing StateFolder) -> Value {
        var entries: [(key: String, value: Value)] = []
        for line in beginning(of: File.state, in: folder).split(separator: "\n").prefix(1000) {
            do throws(ProfileError) {
                guard case .table(let found) = try TOMLDocument(file: File.state, text: String(line)).value else {
                    continue
                }
                entries += found
            } catch {
                // That line is lost.
                continue
            }
        }
        return .table(entries)
    }

    /// At most 64 KiB, "" where the file cannot be read.
    private static func beginning(of name: String, in folder: borrowing StateFolder) -> String {
        do throws(SystemError) {
            let file = try folder.open(name, O_RDONLY)
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = try check("read \(name)") { Int32(read(file.number, &buffer, buffer.count)) }
            return String(decoding: buffer[..<Int(count)], as: UTF8.self)
        } catch {
            return ""
        }
    }

    /// Ends what is provably the sandbox's: the processes that the record still names, and the control groups that are
    /// named after its launcher or in which a process has files of its directory open.
    /// - Returns: groups of that name with processes that may as well be another's.
    func end() throws(SystemError) -> [String] {
        var own: [Cgroup.Group] = []
        var others: [Cgroup.Group] = []
        for (launcher, group) in try Cgroup.leaves(of: name) {
            var isOwn = launcher == fields.process("launcher")
            if !isOwn { isOwn = try hasFilesOpen(group) }
            if isOwn { own.append(group) } else { others.append(group) }
        }
        for group in own { try Cgroup(groups: [group]).kill() }
        if fields.string("boot") == (try bootIdentity()) {
            for key in ["process", "application"] { try end(fields.process(key)) }
        }
        for group in own { try Cgroup(groups: [group]).remove() }
        // The other hierarchies' leaves of what was one of ours are empty now.
        var left: [String] = []
        for group in others {
            if try Cgroup(groups: [group]).isEmpty() { continue }
            left.append(group.path)
        }
        return left
    }

    private func end(_ process: ProcessIdentity?) throws(SystemError) {
        guard let process, let handle = try ProcessHandle(process) else { return }
        try handle.send(SIGKILL)
        if try !handle.waitForEnd(milliseconds: 10_000) {
            throw SystemError("end process \(process.pid)", code: ETIMEDOUT)
        }
    }

    private func hasFilesOpen(_ group: Cgroup.Group) throws(SystemError) -> Bool {
        for pid in try Cgroup(groups: [group]).processes() where pid > 0 {
            let directory = "/proc/\(pid)/fd"
            guard let stream = opendir(directory) else { continue }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let number = withUnsafePointer(to: &entry.pointee.d_name) { field in
                    field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard let status = FileStatus(path: "\(directory)/\(number)") else { continue }
                if files.contains([status.device, status.inode]) { return true }
            }
        }
        return false
    }
}
