public import Checkpoint
import Glibc
import Kernel
public import Launch
import Profile

extension Sandbox {
    /// What is in the way of saving the sandbox, as /proc tells it. Nothing is frozen or changed.
    /// - Parameter connections: what is to become of TCP connections; as the profile says where `nil`.
    public func checkpointBlockers(_ connections: Connections? = nil) throws(LaunchError) -> [Blocker] {
        let lock = try registry.lock(name)
        guard let record = try registry.settle(lock) else { throw Registry.unknown(name) }
        guard record.phase == .running else { throw notRunning }
        return try registry.checkpointBlockers(record, connections)
    }
}

extension Registry {
    /// Throws the first of them, and how many more there are.
    func refuseBlockers(_ record: SandboxRecord, _ connections: Connections) throws(LaunchError) {
        if geteuid() != 0 { throw LaunchError("only root can save a sandbox", mend: "sudo sandbox checkpoint …") }
        try refuseLate(record.name)
        let blockers = try checkpointBlockers(record, connections)
        guard let first = blockers.first else { return }
        let more = blockers.count - 1
        let rest = more == 0 ? "" : " (and \(more) more: 'sandbox checkpoint \(record.name) --check' lists them)"
        throw LaunchError("\"\(record.name)\" cannot be saved: \(first.message)\(rest)", mend: first.mend)
    }

    fileprivate func checkpointBlockers(
        _ record: SandboxRecord, _ connections: Connections?
    ) throws(LaunchError) -> [Blocker] {
        guard let process = record.process else { return [] }
        let profile = try profile(of: record.name)
        let members = try translated { () throws(SystemError) in try Cgroup(groups: record.groups).processes() }
        var facts = try BoxFacts(root: process.pid, members: members)
        facts.hasInit = record.hasInit
        facts.isAttended = record.isDetached && (record.hasWaiter || record.hasInit)
        facts.hasLandlock = profile.filesystem.landlock || profile.security.landlock != Profile.Landlock()
        facts.unsupported = profile.namespaces.join.keys.sorted().map { "namespaces.join.\($0.rawValue)" }
        facts.unsupported += profile.buses.filtered
        facts.hidesChanges = profile.filesystem.overlay?.upper == .tmpfs && !profile.checkpoint.enabled
        if (connections ?? profile.checkpoint.tcp) == .close { facts.sharesConnections = false }
        facts.reconnected.insert(path(record.name) + "/" + File.log)
        return facts.blockers
    }
}
