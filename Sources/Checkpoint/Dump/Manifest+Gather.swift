import Addresses
import CLinux
import Glibc
public import Kernel
import Profile

extension Manifest {
    /// Fills in what the processes are and have open, as /proc tells it while they stand still.
    ///
    /// - Parameter processes: of the caller's /proc, the root process first.
    public mutating func gather(_ processes: [Int32], _ mounts: BoxMounts? = nil) throws(SystemError) {
        self.mounts = (mounts?.entries ?? []).map { .init(path: $0.path, type: $0.type, source: $0.source) }
        externals = (mounts?.foreign ?? []).map { .init(key: "mnt[\($0.path)]", value: $0.key) }
        var inner: [Int: Int] = [:]
        var owners: [UInt64: Int] = [:]
        var files: Set<String> = []
        for process in processes {
            let status = try StatusFile(process)
            inner[Int(process)] = status.innerID
            var entry = Manifest.Process(
                pid: status.innerID, parent: inner[status.number("PPid")] ?? 0, name: status.word("Name"))
            entry.command = try readText("/proc/\(process)/cmdline").split(separator: "\0").map { String($0) }
            entry.memory = status.number("VmRSS") * 1024
            (entry.uid, entry.gid) = (UInt32(status.number("Uid")), UInt32(status.number("Gid")))
            entry.groups = status.words("Groups").compactMap { UInt32($0) }
            (entry.inheritable, entry.permitted) = (status.bits("CapInh"), status.bits("CapPrm"))
            (entry.effective, entry.bounding) = (status.bits("CapEff"), status.bits("CapBnd"))
            entry.ambient = status.bits("CapAmb")
            entry.noNewPrivileges = status.number("NoNewPrivs") == 1
            (entry.seccompMode, entry.seccompFilters) = (status.number("Seccomp"), status.number("Seccomp_filters"))
            entry.personality = try Manifest.word(process, "personality") ?? 0
            entry.coredumpFilter = try Manifest.word(process, "coredump_filter")
            let adjustment = try readText("/proc/\(process)/oom_score_adj").split(separator: "\n").first
            entry.oomScoreAdjust = adjustment.flatMap { Int($0) } ?? 0
            entry.threads = try Manifest.threads(of: process)
            self.processes.append(entry)
            contents.memory += entry.memory
            for descriptor in try descriptorNumbers(of: process) {
                guard let target = linkTarget("/proc/\(process)/fd/\(descriptor)") else { continue }
                if target.hasPrefix("/") { files.insert(target) }
                if target.hasPrefix("socket:["), let inode = UInt64(target.dropFirst(8).dropLast()) {
                    owners[inode] = status.innerID
                }
            }
        }
        contents.openFiles = files.sorted()
        guard let root = processes.first else { return }
        for number in 0...2 {
            guard let target = linkTarget("/proc/\(root)/fd/\(number)") else { continue }
            stdio.append(Stream(descriptor: number, target: target))
        }
        for kind in ["tcp", "tcp6", "udp", "udp6"] {
            contents.sockets += try SocketTable.read("/proc/\(root)/net/\(kind)", kind, owners)
        }
        contents.sockets += SocketTable.localSockets(in: try readText("/proc/\(root)/net/unix"), owners)
    }
}

extension Manifest {
    /// A hexadecimal number of a file of /proc/PID.
    private static func word(_ process: Int32, _ file: String) throws(SystemError) -> UInt64? {
        let text = try readText("/proc/\(process)/\(file)")
        return text.split(whereSeparator: { $0 == "\n" }).first.flatMap { UInt64($0, radix: 16) }
    }

    private static func threads(of process: Int32) throws(SystemError) -> [Thread] {
        var threads: [Thread] = []
        for number in try numbers(in: "/proc/\(process)/task") {
            let status = try StatusFile(path: "/proc/\(process)/task/\(number)/status")
            var thread = Thread(id: status.innerID)
            thread.affinity = status.word("Cpus_allowed_list")
            thread.ioPriority = Int(max(0, linux_ioprio_get(number)))
            threads.append(thread)
        }
        return threads
    }
}

