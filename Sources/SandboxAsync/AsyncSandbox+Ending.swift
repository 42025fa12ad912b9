import Kernel
public import Launch
public import SandboxKit

extension AsyncSandbox {
    /// Waits until it has ended for good: one that begins again is waited for further.
    /// - Parameter timeout: how long at most; `nil` is without end.
    /// - Returns: what is known of it then; the exit status is `nil` where nobody was there to learn it.
    public func wait(timeout: Duration? = nil) async throws -> SandboxRecord {
        let waiting = Held(Waiting(sandbox))
        let deadline = timeout.map { monotonicMilliseconds() + milliseconds($0.inSeconds) }
        while true {
            let isOver = deadline.map { $0 <= monotonicMilliseconds() } ?? false
            if let result = await aside({ waiting.value.look() }) { return try result.get() }
            if isOver { throw Waiting.stillRuns(name, after: timeout?.inSeconds ?? 0) }
            _ = try await readable([waiting.value.descriptor], until: deadline)
        }
    }

    /// Asks it to end with the stop signal of its profile, kills it when its time is over, and returns when its end is
    /// recorded.
    ///
    /// What a cancelled call has sent stays sent: the sandbox may still end by the stop signal, and does not begin again.
    /// - Parameter timeout: the time between the two, instead of the profile's; with 0 it is killed at once.
    public func stop(timeout: Duration? = nil) async throws {
        try Task.checkCancellation()
        let stop = Held(Stop(sandbox, timeout?.inSeconds))
        while true {
            await aside { stop.value.advance() }
            if stop.value.isOver { break }
            _ = try await readable([stop.value.descriptor], until: stop.value.deadline)
        }
        if let error = stop.value.error { throw error }
    }

    /// Sends a signal to the application.
    public func kill(_ signal: Int32) async throws(LaunchError) {
        let sandbox = sandbox
        try await aside { () throws(LaunchError) in try sandbox.kill(signal) }
    }

    /// Sends a signal to every process of it.
    public func killAll(_ signal: Int32) async throws(LaunchError) {
        let sandbox = sandbox
        try await aside { () throws(LaunchError) in try sandbox.killAll(signal) }
    }

    /// Forgets it, with its log and all that is kept of it.
    /// - Parameter force: whether one that runs is killed first.
    public func remove(force: Bool = false) async throws {
        // Of a damaged one the next call tells, or ends what is left.
        if force, let record = try? await record(), record.isUnderWay {
            try await stop(timeout: .zero)
            if record.removesRecord { return }
        }
        let sandbox = sandbox
        try await aside { () throws(LaunchError) in try sandbox.remove(force: force) }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
