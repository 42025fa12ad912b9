import CLinux
import Glibc
import Kernel
import Profile

/// The way of a command into a running box. As in ``Box`` the order is the content: what needs the outside comes before
/// the namespaces, and all privilege is given away before there is a process that the box can see.
///
/// Until the command is executed the process is undumpable: nothing in the box may trace it or open its /proc/PID/fd,
/// unless it has CAP_SYS_PTRACE over the user namespace of the caller itself (CVE-2016-9962).
struct Entrance {
    let plan: LaunchPlan
    let entry: EntryPlan
    let filter: SeccompProgram?

    /// Moves this process into the box and makes it what the command is to be.
    func enter(
        _ box: borrowing RunningBox, _ arguments: CommandWords?, _ channel: ReportChannel? = nil
    ) throws(LaunchError) -> PreparedCommand {
        try attributed(to: nil) { () throws(SystemError) in try setDumpable(false) }
        try joinControlGroups()
        // Through the caller's /proc, not the box's (CVE-2025-52881).
        try Box(plan: plan).setAttributes()
        let limits = try limits()
        let accounts = try AccountFiles()
        try dropGroups()
        try join(box)
        try attributed(to: "process.user") { () throws(SystemError) in try IDMapper.becomeMapped(plan.namespaces) }
        let identity = try identify(accounts)
        try enterWorkingDirectory()
        let environment = Environment(plan, identity).entries
        let rules = try AccessRules(plan).open()
        try set(limits)
        try Confinement(plan).drop(to: identity)
        // A change of credentials may have made it dumpable again (fs.suid_dumpable).
        try attributed(to: nil) { () throws(SystemError) in try setDumpable(false) }
        // As the box's user: /dev may have been changed.
        _ = try Box(plan: plan).takeTerminal(nil, channel)
        if let rules { try Box(plan: plan).restrict(rules) }
        return try PreparedCommand(plan.command, arguments, environment: environment)
    }

    /// A box without a limit in some hierarchy need not be left where the caller cannot go.
    private func joinControlGroups() throws(LaunchError) {
        for group in entry.groups {
            try attributed(to: nil) { () throws(SystemError) in
                try writeText("0", to: group.path + "/cgroup.procs")
            }
        }
    }

    /// The profile's limits; of the others none that is higher than the caller's or than that of the box's command.
    private func limits() throws(LaunchError) -> [(resource: ResourceLimit, limit: LimitPair)] {
        var own = try attributed(to: "limits") { () throws(SystemError) in try Kernel.limits(of: getpid()) }
        for index in own.indices {
            let name = own[index].resource.rawValue
            if let wanted = plan.limits[name] {
                own[index].limit = LimitPair(soft: wanted.soft, hard: wanted.hard)
            } else if let theirs = entry.box.limits[name] {
                let hard = lower(own[index].limit.hard, theirs.hard)
                own[index].limit = LimitPair(soft: lower(theirs.soft, hard), hard: hard)
            }
        }
        return own
    }

    private func lower(_ one: UInt64?, _ other: UInt64?) -> UInt64? {
        guard let one else { return other }
        return min(one, other ?? one)
    }

    private func set(_ limits: [(resource: ResourceLimit, limit: LimitPair)]) throws(LaunchError) {
        for (resource, limit) in limits {
            try attributed(to: "limits.\(resource.rawValue)") { () throws(SystemError) in
                try setLimit(resource, soft: limit.soft, hard: limit.hard)
            }
        }
    }

    /// Outside, where any of them can be named; a user namespace may forbid it inside.
    private func dropGroups() throws(LaunchError) {
        let groups = entry.box.groups
        if geteuid() != 0 || entry.box.callerGroups == groups { return }
        try attributed(to: "process.groups") { () throws(SystemError) in
            try check("take the groups of the box's command") { linux_setgroups(groups.count, groups) }
        }
    }

    /// As nsenter(1) does: with privilege the user namespace last, without it with the others, in the same call.
    private func join(_ box: borrowing RunningBox) throws(LaunchError) {
        let kinds = NamespaceFlags(entry.box.namespaces)
        do throws(SystemError) {
            if geteuid() != 0 {
                if !kinds.isEmpty { try box.join(kinds) }
                return
            }
            let others = kinds.subtracting(.user)
            if !others.isEmpty { try box.join(others) }
            if kinds.contains(.user) { try box.join(.user) }
        } catch {
            throw RunningBox.translated(error)
        }
    }

    // MARK: - Identity

    /// The one of the box's own command as the kernel has it, or the one that is asked for.
    private func identify(_ accounts: AccountFiles) throws(LaunchError) -> BoxIdentity {
        let box = entry.box
        var identity = BoxIdentity(uid: box.uid, gid: box.gid)
        if plan.process.user == nil, plan.process.group == nil, !entry.namesAccount { return identity }
        let database = try accounts.database()
        if let wanted = try database.resolve(plan.process, uid: box.uid, gid: box.gid) { identity = wanted }
        // It has its groups already, and a user namespace may forbid to set any.
        if (identity.uid, identity.gid) == (box.uid, box.gid) { identity.groups = nil }
        if entry.namesAccount, plan.process.user == nil { identity.account = database.account(of: box.uid) }
        return identity
    }

    private func enterWorkingDirectory() throws(LaunchError) {
        if let wanted = plan.workingDirectory {
            return try attributed(to: "process.working-directory") { () throws(SystemError) in
                try enterDirectory(wanted)
            }
        }
        for candidate in [entry.directory ?? "/", plan.home, "/"] {
            do throws(SystemError) { return try enterDirectory(candidate) } catch { continue }
        }
        throw LaunchError(key: "process.working-directory", "/ cannot be entered in the box", mend: "name one that can")
    }
}
