import Glibc
import Kernel
public import Launch
import Profile
import Switching

extension Sandbox {
    /// Runs a further command in the sandbox, in the foreground, as confined as the sandbox's own.
    ///
    /// Where the sandbox has no pid namespace and the command needs no terminal, this process becomes the command and
    /// nothing returns. The process must have one thread, and loses its descriptors but 0, 1 and 2.
    /// - Parameter arguments: the command's words byte for byte, where `command` has them as text only.
    /// - Parameter shrinks: whether the waiter may give its memory back; then it does not return either.
    /// - Returns: the command's exit status, or 128 + N when signal N ended it.
    public func exec(
        _ command: [String], _ options: ExecOptions = ExecOptions(), arguments: CommandWords? = nil,
        shrinks: Bool = false
    ) throws(LaunchError) -> Int32 {
        try Launcher.closeDescriptors()
        let record = try enterableRecord()
        guard let process = record.process, let application = record.application else { throw notRunning }
        let box = try RunningBox.find(process: process, command: application)
        var entry = EntryPlan(box: box.facts)
        let request = try registry.request(name)
        entry.directory = request.directory
        entry.groups = try groups(of: box, record)
        var host = try host(of: request)
        // A switch can be forgotten while the box runs.
        let shared = record.ports.filter { $0.attach.sharesDevice }.compactMap { $0.switchName }
        host.sharesDevice = { name throws(LaunchError) in shared.contains(name) }
        let plan = try Planner(host: host).exec(
            try registry.profile(request, name), in: entry, command: command, options, term: callersTerminal())
        return try Launcher.exec(plan, in: box, arguments: arguments, shrinks: shrinks)
    }

    private func enterableRecord() throws(LaunchError) -> SandboxRecord {
        let record = try runningRecord()
        if try registry.isPaused(record) { throw LaunchError("\"\(name)\" is paused", mend: "sandbox resume \(name)") }
        return record
    }

    /// The control groups to join: those of the sandbox, and where it is the caller's to choose, those that it was
    /// launched in.
    private func groups(of box: borrowing RunningBox, _ record: SandboxRecord) throws(LaunchError) -> [Cgroup.Group] {
        var groups: [Cgroup.Group] = []
        for group in record.groups {
            guard let actual = box.groups.first(where: { $0.path == group.path || $0.path.hasPrefix(group.path + "/") })
            else {
                throw LaunchError("the process of \"\(name)\" does not stand in its control group \(group.path)")
            }
            groups.append(actual)
        }
        if geteuid() == 0 { return box.groups }
        return groups
    }

    /// This host, with the surroundings that the sandbox was launched in.
    func host(of request: LaunchRequest) throws(LaunchError) -> HostFacts {
        var host = try Sandbox.hostFacts()
        host.environment = request.environment
        host.home = host.variable("HOME").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? host.home
        let directory = request.directory
        host.directory = { directory }
        return host
    }

    private func callersTerminal() -> String? { getenv("TERM").map { String(cString: $0) } }
}
