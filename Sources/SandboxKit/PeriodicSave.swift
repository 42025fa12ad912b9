import Checkpoint
import Glibc
import Kernel
public import Launch
import Profile

extension PeriodicErrand {
    /// The snapshots of `checkpoint.every`; `nil` where none are asked for.
    init?(_ plan: LaunchPlan, _ registry: Registry) {
        guard let period = plan.saveInterval, let name = plan.name else { return nil }
        self.init(period: period, words: [Sandbox.saveOption, registry.state.path, name])
    }
}

extension Sandbox {
    /// The option in front of the words of ``saveNow(_:)``; who lets a waiter shrink must answer to it.
    public static let saveOption = "--save"

    /// Takes a snapshot of a sandbox that goes on, and deletes those of the row that are too many. What a waiter calls
    /// in a process of its own, without an environment.
    /// - Parameter words: the state directory and the sandbox's name.
    public static func saveNow(_ words: [String]) throws(LaunchError) {
        guard words.count == 2, words[0].hasPrefix("/") else {
            throw LaunchError("\(saveOption) is for the launcher itself", mend: "see sandbox --help")
        }
        let registry = Registry(StateDirectory(path: words[0]))
        let name = words[1]
        let request = try registry.request(name)
        registry.restoreEnvironment(request)
        var options = CheckpointOptions()
        (options.leavesRunning, options.isAutomatic) = (true, true)
        // Its peers go on with it, and have gone on by the time that it comes back.
        options.connections = .close
        do throws(LaunchError) {
            _ = try Sandbox(name, registry).checkpoint(options)
            try prune(name, keep: try registry.profile(request, name).checkpoint.keep)
        } catch {
            try EventLog(registry.state).add("save-failed", name, [("reason", .string(error.message))])
            throw error
        }
    }

    /// Deletes all but the newest.
    private static func prune(_ name: String, keep: Int) throws(LaunchError) {
        try stored { () throws(SnapshotError) in
            let store = try SnapshotStore.ofCaller()
            let row = try store.snapshots(of: name) { _, _ in }.filter { $0.manifest.isAutomatic }
            for old in row.dropLast(keep) { try store.delete(old.manifest.id) }
        }
    }
}
