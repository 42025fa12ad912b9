import Addresses
import CLinux
import Glibc
import Kernel
import Profile

/// A command as `main` gets it: pointers to its words, then a null pointer.
public typealias CommandWords = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// Executes plans. The process must have one thread.
public enum Launcher {
    /// Runs a plan's command in the foreground.
    ///
    /// Without supervision this process becomes the command and nothing returns. With it, the command's exit status
    /// comes back: its own, or 128 + N when signal N ended it.
    /// A plan that leaves nobody beside a detached box returns 0 once its command has begun.
    public static func run(_ plan: LaunchPlan, _ context: LaunchContext = LaunchContext()) throws(LaunchError) -> Int32
    {
        let outside = try Outside(plan, context)
        do throws(LaunchError) {
            let status = try run(plan, outside, context)
            outside.bus?.end()
            return status
        } catch {
            outside.bus?.end()
            guard let group = outside.cgroup else { throw error }
            var error = error
            do throws(SystemError) {
                try group.remove()
            } catch let second {
                // In place the groups may be out of reach by now; what is recorded is cleared away by others.
                if plan.name == nil || plan.supervision != .none {
                    error.message += "; left behind: \(second.message)"
                }
            }
            throw error
        }
    }

    private static func run(
        _ plan: LaunchPlan, _ outside: Outside, _ context: LaunchContext
    ) throws(LaunchError) -> Int32 {
        var flags = NamespaceFlags(plan.namespaces.unshare).subtracting([.user, .time, .cgroup])
        guard case .waiter(let initProcess, let pseudoTerminal) = plan.supervision else {
            try context.started(outside.launcher, outside.cgroup?.groups ?? [])
            // Before there is anything else new: interfaces are made in the caller's namespaces.
            let told = try OwnNetwork.enter(plan, outside.launcher, context)
            if told != nil { flags.remove(.net) }
            let errand = try !plan.isConnected || told != nil ? nil : Errand(context.attach)
            let mapped = try enterNamespaces(plan, outside)
            try attributed(to: "namespaces.unshare") { () throws(SystemError) in
                if !flags.isEmpty { try unshareNamespaces(flags) }
            }
            let nameServers = try errand?.run() ?? told ?? []
            throw become(plan, outside, mapped, nameServers)
        }
        let supervisor = try Supervisor(plan, flags, initProcess: initProcess, pseudoTerminal: pseudoTerminal)
        var context = context
        context.remains?.groups = outside.cgroup?.groups ?? []
        let status = try supervisor.run(outside, context)
        // A named one's counts are read before it goes.
        if plan.name == nil { try removeGroup(outside) }
        return status
    }

    /// Sets the box up around this process and executes the command. Returns what failed.
    private static func become(
        _ plan: LaunchPlan, _ outside: Outside, _ mapped: [Int: Int32], _ nameServers: [IPAddress]
    ) -> LaunchError {
        do throws(LaunchError) {
            if plan.leavesTerminal {
                try attributed(to: "process.terminal") { () throws(SystemError) in try Terminal.leave() }
            }
            let box = try Box(plan: plan, nameServers: nameServers).setUp(outside, mapped: mapped)
            if let display = box.display {
                let mask = try attributed(to: nil) { () throws(SystemError) in try SignalMask() }
                try display.start(mask: mask, filter: outside.filter, dyingWith: getpid())
            }
            try Confinement(plan).seal(outside.filter)
            return box.command.execute()
        } catch {
            return error
        }
    }

    /// Enters those that a process is not cloned into: joined ones, the user namespace with its maps, and for its
    /// children the time namespace.
    /// - Returns: the detached trees of binds with idmap, by step.
    static func enterNamespaces(_ plan: LaunchPlan, _ outside: Outside) throws(LaunchError) -> [Int: Int32] {
        let mapped = try enterUserNamespace(plan, outside)
        try unshareTime(plan)
        return mapped
    }

    private static func enterUserNamespace(
        _ plan: LaunchPlan, _ outside: Outside
    ) throws(LaunchError) -> [Int: Int32] {
        guard plan.namespaces.unshare.contains(.user) else {
            try join(outside)
            return [:]
        }
        var wanted: [(index: Int, from: String, options: Profile.BindOptions, key: String)] = []
        for (index, step) in plan.filesystem.steps.enumerated() {
            if case .bind(let from, _, let options) = step.operation, options.idmap {
                wanted.append((index, from, options, step.key))
            }
        }
        var mapper = try attributed(to: "namespaces.unshare") { () throws(SystemError) in
            try IDMapper(plan.namespaces, mapsMounts: !wanted.isEmpty)
        }
        try join(outside)
        try attributed(to: plan.namespaces.impliesUser ? nil : "namespaces.unshare") { () throws(SystemError) in
            try unshareNamespaces(.user)
        }
        try attributed(to: "security.uid-map") { () throws(SystemError) in try mapper.writeMaps() }
        var mapped: [Int: Int32] = [:]
        for bind in wanted {
            do throws(SystemError) {
                mapped[bind.index] = try mapper.openMapped(bind.from, bind.options)
            } catch {
                if error.code == ENOENT, bind.options.optional { continue }
                throw LaunchError(error, key: bind.key)
            }
        }
        try attributed(to: nil) { () throws(SystemError) in try mapper.finish() }
        return mapped
    }

    /// As nsenter(1) does: with privilege the user namespace last, without it first.
    private static func join(_ outside: Outside) throws(LaunchError) {
        if outside.joins.isEmpty { return }
        // Until the command is executed, nobody inside may look into this process.
        try attributed(to: "namespaces.join") { () throws(SystemError) in try setDumpable(false) }
        let userFirst = geteuid() != 0
        if !userFirst, outside.joins.contains(where: { $0.join.kind == .user }) {
            // Inside they may be out of reach (setgroups(2) denied), and root's would stay.
            try attributed(to: "namespaces.join.user") { () throws(SystemError) in
                try check("drop the outer groups") { linux_setgroups(0, nil) }
            }
        }
        for pass in [true, false] {
            for index in 0..<outside.joins.count {
                let (join, descriptor) = outside.joins[index]
                guard (join.kind == .user) == (pass == userFirst) else { continue }
                try attributed(to: "namespaces.join.\(join.kind.rawValue)") { () throws(SystemError) in
                    try joinNamespace(descriptor, NamespaceFlags([join.kind]), name: join.path)
                }
                close(descriptor)
            }
        }
    }

    private static func unshareTime(_ plan: LaunchPlan) throws(LaunchError) {
        guard plan.namespaces.unshare.contains(.time) else { return }
        try attributed(to: "namespaces.unshare") { () throws(SystemError) in try unshareNamespaces(.time) }
        try attributed(to: "namespaces.time-offset") { () throws(SystemError) in
            try setTimeOffsets(monotonic: plan.namespaces.monotonicOffset, boottime: plan.namespaces.boottimeOffset)
            if plan.supervision == .none { try enterTimeNamespaceForChildren() }
        }
    }

    private static func removeGroup(_ outside: Outside) throws(LaunchError) {
        guard let group = outside.cgroup else { return }
        try attributed(to: "resources") { () throws(SystemError) in try group.remove() }
    }
}

extension NamespaceFlags {
    init(_ kinds: NamespaceSet) {
        self = []
        for kind in kinds {
            switch kind {
            case .user: insert(.user)
            case .mount: insert(.mount)
            case .pid: insert(.pid)
            case .net: insert(.net)
            case .ipc: insert(.ipc)
            case .uts: insert(.uts)
            case .cgroup: insert(.cgroup)
            case .time: insert(.time)
            }
        }
    }
}
