import Checkpoint
import Glibc
import Kernel
public import Launch
import Profile

/// How a snapshot is to come back.
public struct RestoreOptions: Sendable {
    /// The sandbox's name from now on, or what the clones' begin with; as before where `nil`.
    public var name: String?
    /// Whether the call returns once it runs; otherwise when it has ended.
    public var isDetached = false
    /// Addresses of the first interface, as a profile has them; those that it had where empty.
    public var addresses: [String] = []
    /// The switch of the first interface; the one that it was on where `nil`.
    public var switchName: String?
    /// Whether the snapshot's name is a sandbox's, whose newest one is meant.
    public var takesNewest = false
    /// Whether the sandbox is ended first, at once, where it runs: back to what it was.
    public var replaces = false
    /// Whether it begins before its memory is there, which comes in as it is needed, and all of it in the end.
    public var isLazy = false
    /// Where that comes from; `nil`: from the snapshot.
    var pages: PageSource?

    /// What is usual.
    public init() {}

    /// The keys of the profile that are another from now on.
    var changes: [Override] {
        var changes: [Override] = []
        if let switchName { changes.append(Override("network.switch", .string(switchName))) }
        if let first = addresses.first {
            changes.append(Override("network.address", addresses.count == 1 ? .string(first) : .strings(addresses)))
        }
        return changes
    }
}

extension Sandbox {
    /// Brings a sandbox back from a snapshot. The process must have one thread.
    ///
    /// With other addresses its connections are closed, and its listening sockets have the new ones.
    /// - Parameter snapshot: the snapshot's name, or a sandbox's for its newest one.
    /// - Returns: the exit status; 0 where it is detached.
    public static func restore(
        _ snapshot: String, _ options: RestoreOptions = RestoreOptions()
    ) throws(LaunchError) -> Int32 {
        let registry = try Registry.ofCaller()
        if options.isLazy { try LateMemory.check() }
        let found = try stored { () throws(SnapshotError) in
            let store = try SnapshotStore.ofCaller()
            let id = try options.takesNewest ? store.latest(of: snapshot) : store.resolve(snapshot)
            // Before what runs is ended all is known of what takes its place.
            return try options.replaces ? store.verified(id) : store.inspected(id)
        }
        // What can be known before is said before the one that runs is ended.
        _ = try CRIUEngine.find()
        var isBehind = false
        if options.replaces {
            _ = try Restoration(registry, found, options)
            isBehind = try end(options.name ?? found.manifest.sandbox, in: registry)
        }
        return try Restoration(registry, found, options, isBehind: isBehind).run(found, isDetached: options.isDetached)
    }

    /// - Returns: whether there was anything to end.
    private static func end(_ name: String, in registry: Registry) throws(LaunchError) -> Bool {
        guard let record = try registry.settle(name), record.isUnderWay else { return false }
        try Sandbox(name, registry).stop(timeout: 0)
        return true
    }
}
