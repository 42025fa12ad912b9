import Glibc

/// A line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
public struct MountEntry: Sendable, Equatable {
    public var id: Int
    public var parent: Int
    /// `MAJOR:MINOR`.
    public var device: String
    /// What of the filesystem is mounted.
    public var root: String
    /// Where, as the process sees it.
    public var path: String
    /// The mount's own options, `ro` and `nosuid` for example.
    public var options: [String]
    /// `shared:N`, `master:N` and their like; none for a private mount.
    public var propagation: [String]
    public var type: String
    public var source: String
    /// The filesystem's options, which all its mounts have.
    public var filesystemOptions: [String]

    /// The mounts that a process sees, in the kernel's order; none when it has ended.
    public static func all(of process: Int32) throws(SystemError) -> [MountEntry] {
        try all(in: "/proc/\(process)/mountinfo")
    }

    /// The mounts that this process sees, whatever number it has in the /proc that it sees.
    static func own() throws(SystemError) -> [MountEntry] { try all(in: "/proc/self/mountinfo") }

    private static func all(in path: String) throws(SystemError) -> [MountEntry] {
        guard let text = try mountTable(path) else { return [] }
        var entries: [MountEntry] = []
        for line in text.split(separator: "\n") {
            guard let entry = MountEntry(line: line) else { throw SystemError("read \(path)", code: EPROTO) }
            entries.append(entry)
        }
        return entries
    }

    /// `nil` when a field is missing.
    init?(line: Substring) {
        // A source may be empty.
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count > 9, let dash = fields[6...].firstIndex(of: "-"), fields.count > dash + 3,
            let id = Int(fields[0]), let parent = Int(fields[1])
        else { return nil }
        self.id = id
        self.parent = parent
        device = String(fields[2])
        root = unescapeMountPath(fields[3])
        path = unescapeMountPath(fields[4])
        options = words(fields[5])
        propagation = fields[6..<dash].map { String($0) }
        type = String(fields[dash + 1])
        source = unescapeMountPath(fields[dash + 2])
        filesystemOptions = words(fields[dash + 3])
    }
}

private func mountTable(_ path: String) throws(SystemError) -> String? {
    do throws(SystemError) {
        return try textOfProcess(path)
    } catch {
        // One that has ended and waits for its parent has no namespaces any more.
        if error.code == EINVAL { return nil }
        throw error
    }
}

private func words(_ list: Substring) -> [String] { list.split(separator: ",").map { unescapeMountPath($0) } }

/// A path of mountinfo with its octal escapes resolved (proc_pid_mountinfo(5)).
public func unescapeMountPath(_ text: some StringProtocol) -> String {
    guard text.utf8.contains(0x5c) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        if byte == 0x5c, rest.count >= 3,
            let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
        {
            bytes.append(code)
            rest = rest.dropFirst(3)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
