import Glibc
import Kernel
public import Launch

extension Sandbox {
    /// Stops all processes of the sandbox where they are; returns when every one stands still.
    /// - Throws: when it is paused already, does not run, or has no control group that can be frozen.
    public func pause() throws(LaunchError) {
        let lock = try registry.lock(name)
        let record = try running(lock)
        if try registry.isPaused(record) { throw LaunchError("\"\(name)\" is paused already") }
        try change(record) { group throws(SystemError) in try group.freeze() }
        try EventLog(registry.state).add("paused", name)
    }

    /// Lets the processes of a paused sandbox go on.
    /// - Throws: when it is not paused.
    public func resume() throws(LaunchError) {
        let lock = try registry.lock(name)
        let record = try running(lock)
        let isPaused = try registry.isPaused(record)
        // Who was killed while pausing may have left some processes frozen.
        try change(record) { group throws(SystemError) in try group.thaw() }
        guard isPaused else { throw LaunchError("\"\(name)\" is not paused") }
        try returnHome(record)
        try EventLog(registry.state).add("resumed", name)
    }

    /// The record of a sandbox that runs, for one who has the lock.
    private func running(_ lock: borrowing NameLock) throws(LaunchError) -> SandboxRecord {
        guard let record = try registry.settle(lock) else { throw Registry.unknown(name) }
        if record.phase == .created {
            throw LaunchError("\"\(name)\" does not run yet, or waits to begin again", mend: "try again")
        }
        guard record.phase == .running else { throw notRunning }
        return record
    }

    private func change(
        _ record: SandboxRecord, _ body: (Cgroup) throws(SystemError) -> Void
    ) throws(LaunchError) {
        if record.groups.isEmpty { throw hasNoGroup }
        do throws(SystemError) {
            try body(Cgroup(groups: record.groups))
        } catch {
            throw error.isEndOfGroup ? notRunning : LaunchError(error)
        }
    }

    /// What needs a control group, of a sandbox that got none.
    var hasNoGroup: LaunchError {
        LaunchError(
            "\"\(name)\" has no control group",
            mend:
                "start it as root, or in a group that is delegated to you (systemd-run --user --scope -p Delegate=yes)")
    }
}

extension SystemError {
    /// Whether a control group was gone, with the last process of its sandbox.
    var isEndOfGroup: Bool { code == ENOENT || code == ENODEV }
}
