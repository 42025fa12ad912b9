import CLinux
import Glibc
public import Kernel
public import Launch
import Profile
import Switching

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
        switch record.phase {
        case .created: return try abandon(record, lock)
        case .running: return try conclude(record, lock)
        case .checkpointed:
            try putAside(record)
            return try find(lock.name)
        case .stopped:
            try remove(lock)
            return nil
        }
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
        // One that should be gone: who removed it was killed.
        case .stopped: return record.removesRecord
        // One that is still to be cleared away: who saved it was killed.
        case .checkpointed: return record.process != nil
        case .created: return try !isAlive(record.launcher, of: record)
        case .running:
            if let process = record.process, try isAlive(process, of: record) { return false }
            guard record.hasWaiter else { return true }
            return try !isAlive(record.launcher, of: record)
        }
    }

    /// Ends what a launch left that was cut off.
    private func abandon(_ record: SandboxRecord, _ lock: borrowing NameLock) throws(LaunchError) -> SandboxRecord? {
        try endProcesses(of: record)
        if record.restarts > 0, record.process == nil {
            return try end(
                record, status: record.exitStatus, at: record.ended ?? unixMilliseconds(),
                reason: "its waiter was killed before it began anew", lock)
        }
        return try end(
            record, status: nil, at: unixMilliseconds(), reason: "its launcher was killed before it had begun", lock)
    }

    /// Records the end of a sandbox whose process is gone.
    private func conclude(_ record: SandboxRecord, _ lock: borrowing NameLock) throws(LaunchError) -> SandboxRecord? {
        let exit = try translated { () throws(SystemError) in try readExit(lock.name) }
        if exit?.text == Registry.failure {
            try discard(lock)
            return nil
        }
        try endProcesses(of: record)
        if let exit, let status = exit.status { return try end(record, status: status, at: exit.time, lock) }
        let reason = record.hasWaiter ? "its waiter was killed" : record.hasInit ? "its init was killed" : nil
        // When our init is killed, the command is killed with it.
        return try end(
            record, status: record.hasInit ? 128 + SIGKILL : nil, at: unixMilliseconds(), reason: reason, lock)
    }

    /// Forgets a sandbox, after what is left of it has been ended and removed.
    func discard(_ lock: borrowing NameLock) throws(LaunchError) {
        guard var record = try find(lock.name) else { return }
        try endProcesses(of: record)
        let group = try empty(&record)
        try remove(lock)
        try removeGroup(group)
    }

    func endProcesses(of record: SandboxRecord) throws(LaunchError) {
        try translated { () throws(SystemError) in
            guard try record.boot == bootIdentity() else { return }
            for process in [record.process, record.application] {
                guard let process, let handle = try ProcessHandle(process) else { continue }
                try handle.send(SIGKILL)
                _ = try handle.waitForEnd(milliseconds: 10_000)
            }
        }
    }

    /// Records an end, after what is left of the box has been ended.
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
        let group = try empty(&record)
        try write(record)
        try tell(record)
        if record.removesRecord { try remove(lock) }
        try removeGroup(group)
        return record.removesRecord ? nil : record
    }

    /// Ends what is in the control groups and reads what the kernel counted. The groups go only after the record has
    /// been written: with them the counts would be lost.
    func empty(_ record: inout SandboxRecord) throws(LaunchError) -> Cgroup {
        let group = Cgroup(groups: record.groups)
        record.groups = []
        try attributed(to: "resources") { () throws(SystemError) in
            if let kills = try group.oomKills(), kills > 0 { record.oomKilled = true }
            try group.kill()
        }
        CrashPoint.pass("empty")
        try releasePorts(&record)
        try releaseFunctions(&record)
        return group
    }

    /// Gives back what its interfaces leave on their switches.
    private func releasePorts(_ record: inout SandboxRecord) throws(LaunchError) {
        if record.ports.isEmpty { return }
        let (ports, name) = (record.ports, record.name)
        try switched("network") { () throws(SwitchError) in
            try SwitchStore(state).release(ports, of: name, hasEnded: hasEnded)
        }
        record.ports = []
        CrashPoint.pass("release ports")
    }

    /// Whether a sandbox is over; the kernel may not have taken its network namespace down yet.
    private func hasEnded(_ name: String) -> Bool {
        do throws(LaunchError) {
            guard let record = try find(name) else { return true }
            return record.phase == .stopped || record.phase == .checkpointed
        } catch {
            // What cannot be read may be in use.
            return false
        }
    }

    func removeGroup(_ group: Cgroup) throws(LaunchError) {
        try attributed(to: "resources") { () throws(SystemError) in try group.remove() }
        CrashPoint.pass("remove group")
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
    private func readExit(_ name: String) throws(SystemError) -> (text: String, status: Int32?, time: Int)? {
        guard let folder = try openFolder(name), let text = try folder.read(File.exit) else { return nil }
        let digits = text.utf8.last == 0x0a ? text.dropLast() : text[...]
        let file = try folder.open(File.exit, O_RDONLY)
        let time = try FileStatus(file.number, name: File.exit).modified
        return (text, digits.utf8.count == 3 ? Int32(digits) : nil, time)
    }

    /// What is found there of a launch that failed.
    static let failure = "failed\n"
}

/// The running kernel's boot.
func bootIdentity() throws(SystemError) -> String {
    let text = try readText("/proc/sys/kernel/random/boot_id")
    return text.utf8.last == 0x0a ? String(text.dropLast()) : text
}

/// Runs `body` and gives a failed system call the profile key it was made for.
func attributed(to key: String, _ body: () throws(SystemError) -> Void) throws(LaunchError) {
    do throws(SystemError) { try body() } catch { throw LaunchError(error, key: key) }
}
