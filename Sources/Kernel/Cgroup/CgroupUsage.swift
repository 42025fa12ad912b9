import Glibc

/// What the processes of a control group use and have used, all of them together, those that have ended included.
///
/// `nil`: the kernel does not count it here, or, for a limit, there is none (the kernel's cgroup-v2.rst and
/// cgroup-v1 documents).
public struct CgroupUsage: Sendable, Equatable {
    /// CPU time in microseconds, in user mode and in the kernel together.
    public var cpu: UInt64?
    /// CPU time in user mode, microseconds; version 1 counts it in clock ticks.
    public var cpuUser: UInt64?
    /// CPU time in the kernel, microseconds; version 1 counts it in clock ticks.
    public var cpuSystem: UInt64?
    /// Bytes of memory in use, the page cache included.
    public var memory: UInt64?
    /// The most bytes of memory that have been in use (version 2: Linux 5.19 or newer).
    public var memoryPeak: UInt64?
    /// Bytes.
    public var memoryLimit: UInt64?
    /// Bytes of swap in use.
    public var swap: UInt64?
    /// Processes and threads.
    public var pids: UInt64?
    public var pidsLimit: UInt64?
    /// Bytes read from block devices. A device made of others counts beside them.
    public var readBytes: UInt64?
    /// Bytes written to block devices.
    public var writtenBytes: UInt64?
    /// Read operations on block devices.
    public var reads: UInt64?
    /// Write operations on block devices.
    public var writes: UInt64?
    /// Processes that the kernel killed for want of memory.
    public var oomKills: UInt64?

    public init() {}
}

extension Cgroup {
    /// Reads what is used now. ENOENT when the group is gone with its last process.
    public func usage() throws(SystemError) -> CgroupUsage {
        var usage = CgroupUsage()
        for group in groups {
            switch group.version {
            case .v2: try usage.readV2(group)
            case .v1: try usage.readV1(group)
            }
        }
        try requireExistence("measure")
        return usage
    }

    /// The file whose line "oom_kill N" tells how many processes the kernel killed for want of memory; `nil` when none
    /// of the leaves counts them. It is gone with the group.
    public var oomFile: String? {
        for group in groups {
            let file = group.path + (group.version == .v2 ? "/memory.events" : "/memory.oom_control")
            if access(file, F_OK) == 0 { return file }
        }
        return nil
    }
}

extension CgroupUsage {
    /// Every value that a version 2 leaf has.
    fileprivate mutating func readV2(_ group: Cgroup.Group) throws(SystemError) {
        if let text = try group.text("cpu.stat") { readCPUStat(text) }
        try group.fill(&memory, "memory.current")
        try group.fill(&memoryPeak, "memory.peak")
        try group.fill(&memoryLimit, "memory.max")
        try group.fill(&swap, "memory.swap.current")
        try group.fill(&pids, "pids.current")
        try group.fill(&pidsLimit, "pids.max")
        if let text = try group.text("io.stat") { readIOStat(text) }
        try group.fill(&oomKills, "memory.events", entry: "oom_kill")
    }

    fileprivate mutating func readV1(_ group: Cgroup.Group) throws(SystemError) {
        if cpu == nil { cpu = try group.number("cpuacct.usage").map { $0 / 1000 } }
        if cpuUser == nil, let text = try group.text("cpuacct.stat") {
            readCPUTicks(text, perSecond: UInt64(max(1, sysconf(Int32(_SC_CLK_TCK)))))
        }
        try group.fill(&memory, "memory.usage_in_bytes")
        try group.fill(&memoryPeak, "memory.max_usage_in_bytes")
        try group.fill(&memoryLimit, "memory.limit_in_bytes")
        try group.fill(&swap, "memory.stat", entry: "total_swap")
        try group.fill(&pids, "pids.current")
        try group.fill(&pidsLimit, "pids.max")
        if let text = try group.text("blkio.throttle.io_service_bytes_recursive") {
            (readBytes, writtenBytes) = CgroupUsage.readAndWritten(text)
        }
        if let text = try group.text("blkio.throttle.io_serviced_recursive") {
            (reads, writes) = CgroupUsage.readAndWritten(text)
        }
        try group.fill(&oomKills, "memory.oom_control", entry: "oom_kill")
    }

    /// cpu.stat of version 2, which is there without the controller too.
    mutating func readCPUStat(_ text: String) {
        let words = controlWords(text)
        cpu = words.number("usage_usec")
        cpuUser = words.number("user_usec")
        cpuSystem = words.number("system_usec")
    }

    /// cpuacct.stat of version 1.
    mutating func readCPUTicks(_ text: String, perSecond: UInt64) {
        let words = controlWords(text)
        cpuUser = words.number("user").map { $0 * 1_000_000 / perSecond }
        cpuSystem = words.number("system").map { $0 * 1_000_000 / perSecond }
    }

    /// io.stat of version 2: "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0", a line for each device.
    mutating func readIOStat(_ text: String) {
        var sums: [(key: String, sum: UInt64)] = [("rbytes=", 0), ("wbytes=", 0), ("rios=", 0), ("wios=", 0)]
        for word in controlWords(text) {
            for index in sums.indices where word.hasPrefix(sums[index].key) {
                sums[index].sum &+= UInt64(word.dropFirst(sums[index].key.count)) ?? 0
            }
        }
        (readBytes, writtenBytes, reads, writes) = (sums[0].sum, sums[1].sum, sums[2].sum, sums[3].sum)
    }

    /// A file of blkio, version 1: "8:0 Read 4096", lines for each device and kind, and their total.
    static func readAndWritten(_ text: String) -> (UInt64, UInt64) {
        var (read, written): (UInt64, UInt64) = (0, 0)
        let words = controlWords(text)
        for index in words.indices.dropLast() {
            if words[index] == "Read" { read &+= UInt64(words[index + 1]) ?? 0 }
            if words[index] == "Write" { written &+= UInt64(words[index + 1]) ?? 0 }
        }
        return (read, written)
    }
}

extension Cgroup.Group {
    /// What a control file says; `nil` when the leaf has no such file.
    func text(_ file: String) throws(SystemError) -> String? {
        do throws(SystemError) {
            return try readText(path + "/" + file)
        } catch {
            // Where the kernel was told not to count, some files are there and refuse.
            if error.code == ENOENT || error.code == EOPNOTSUPP { return nil }
            throw error
        }
    }

    /// The number in a control file; `nil` when there is none, or "max", or version 1's number for no limit.
    func number(_ file: String) throws(SystemError) -> UInt64? {
        guard let text = try text(file), let word = controlWords(text).first, let value = UInt64(word) else {
            return nil
        }
        return value < 1 << 62 ? value : nil
    }
}

extension Cgroup.Group {
    /// Fills in what no other leaf has told yet: the file's number, or that of one of its entries.
    fileprivate func fill(_ value: inout UInt64?, _ file: String, entry: String? = nil) throws(SystemError) {
        if value != nil { return }
        guard let entry else {
            value = try number(file)
            return
        }
        if let text = try text(file) { value = controlWords(text).number(entry) }
    }
}

extension [String] {
    /// The number after `name`, as in "oom_kill 2".
    func number(_ name: String) -> UInt64? { pair(name).flatMap { UInt64($0) } }
}
