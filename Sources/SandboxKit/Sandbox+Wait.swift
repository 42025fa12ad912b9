import Glibc
import Kernel
public import Launch
import Profile

extension Sandbox {
    /// Waits until the sandbox has ended for good: one that begins again is waited for further.
    ///
    /// - Parameter timeout: for how many seconds at most.
    /// - Returns: what is known of it then, even where nothing is kept; the exit status is `nil` where nobody was there
    ///   to learn it.
    public func wait(timeout: Double? = nil) throws(LaunchError) -> SandboxRecord {
        var outcome: Result<SandboxRecord, LaunchError>?
        try Sandbox.wait(for: [self], timeout: timeout) { _, result throws(LaunchError) in outcome = result }
        guard let outcome else { throw Registry.unknown(name) }
        return try outcome.get()
    }

    /// Waits for several at once, and tells of each when it has ended, or that the time is over.
    public static func wait<Failure: Error>(
        for sandboxes: [Sandbox], timeout: Double? = nil,
        _ ended: (Sandbox, Result<SandboxRecord, LaunchError>) throws(Failure) -> Void
    ) throws(Failure) {
        let deadline = timeout.map { monotonicMilliseconds() + milliseconds($0) }
        var waiting = sandboxes.map { Waiting($0) }
        while !waiting.isEmpty {
            var left: [Waiting] = []
            for one in waiting {
                if let result = one.look() { try ended(one.sandbox, result) } else { left.append(one) }
            }
            waiting = left
            if waiting.isEmpty { return }
            guard let problem = Waiting.problem(waiting, until: deadline, timeout) else { continue }
            for one in waiting { try ended(one.sandbox, .failure(problem(one.sandbox.name))) }
            return
        }
    }
}

/// One sandbox that is waited for.
package final class Waiting {
    let sandbox: Sandbox
    private var last: SandboxRecord?
    private var process: WatchedProcess?

    package init(_ sandbox: Sandbox) { self.sandbox = sandbox }

    /// Readable when it is time for another look.
    package var descriptor: Int32 { process?.descriptor ?? -1 }

    /// Waits for the first of several; what to say of all of them when none has ended.
    fileprivate static func problem(
        _ waiting: [Waiting], until deadline: Int?, _ timeout: Double?
    ) -> ((_ name: String) -> LaunchError)? {
        do throws(LaunchError) {
            if try waitForAny(of: waiting.map { $0.descriptor }, until: deadline).contains(true) { return nil }
            return { stillRuns($0, after: timeout ?? 0) }
        } catch {
            return { _ in error }
        }
    }

    package static func stillRuns(_ name: String, after seconds: Double) -> LaunchError {
        LaunchError("\"\(name)\" still runs after \(secondsText(seconds)) s")
    }

    /// What became of it; `nil` when its process is to be waited for.
    package func look() -> Result<SandboxRecord, LaunchError>? {
        do throws(LaunchError) {
            return try end().map { .success($0) }
        } catch {
            return .failure(error)
        }
    }

    private func end() throws(LaunchError) -> SandboxRecord? {
        let registry = sandbox.registry
        for _ in 0..<1000 {
            guard let record = try registry.settle(sandbox.name, patience: 60_000) else { return try vanished() }
            if let last, last.created != record.created { return try vanished() }
            last = record
            if !record.isUnderWay { return record }
            process = try registry.guardian(of: record)
            if process != nil { return nil }
            // It has ended just now.
            usleep(1000)
        }
        throw LaunchError("what became of \"\(sandbox.name)\" cannot be told", mend: "try again")
    }

    /// Of a sandbox that leaves no record the events tell.
    private func vanished() throws(LaunchError) -> SandboxRecord {
        guard var record = last else { throw Registry.unknown(sandbox.name) }
        record.phase = .stopped
        for event in try sandbox.registry.events(since: record.created)
        where event.name == record.name && event.kind == "exited" && event.details["restarts"] == nil {
            let fields = Fields(event.details)
            record.exitStatus = fields.integer("exitStatus").flatMap { Int32(exactly: $0) }
            record.ended = fields.integer("ended")
            record.reason = fields.string("reason")
            break
        }
        return record
    }
}

/// Seconds as whole milliseconds, at most a thousand days.
package func milliseconds(_ seconds: Double) -> Int { Int(min(max(seconds, 0), 86_400_000) * 1000) }

/// Seconds without a fraction where there is none.
func secondsText(_ seconds: Double) -> String {
    seconds == seconds.rounded() && seconds.magnitude < 1e9 ? "\(Int(seconds))" : "\(seconds)"
}
