import CLinux
import Glibc
import Kernel
public import Launch

/// Waits for a sandbox's files to change, until it has ended for good.
public struct LogFollower: ~Copyable {
    private let registry: Registry
    private let name: String
    private let watch: DirectoryWatch
    /// When this sandbox was made: another one may get its name.
    private let created: Int
    private var hasEnded = false

    /// - Throws: where there is no such sandbox.
    public init(_ name: String, of registry: Registry) throws(LaunchError) {
        guard let record = try registry.settle(name) else { throw Registry.unknown(name) }
        let watch = try translated { () throws(SystemError) in try DirectoryWatch(registry.path(name)) }
        self.registry = registry
        self.name = name
        self.watch = watch
        created = record.created
    }

    /// Waits for the next change.
    /// - Parameter reader: a pipe or terminal; when nobody reads it any more, that is the end as well.
    /// - Returns: whether there may be more after this one; what was written before `false` is complete.
    public mutating func wait(reader: Int32 = -1) throws(LaunchError) -> Bool {
        if hasEnded { return false }
        guard let record = try registry.settle(name), record.created == created, record.phase != .stopped,
            record.phase != .checkpointed
        else {
            // What was written up to now has yet to be read.
            hasEnded = true
            return true
        }
        // What has ended just now is for the next call to record: no change of a file may come any more.
        guard let process = try registry.guardian(of: record) else { return true }
        return try translated { () throws(SystemError) in try wait(for: process, reader) }
    }

    private func wait(for process: WatchedProcess, _ reader: Int32) throws(SystemError) -> Bool {
        var waits = [
            pollfd(fd: watch.descriptor.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: process.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: reader, events: 0, revents: 0),
        ]
        try check("wait for output") { poll(&waits, nfds_t(waits.count), -1) }
        watch.clear()
        return waits[2].revents == 0
    }
}
