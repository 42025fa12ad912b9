import Kernel
public import SandboxKit

/// What happens to sandboxes, as it happens, without end.
///
/// Every iteration begins at the time that the sequence was made, or at the one that it was given; so nothing is missed
/// that happens between making it and the first `next()`. It throws `LaunchError`, and `CancellationError` when its task
/// is cancelled.
public struct AsyncEvents: AsyncSequence, Sendable {
    private let registry: Registry
    private let names: [String]?
    private let since: Int

    /// - Parameter names: the sandboxes to be told of; `nil`: all.
    /// - Parameter since: milliseconds since the epoch; `nil` is now.
    public init(_ registry: Registry, of names: [String]? = nil, since: Int? = nil) {
        self.registry = registry
        self.names = names
        self.since = since ?? unixMilliseconds()
    }

    /// An iteration from the beginning.
    public func makeAsyncIterator() -> Iterator { Iterator(registry, names, since) }

    /// An iteration; for one task at a time.
    public struct Iterator: AsyncIteratorProtocol {
        private let registry: Registry
        private let names: [String]?
        private let since: Int
        private var follower: Held<EventFollower>?
        private var events: ArraySlice<Event> = []

        fileprivate init(_ registry: Registry, _ names: [String]?, _ since: Int) {
            self.registry = registry
            self.names = names
            self.since = since
        }

        /// Waits for the next event.
        public mutating func next() async throws -> Event? {
            try Task.checkCancellation()
            let follower = try await open()
            while true {
                if let event = events.popFirst() { return event }
                let news = try await aside { () throws(LaunchError) in try follower.value.take() }
                events = news.filter { names?.contains($0.name) ?? true }[...]
                if !events.isEmpty { continue }
                let deadline = follower.value.delay.map { monotonicMilliseconds() + $0 }
                let ready = try await readable(follower.value.descriptors, until: deadline)
                try await aside { () throws(LaunchError) in try follower.value.notice(ready) }
            }
        }

        private mutating func open() async throws -> Held<EventFollower> {
            if let follower { return follower }
            let (registry, since) = (registry, since)
            let opened = try await aside { () throws(LaunchError) in Held(try EventFollower(registry, since: since)) }
            follower = opened
            return opened
        }
    }
}

extension AsyncSandbox {
    /// What happens to it, without end; see ``AsyncEvents``.
    /// - Parameter since: milliseconds since the epoch; `nil` is now.
    public func events(since: Int? = nil) -> AsyncEvents {
        AsyncEvents(sandbox.registry, of: [name], since: since)
    }
}
