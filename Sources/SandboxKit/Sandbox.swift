import Kernel
public import Launch
public import Profile

/// Launches applications in sandboxes.
public enum Sandbox {
    /// What launching `profile` with `command` on this host would do.
    public static func plan(
        _ profile: Profile, command: [String] = [], name: String? = nil
    ) throws(LaunchError) -> LaunchPlan {
        let host = try HostFacts.current { sandbox in
            // A state directory that cannot be read has no sandbox to join.
            guard let registry = try? Registry.ofCaller(), let process = try? registry.find(sandbox) else { return nil }
            return "/proc/\(process.pid)/ns"
        }
        return try Planner(host: host).plan(profile, command: command, name: name)
    }

    /// Runs a plan in the foreground.
    ///
    /// Without supervision this process becomes the command and nothing returns. The process must have one thread.
    /// - Parameter arguments: the command's words byte for byte, where the plan has them as text only.
    /// - Returns: the command's exit status, or 128 + N when signal N ended it.
    public static func run(_ plan: LaunchPlan, arguments: CommandWords? = nil) throws(LaunchError) -> Int32 {
        guard let name = plan.name else { return try Launcher.run(plan, arguments: arguments) }
        let registry = try Registry.ofCaller()
        var registered = false
        do throws(LaunchError) {
            let status = try Launcher.run(plan, arguments: arguments) { pid throws(LaunchError) in
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
}
