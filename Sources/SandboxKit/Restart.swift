import CLinux
import Checkpoint
import Glibc
import Kernel
import Launch
import Profile

extension Registry {
    /// What a waiter does when its command has ended: records that, or begins the sandbox anew.
    /// - Returns: the command's exit status.
    func finish(_ name: String, status: Int32) throws(LaunchError) -> Int32 {
        let lock = try lock(name, patience: 60_000)
        guard var record = try find(name) else { return status }
        // It was ended because it goes on from its snapshot.
        if record.phase == .checkpointed {
            // Who saved it was killed before it had cleared that away.
            if record.process != nil { try putAside(record) }
            return status
        }
        guard try isOwn(record) else {
            throw LaunchError("\"\(name)\" is another process's to finish", status: status)
        }
        guard record.isDetached, let profile = try restarting(record, status) else {
            try end(record, status: status, at: unixMilliseconds(), lock)
            return status
        }
        let delay = try pause(before: &record, profile.lifecycle, status)
        lock.release()
        pauseFor(milliseconds: delay)
        return try beginAnew(record)
    }

    /// Whether this process is the one that waits for it: the name may be another sandbox's by now.
    private func isOwn(_ record: SandboxRecord) throws(LaunchError) -> Bool {
        try translated { () throws(SystemError) in try ProcessIdentity.own() == record.launcher }
    }

    /// The profile of a sandbox that shall begin anew; `nil` for one that shall not.
    private func restarting(_ record: SandboxRecord, _ status: Int32) throws(LaunchError) -> Profile? {
        let profile = try profile(of: record.name)
        let isStopping = try translated { () throws(SystemError) in
            try openFolder(record.name)?.read(File.stopping) != nil
        }
        if isStopping { return nil }
        switch profile.lifecycle.restart {
        case .no: return nil
        case .always: return profile
        case .fromSnapshot: return status == 0 ? nil : profile
        case .onFailure(let limit):
            if status == 0 { return nil }
            return streak(of: record) < limit ?? Int.max ? profile : nil
        }
    }

    /// How often it has begun anew in a row: a run of ten seconds ends the row.
    private func streak(of record: SandboxRecord) -> Int {
        let isLong = unixMilliseconds() - (record.started ?? record.created) >= 10_000
        return isLong ? 0 : record.streak
    }

    /// Writes down that it waits to begin again.
    /// - Returns: for how many milliseconds.
    private func pause(
        before record: inout SandboxRecord, _ lifecycle: Profile.Lifecycle, _ status: Int32
    ) throws(LaunchError) -> Int {
        let row = streak(of: record)
        let group = try empty(&record)
        record.phase = .created
        record.process = nil
        record.application = nil
        record.exitStatus = status
        record.ended = unixMilliseconds()
        record.restarts += 1
        record.streak = row + 1
        try write(record)
        try EventLog(state).add(
            "exited", record.name, [("exitStatus", .integer(Int(status))), ("restarts", .bool(true))])
        try removeGroup(group)
        var delay = lifecycle.restartDelay
        for _ in 0..<row where delay < 60_000 { delay *= 2 }
        return min(delay, 60_000)
    }

    private func beginAnew(_ record: SandboxRecord) throws(LaunchError) -> Int32 {
        let lock = try lock(record.name, patience: 60_000)
        // Stopped, or removed and another's, meanwhile.
        guard var record = try find(record.name), try isOwn(record), record.phase == .created else { return 0 }
        let status: Int32
        do throws(LaunchError) {
            // Its limits may have been changed meanwhile.
            let request = try request(record.name)
            restoreEnvironment(request)
            let profile = try profile(request, record.name)
            record.ended = nil
            record.exitStatus = nil
            if profile.lifecycle.restart == .fromSnapshot, let snapshot = try newestSnapshot(of: record.name) {
                var options = RestoreOptions()
                options.name = record.name
                return try Restoration(self, snapshot, options, isBehind: true).again(record, snapshot, lock)
            }
            let plan = try Sandbox.plan(profile, request)
            let kept = try openKept(record.name, plan)
            status = try NamedLaunch(self, plan, nil, shrinks: true).launch(LaunchProgress(record, self), kept, lock)
        } catch {
            record = try find(record.name) ?? record
            try end(record, status: error.status, at: unixMilliseconds(), reason: error.message, lock)
            throw error
        }
        return try finish(record.name, status: status)
    }

    /// Verified; `nil` while there is none.
    private func newestSnapshot(of name: String) throws(LaunchError) -> Snapshot? {
        try stored { () throws(SnapshotError) in
            let store = try SnapshotStore.ofCaller()
            guard let newest = try store.snapshots(of: name, problem: { _, _ in }).last else { return nil }
            return try store.verified(newest.manifest.id)
        }
    }

    /// A waiter has become this process without its environment.
    func restoreEnvironment(_ request: LaunchRequest) {
        clearenv()
        for entry in request.environment { putenv(strdup(entry)) }
        // The variable would move the snapshots too.
        let usual = try? StateDirectory.ofCaller()
        if usual?.path != state.path { setenv(StateDirectory.variable, state.path, 1) }
    }
}

private func pauseFor(milliseconds: Int) {
    // The time to which it sleeps stands, however often a signal interrupts.
    var end = timespec()
    clock_gettime(CLOCK_MONOTONIC, &end)
    let nanoseconds = end.tv_nsec + milliseconds % 1000 * 1_000_000
    end.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
    end.tv_nsec = nanoseconds % 1_000_000_000
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nil) == EINTR { continue }
}
