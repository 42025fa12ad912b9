import Checkpoint
import Glibc
import Kernel
public import Launch
import Switching

/// What a sweep found and did.
public struct Sweep: Sendable {
    /// Names of sandboxes whose end nobody had recorded until now.
    public var ended: [String] = []
    /// Names of stopped sandboxes that were forgotten.
    public var forgotten: [String] = []
    /// Directories and control groups that were removed.
    public var removed: [String] = []
    /// What could not be done: a sandbox's name or a subject, and why.
    public var problems: [(subject: String, problem: LaunchError)] = []
}

extension Registry {
    /// Brings all records up to date and clears away what commands left that were killed: half-made directories, and
    /// control groups that nobody is in.
    ///
    /// - Parameter age: forgets, too, sandboxes that stopped so many milliseconds ago or earlier.
    public func sweep(forgetting age: Int? = nil) throws(LaunchError) -> Sweep {
        var sweep = Sweep()
        let names = try names()
        var kept: [String] = []
        for name in names {
            do throws(LaunchError) {
                let before = try find(name)
                guard let record = try settle(name) else {
                    if before != nil { sweep.ended.append(name) }
                    continue
                }
                if before?.isUnderWay == true, !record.isUnderWay { sweep.ended.append(name) }
                if try forget(record, age) {
                    sweep.forgotten.append(name)
                } else {
                    kept += record.groups.map { $0.path }
                }
            } catch {
                sweep.problems.append((name, error))
            }
        }
        sweep.attempt("the state directory") { () throws(LaunchError) in try sweepTemporary() }
        sweep.attempt("switches") { () throws(LaunchError) in
            try switched { () throws(SwitchError) in try SwitchStore(state).sweep() }
        }
        sweep.attempt("name servers") { () throws(LaunchError) in try sweepNameServers() }
        sweep.attempt("snapshots") { () throws(LaunchError) in
            do throws(SnapshotError) {
                return try SnapshotStore.ofCaller().sweep()
            } catch {
                throw LaunchError(error.message)
            }
        }
        let unread = Set(sweep.problems.map { $0.subject })
        sweep.attempt("functions") { () throws(LaunchError) in
            try sweepFunctions(except: unread) + resumeProxies(except: unread)
        }
        let damaged = sweep.problems.map { $0.subject + "-" }
        sweep.attempt("control groups") { () throws(LaunchError) in
            try translated { () throws(SystemError) in
                try Cgroup.sweep { leaf in
                    kept.contains { $0.hasSuffix("/" + leaf) } || damaged.contains { leaf.hasPrefix($0) }
                }
            }
        }
        return sweep
    }

    private func forget(_ record: SandboxRecord, _ age: Int?) throws(LaunchError) -> Bool {
        guard let age else { return false }
        func isOld(_ record: SandboxRecord) -> Bool {
            record.phase == .stopped && unixMilliseconds() - (record.ended ?? record.created) >= age
        }
        guard isOld(record) else { return false }
        let lock = try lock(record.name)
        // A new one may have that name by now.
        guard let now = try find(record.name), isOld(now) else { return false }
        try remove(lock)
        return true
    }
}

extension Sweep {
    fileprivate mutating func attempt(_ subject: String, _ body: () throws(LaunchError) -> [String]) {
        do throws(LaunchError) { removed += try body() } catch { problems.append((subject, error)) }
    }
}
