import CLinux
import Glibc
import Kernel
public import Launch

extension Sandbox {
    /// Sends a signal to the application, whatever it makes of it. What ends by it may begin again: see
    /// ``stop(timeout:)``. SIGKILL lets a paused sandbox go on: nothing frozen comes to its end.
    public func kill(_ signal: Int32) throws(LaunchError) {
        let record = try runningRecord()
        guard let process = try target(signal, record) else { throw notRunning }
        try process.send(signal)
        if signal == SIGKILL, try registry.isPaused(record) { try letEnd(record) }
    }

    private func letEnd(_ record: SandboxRecord) throws(LaunchError) {
        do throws(SystemError) {
            try Cgroup(groups: record.groups).thaw()
        } catch {
            if !error.isEndOfGroup { throw LaunchError(error) }
        }
    }

    /// Sends a signal to every process of the sandbox, as its control group knows them.
    public func killAll(_ signal: Int32) throws(LaunchError) {
        let record = try runningRecord()
        guard !record.groups.isEmpty else {
            throw LaunchError(
                "\"\(name)\" has no control group that would tell its processes",
                mend: "signal the application alone, without --all")
        }
        try translated { () throws(SystemError) in
            let group = Cgroup(groups: record.groups)
            if signal == SIGKILL { return try group.kill() }
            // Our init would pass it on to the application, which gets it anyway.
            let own = record.hasInit ? record.process?.pid : nil
            for pid in try group.processes() where pid != own { try group.send(signal, to: pid) }
        }
    }

    /// To whom a signal goes. Our init takes what continues a whole job; the rest, which it may not even be able to pass
    /// on, goes to the application itself.
    func target(_ signal: Int32, _ record: SandboxRecord) throws(LaunchError) -> WatchedProcess? {
        if signal != SIGCONT || !record.hasInit,
            let application = try registry.hold(record.application, of: record)
        {
            return application
        }
        return try registry.hold(record.process, of: record)
    }

    func runningRecord() throws(LaunchError) -> SandboxRecord {
        let record = try record()
        if record.phase == .created {
            throw LaunchError("\"\(name)\" does not run yet, or waits to begin again", mend: "try again")
        }
        guard record.phase == .running else { throw notRunning }
        return record
    }

    var notRunning: LaunchError {
        LaunchError("\"\(name)\" is not running", mend: "'sandbox ps -a' tells what became of it")
    }
}

extension Cgroup {
    /// Sends a signal to a process that is in the group: it is held by descriptor while that is looked up again.
    fileprivate func send(_ signal: Int32, to pid: Int32) throws(SystemError) {
        let number = linux_pidfd_open(pid, 0)
        if number < 0, errno == ESRCH || errno == EINVAL { return }
        let process = Descriptor(try check("hold process \(pid)") { number })
        guard try processes().contains(pid) else { return }
        if linux_pidfd_send_signal(process.number, signal) != 0, errno != ESRCH {
            throw SystemError("send signal \(signal) to process \(pid)", code: errno)
        }
    }
}
