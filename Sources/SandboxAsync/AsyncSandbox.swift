public import Launch
public import SandboxKit

/// A named sandbox whose calls are awaited; see `Sandbox` for what each of them does.
///
/// No call blocks a thread of Swift's cooperative pool, and what waits (for a launch, an end, an event) blocks no thread
/// at all. A task that is cancelled stops waiting at once and throws `CancellationError`; everything else that is thrown
/// is a `LaunchError`.
public struct AsyncSandbox: Sendable {
    /// The same sandbox for calls that block.
    public let sandbox: Sandbox

    /// A sandbox that is known already.
    public init(_ sandbox: Sandbox) { self.sandbox = sandbox }

    /// The sandbox of this name.
    /// - Parameter registry: where it is looked for; the caller's where `nil`.
    public init(_ name: String, in registry: Registry? = nil) async throws(LaunchError) {
        sandbox = try await aside { () throws(LaunchError) in try Sandbox(name, in: registry.orOfCaller()) }
    }

    /// Its name.
    public var name: String { sandbox.name }

    /// Launches a detached sandbox; returns when its command has begun.
    ///
    /// A launch that is cancelled is awaited even so, for the moment that it takes; what it began is ended and forgotten
    /// before `CancellationError` is thrown.
    /// - Parameter registry: where it is entered; the caller's where `nil`.
    /// - Parameter executable: the path of `sandbox`; the one on PATH where `nil`.
    public static func launch(
        _ request: LaunchRequest, in registry: Registry? = nil, executable: String? = nil
    ) async throws -> AsyncSandbox {
        try Task.checkCancellation()
        let launch = try await aside { () throws(LaunchError) in
            Held(try SpawnedLaunch(request, in: registry, executable: executable))
        }
        // In a task of its own, which is not cancelled with the caller's.
        let outcome = Task {
            // Where that cannot be waited for, the next call does.
            _ = try? await readable([launch.value.descriptor])
            return try await aside { () throws(LaunchError) in try launch.value.finish() }
        }
        let sandbox = try await outcome.value
        if Task.isCancelled {
            try await aside { () throws(LaunchError) in try sandbox.remove(force: true) }
            throw CancellationError()
        }
        return AsyncSandbox(sandbox)
    }

    /// What is known of it now.
    public func record() async throws(LaunchError) -> SandboxRecord {
        let sandbox = sandbox
        return try await aside { () throws(LaunchError) in try sandbox.record() }
    }

    /// Measures what it uses, once; see ``statistics(every:)``.
    public func statistics() async throws(LaunchError) -> Statistics {
        let sandbox = sandbox
        return try await aside { () throws(LaunchError) in try sandbox.statistics() }
    }

    /// Stops all its processes where they are.
    public func pause() async throws(LaunchError) {
        let sandbox = sandbox
        try await aside { () throws(LaunchError) in try sandbox.pause() }
    }

    /// Lets the processes of a paused sandbox go on.
    public func resume() async throws(LaunchError) {
        let sandbox = sandbox
        try await aside { () throws(LaunchError) in try sandbox.resume() }
    }
}
