import CLinux
import Glibc
import Kernel
public import Launch

/// Follows what happens to the caller's sandboxes.
///
/// It looks after those that nobody else does: one whose process ends while nobody else records that is settled at
/// once, so that its end is told when it happens.
public struct EventFollower: ~Copyable {
    private let registry: Registry
    private let since: Int
    private let watch: DirectoryWatch
    private var reader: EventReader
    private var watched: [String: WatchedProcess] = [:]
    /// Those to be looked at soon: another command was at work on them.
    private var postponed: Set<String>

    /// Begins with what happens from now on, or from `since` (milliseconds since the epoch) as far as it is still known.
    public init(_ registry: Registry, since: Int? = nil) throws(LaunchError) {
        let state = registry.state
        // Made when it is missing: there may be sandboxes later.
        _ = try translated { () throws(SystemError) in try state.open() }
        let watch = try translated { () throws(SystemError) in try DirectoryWatch(state.path) }
        let reader = try translated { () throws(SystemError) in try EventReader(state, skips: since == nil) }
        let names = try registry.names()
        self.registry = registry
        self.since = since ?? 0
        self.watch = watch
        self.reader = reader
        postponed = Set(names)
    }

    /// Waits for the next events.
    /// - Parameter closing: a descriptor, the other end of whose pipe or connection may be closed meanwhile, or -1.
    /// - Returns: at least one, in the order in which they happened; none once `closing` is closed.
    public mutating func next(closing: Int32 = -1) throws(LaunchError) -> [Event] {
        while true {
            let events = try take()
            if !events.isEmpty { return events }
            var waits = [pollfd(fd: closing, events: 0, revents: 0)]
            for descriptor in descriptors {
                waits.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
            }
            _ = try translated { () throws(SystemError) in
                try check("wait for events") { poll(&waits, nfds_t(waits.count), Int32(delay ?? -1)) }
            }
            if waits[0].revents != 0 { return [] }
            try notice(waits.dropFirst().map { $0.revents != 0 })
        }
    }

    /// The events that have come; it waits for nothing.
    package mutating func take() throws(LaunchError) -> [Event] {
        let again = postponed
        postponed = []
        for name in again { try look(after: name) }
        return try read()
    }

    /// What is readable when there may be more to take.
    package var descriptors: [Int32] { [watch.descriptor.number] + watched.values.map { $0.descriptor } }

    /// Milliseconds after which there may be more even so.
    package var delay: Int? { postponed.isEmpty ? nil : 50 }

    /// Looks after what has become readable, in the order of ``descriptors``.
    package mutating func notice(_ ready: [Bool]) throws(LaunchError) {
        let names = Array(watched.keys)
        if ready[0] { try clear() }
        for (name, isReady) in zip(names, ready.dropFirst()) where isReady { try look(after: name) }
    }

    private mutating func read() throws(LaunchError) -> [Event] {
        let events: [Event]
        do throws(SystemError) { events = try reader.next() } catch { throw LaunchError(error) }
        for name in Set(events.map(\.name)) where Registry.isName(name) { try look(after: name) }
        return events.filter { $0.time >= since }
    }

    /// Settles `name` where that is due, and holds the process whose end is to be noticed.
    private mutating func look(after name: String) throws(LaunchError) {
        watched[name] = nil
        let outcome = registry.settleIfFree(name)
        switch outcome {
        case .busy: postponed.insert(name)
        // A record that cannot be read is the other commands' to complain of.
        case .failed, .gone: break
        case .settled(let record):
            guard record.isUnderWay else { return }
            watched[name] = try registry.guardian(of: record)
            if watched[name] == nil { postponed.insert(name) }
        }
    }

    private func clear() throws(LaunchError) {
        watch.clear()
        guard registry.state.exists else {
            throw LaunchError("\(registry.state.path) has been removed", mend: "start again")
        }
    }
}
