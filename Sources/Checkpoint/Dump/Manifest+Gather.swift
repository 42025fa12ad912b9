import CLinux
import Glibc
public import Kernel
import Profile

extension Manifest {
    /// Fills in what the processes are and have open, as /proc tells it while they stand still.
    ///
    /// - Parameter processes: of the caller's /proc, the root process first.
    /// - Parameter sockets: of the root process's network, as they were read before.
    public mutating func gather(
        _ processes: [Int32], _ mounts: BoxMounts? = nil, _ sockets: SocketTables
    ) throws(SystemError) {
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
        contents.sockets = try sockets.owned(by: owners)
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
