import Glibc
import Kernel
public import Launch
public import Profile

/// Launches applications in sandboxes.
public enum Sandbox {
    /// What launching `profile` with `command` on this host would do.
    public static func plan(
        _ profile: Profile, command: [String] = [], name: String? = nil
    ) throws(LaunchError) -> LaunchPlan {
        let host = try HostFacts.current { sandbox throws(LaunchError) in
            try Registry.ofCaller().find(sandbox).map(namespaceDirectory)
        }
        return try Planner(host: host).plan(profile, command: command, name: name)
    }

    /// Without root a box's process 1 cannot be looked into, because it is still an image of ours; its command can.
    private static func namespaceDirectory(of process: ProcessIdentity) -> String {
        let own = "/proc/\(process.pid)/ns"
        var target: CChar = 0
        if readlink("\(own)/user", &target, 1) > 0 { return own }
        do throws(SystemError) {
            let children = try readText("/proc/\(process.pid)/task/\(process.pid)/children")
            return children.split(separator: " ").first.map { "/proc/\($0)/ns" } ?? own
        } catch {
            // The join itself will say what is wrong.
            return own
        }
    }

    /// Runs a plan in the foreground.
    ///
    /// Without supervision this process becomes the command and nothing returns. The process must have one thread.
    /// - Parameter arguments: the command's words byte for byte, where the plan has them as text only.
    /// - Parameter shrinks: whether the waiter may give its memory back. Then it does not return either, and the
    ///   executable must answer to `--finish` with ``finish(_:)``.
    /// - Returns: the command's exit status, or 128 + N when signal N ended it.
    public static func run(
        _ plan: LaunchPlan, arguments: CommandWords? = nil, shrinks: Bool = false
    ) throws(LaunchError) -> Int32 {
        var remains = shrinks ? Remains() : nil
        guard let name = plan.name else { return try Launcher.run(plan, arguments: arguments, remains: remains) }
        let registry = try Registry.ofCaller()
        remains?.record = (registry.directory, name)
        var registered = false
        do throws(LaunchError) {
            let status = try Launcher.run(plan, arguments: arguments, remains: remains) { pid throws(LaunchError) in
                try registry.register(name, pid: pid)
                registered = true
            }
            try registry.remove(name)
            return status
        } catch {
            if registered { try registry.remove(name) }
            throw error
        }
    }

    /// Clears away what a box left, for a waiter that became this process.
    /// - Parameter words: the status that the command ended with and what remains.
    /// - Returns: that status.
    public static func finish(_ words: [String]) throws(LaunchError) -> Int32 {
        guard let status = words.first.flatMap({ UInt8($0) }), let remains = Remains(words: Array(words.dropFirst()))
        else { throw LaunchError("\(Remains.option) is for the launcher itself", mend: "see sandbox --help") }
        try remains.removeGroups()
        if let record = remains.record {
            let registry = Registry(StateDirectory(path: record.directory))
            // The name may be another box's by now.
            if try registry.find(record.name) == nil { try registry.remove(record.name) }
        }
        return Int32(status)
    }
}
