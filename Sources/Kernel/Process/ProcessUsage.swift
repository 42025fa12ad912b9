import Glibc

extension CgroupUsage {
    /// What processes use, added up from /proc, for want of a control group that counts it (proc_pid_stat(5),
    /// proc_pid_io(5)).
    ///
    /// What has ended counts where one of them has waited for it; memory that several share counts for each of them.
    public static func sum(of processes: [Int32]) throws(SystemError) -> CgroupUsage {
        var usage = CgroupUsage()
        (usage.cpu, usage.cpuUser, usage.cpuSystem, usage.memory, usage.pids) = (0, 0, 0, 0, 0)
        (usage.readBytes, usage.writtenBytes) = (0, 0)
        for pid in processes {
            guard let text = try textOfProcess("/proc/\(pid)/stat"), let times = ProcessTimes(stat: text) else {
                continue
            }
            usage.add(times)
            try usage.addIO(of: pid)
        }
        return usage
    }

    private mutating func add(_ times: ProcessTimes) {
        let ticks = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        let (user, system) = (times.user * 1_000_000 / ticks, times.system * 1_000_000 / ticks)
        cpuUser = cpuUser.map { $0 + user }
        cpuSystem = cpuSystem.map { $0 + system }
        cpu = cpu.map { $0 + user + system }
        memory = memory.map { $0 + times.residentPages * UInt64(max(1, sysconf(Int32(_SC_PAGESIZE)))) }
        pids = pids.map { $0 + times.threads }
    }

    /// Only who may trace a process sees its io: what is seen of some of them would be no sum.
    private mutating func addIO(of pid: Int32) throws(SystemError) {
        let text: String?
        do throws(SystemError) {
            text = try textOfProcess("/proc/\(pid)/io")
        } catch {
            guard error.code == EACCES || error.code == EPERM else { throw error }
            (readBytes, writtenBytes) = (nil, nil)
            return
        }
        guard let words = text.map(controlWords) else { return }
        readBytes = readBytes.map { $0 + (words.number("read_bytes:") ?? 0) }
        writtenBytes = writtenBytes.map { $0 + (words.number("write_bytes:") ?? 0) }
    }
}

/// The figures of /proc/PID/stat that are added up.
struct ProcessTimes: Equatable {
    /// Clock ticks, of the process and of what it has waited for.
    var user: UInt64
    var system: UInt64
    var threads: UInt64
    var residentPages: UInt64

    /// `nil` when a field is missing. Counts from behind the command's name, which may hold spaces and brackets.
    init?(stat text: String) {
        guard let end = text.utf8.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = text[text.utf8.index(after: end)...].split(separator: " ")
        guard fields.count > 21, let user = UInt64(fields[11]), let system = UInt64(fields[12]),
            let waitedUser = UInt64(fields[13]), let waitedSystem = UInt64(fields[14]),
            let threads = UInt64(fields[17]), let pages = UInt64(fields[21])
        else { return nil }
        self.user = user + waitedUser
        self.system = system + waitedSystem
        self.threads = threads
        residentPages = pages
    }
}
