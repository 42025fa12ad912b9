import CLinux
import Glibc
public import Kernel
public import Launch
import Profile

extension Registry {
    /// Brings what is known of `name` up to date: a sandbox that has ended while nobody looked, or whose launch was cut
    /// off, is cleared away and its end recorded.
    /// - Returns: the record; `nil` when there is no such sandbox (any more).
    public func settle(_ name: String) throws(LaunchError) -> SandboxRecord? {
        try settle(name, patience: Registry.patience)
    }

    /// The same with a patience of so many milliseconds for another command on the same name.
    func settle(_ name: String, patience: Int) throws(LaunchError) -> SandboxRecord? {
        guard let record = try find(name) else { return nil }
        if try !isOverdue(record) { return record }
        return try settle(try lock(name, patience: patience))
    }

    /// The same for one who has the lock.
    func settle(_ lock: borrowing NameLock) throws(LaunchError) -> SandboxRecord? {
        guard let record = try find(lock.name) else { return nil }
        guard try isOverdue(record) else { return record }
        if record.phase == .created { return try abandon(record, lock) }
        let exit = try translated { () throws(SystemError) in try readExit(lock.name) }
        // When process 1 is killed, the kernel kills all the others of its namespace.
        let killed: Int32? = record.hasInit ? 128 + SIGKILL : nil
        return try end(
            record, status: exit?.status ?? killed, at: exit?.time ?? unixMilliseconds(),
            reason: exit == nil && record.hasInit ? "its init was killed" : nil, lock)
    }

    /// Whether the process of a record still runs.
    public func isAlive(_ process: ProcessIdentity, of record: SandboxRecord) throws(LaunchError) -> Bool {
        try translated { () throws(SystemError) in
            guard try record.boot == bootIdentity() else { return false }
            return try process.isAlive()
        }
    }

    /// Whether something has happened that nobody has recorded, nor is about to.
    func isOverdue(_ record: SandboxRecord) throws(LaunchError) -> Bool {
        switch record.phase {
        case .stopped, .checkpointed: return false
        case .created: return try !isAlive(record.launcher, of: record)
        case .running:
            if let process = record.process, try isAlive(process, of: record) { return false }
            guard record.hasWaiter else { return true }
            return try !isAlive(record.launcher, of: record)
        }
    }

    /// Ends what a launch left that was cut off.
    private func abandon(_ record: SandboxRecord, _ lock: borrowing NameLock) throws(LaunchError) -> SandboxRecord? {
        if let process = record.process, record.boot == (try translated(bootIdentity)) {
            try translated { () throws(SystemError) in
                guard let handle = try ProcessHandle(process) else { return }
                try handle.send(SIGKILL)
                _ = try handle.waitForEnd(milliseconds: 10_000)
            }
        }
        return try end(
            record, status: nil, at: unixMilliseconds(), reason: "its launcher was killed before it had begun", lock)
    }

    /// Records an end, after what is left of the box has been ended and removed.
    /// - Returns: the record; `nil` where none is kept.
    @discardableResult
    func end(
        _ record: SandboxRecord, status: Int32?, at time: Int, reason: String? = nil, _ lock: borrowing NameLock
    ) throws(LaunchError) -> SandboxRecord? {
        var record = record
        record.phase = .stopped
        record.ended = time
        record.exitStatus = status
        record.reason = reason
        try clear(&record)
        try write(record)
        try tell(record)
        guard record.removesRecord else { return record }
        try remove(lock)
        return nil
    }

    /// Ends and removes the control groups, after the kernel's count of kills for want of memory was read.
    func clear(_ record: inout SandboxRecord) throws(LaunchError) {
        let group = Cgroup(groups: record.groups)
        record.groups = []
        try attributed(to: "resources") { () throws(SystemError) in
            if try group.countOOMKills() > 0 { record.oomKilled = true }
            try group.kill()
            try group.remove()
        }
    }

    private func tell(_ record: SandboxRecord) throws(LaunchError) {
        let events = EventLog(state)
        if record.oomKilled { try events.add("oom", record.name) }
        try events.add(
            "exited", record.name,
            [
                ("exitStatus", record.exitStatus.map { .integer(Int($0)) } ?? .null),
                ("ended", record.ended.map { .integer($0) } ?? .null),
                ("reason", record.reason.map { .string($0) } ?? .null),
            ])
    }

    /// What our init wrote at the end of the command.
    private func readExit(_ name: String) throws(SystemError) -> (status: Int32, time: Int)? {
        guard let folder = try openFolder(name), let text = try folder.read(File.exit) else { return nil }
        let digits = text.utf8.last == 0x0a ? text.dropLast() : text[...]
        guard digits.utf8.count == 3, let status = Int32(digits) else { return nil }
        let file = try folder.open(File.exit, O_RDONLY)
        let time = try FileStatus(file.number, name: File.exit).modified
        return (status, time)
    }
}

/// The running kernel's boot.
func bootIdentity() throws(SystemError) -> String {
    let text = try readText("/proc/sys/kernel/random/boot_id")
    return text.utf8.last == 0x0a ? String(text.dropLast()) : text
}

extension Cgroup {
    /// How many processes of it the kernel has killed for want of memory; 0 where it is gone or does not count.
    func countOOMKills() throws(SystemError) -> Int {
        for group in groups {
            let file = group.path + (group.version == .v2 ? "/memory.events" : "/memory.oom_control")
            guard access(file, R_OK) == 0 else { continue }
            let words = try readText(file).split { $0 == " " || $0 == "\n" }
            guard let index = words.firstIndex(of: "oom_kill"), index + 1 < words.count else { continue }
            return Int(words[index + 1]) ?? 0
        }
        return 0
    }
}

/// Runs `body` and gives a failed system call the profile key it was made for.
func attributed(to key: String, _ body: () throws(SystemError) -> Void) throws(LaunchError) {
    do throws(SystemError) { try body() } catch { throw LaunchError(error, key: key) }
}