extension Manifest.Stream {
    /// - Parameter target: what /proc/PID/fd/N leads to.
    init(descriptor: Int, target: String) {
        let isTerminal = target.hasPrefix("/dev/pts/") || target.hasPrefix("/dev/tty")
        let kind: Kind =
            if target.hasPrefix("pipe:") {
                .pipe
            } else if target.hasPrefix("socket:") {
                .socket
            } else if target == "/dev/null" {
                .null
            } else if isTerminal {
                .terminal
            } else if target.hasPrefix("/") {
                .file
            } else { .other }
        self.init(descriptor: descriptor, kind: kind, key: target, path: target.hasPrefix("/") ? target : nil)
    }
}

/// /proc/PID/status (proc_pid_status(5)).
private struct StatusFile {
    private var lines: [Substring: [Substring]] = [:]

    init(_ process: Int32) throws(SystemError) { try self.init(path: "/proc/\(process)/status") }

    init(path: String) throws(SystemError) {
        for line in try readText(path).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { lines[parts[0]] = parts[1].split { $0 == "\t" || $0 == " " } }
        }
    }

    func words(_ key: Substring) -> [Substring] { lines[key] ?? [] }
    func word(_ key: Substring) -> String { words(key).first.map { String($0) } ?? "" }
    func number(_ key: Substring) -> Int { words(key).first.flatMap { Int($0) } ?? 0 }
    func bits(_ key: Substring) -> UInt64 { words(key).first.flatMap { UInt64($0, radix: 16) } ?? 0 }
    /// As the innermost pid namespace numbers it.
    var innerID: Int { words("NSpid").last.flatMap { Int($0) } ?? 0 }
}

/// /proc/net/tcp and its like (proc_pid_net(5)).
enum SocketTable {
    private static let states = [
        "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
        "LAST_ACK", "LISTEN", "CLOSING",
    ]

    static func read(
        _ path: String, _ kind: String, _ owners: [UInt64: Int]
    ) throws(SystemError) -> [Manifest.Socket] {
        do throws(SystemError) {
            return sockets(in: try readText(path), kind, owners)
        } catch {
            // A kernel without IPv6 has no table of it.
            if error.code == ENOENT { return [] }
            throw error
        }
    }

    static func sockets(in text: String, _ kind: String, _ owners: [UInt64: Int]) -> [Manifest.Socket] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 9, let local = place(words[1]), let remote = place(words[2]),
                let state = Int(words[3], radix: 16), let inode = UInt64(words[9])
            else { return nil }
            // Without a network namespace the table has others' sockets too.
            guard let owner = owners[inode] else { return nil }
            let name = kind.hasPrefix("tcp") && states.indices.contains(state) ? states[state] : ""
            return Manifest.Socket(kind: kind, local: local, remote: remote, state: name, pid: owner)
        }
    }

    /// /proc/net/unix: number, count, protocol, flags, type, state, inode and, where it has one, a path.
    static func localSockets(in text: String, _ owners: [UInt64: Int]) -> [Manifest.Socket] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ", maxSplits: 7)
            guard words.count > 6, let inode = UInt64(words[6]), let owner = owners[inode] else { return nil }
            // __SO_ACCEPTCON, SS_CONNECTED
            let state = words[3] == "00010000" ? "LISTEN" : words[5] == "03" ? "CONNECTED" : ""
            let path = words.count > 7 ? String(words[7]) : ""
            return Manifest.Socket(kind: "unix", local: path, remote: "", state: state, pid: owner)
        }
    }

    /// `0100007F:1F90`: words of the host's byte order, and a port.
    private static func place(_ text: Substring) -> String? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16), parts[0].utf8.count % 8 == 0 else { return nil }
        var bytes: [UInt8] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            withUnsafeBytes(of: word) { bytes += $0 }
            rest = rest.dropFirst(8)
        }
        guard let address = IPAddress(bytes: bytes[...]) else { return nil }
        return bytes.count == 4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
