import Dispatch
public import Launch
public import SandboxKit

/// A named sandbox whose calls are awaited; see `Sandbox` for what each of them does.
///
/// No call blocks a thread of Swift's cooperative pool, and waiting for an end blocks no thread at all.
public struct AsyncSandbox: Sendable {
    public let sandbox: Sandbox

    public init(_ sandbox: Sandbox) { self.sandbox = sandbox }

    /// The sandbox of this name.
    public init(_ name: String) async throws(LaunchError) {
        sandbox = try await aside { () throws(LaunchError) in try Sandbox(name) }
    }

    /// Launches a detached sandbox; returns when its command has begun.
    public static func launch(
        _ request: LaunchRequest, executable: String? = nil
    ) async throws(LaunchError) -> AsyncSandbox {
        AsyncSandbox(
            try await aside { () throws(LaunchError) in try Sandbox.launch(request, executable: executable) })
    }

    /// What is known of it now.
    public func record() async throws(LaunchError) -> SandboxRecord {
        let sandbox = sandbox
        return try await aside { () throws(LaunchError) in try sandbox.record() }
    }
}

private let queue = DispatchQueue(label: "sandbox", attributes: .concurrent)

/// Runs a call that may block on a thread of its own.
func aside<Result: Sendable>(
    _ body: @escaping @Sendable () throws(LaunchError) -> Result
) async throws(LaunchError) -> Result {
    let outcome = await withCheckedContinuation { continuation in
        queue.async {
            continuation.resume(returning: Swift.Result(catchingLaunch: body))
        }
    }
    return try outcome.get()
}

extension Result where Failure == LaunchError {
    fileprivate init(catchingLaunch body: () throws(LaunchError) -> Success) {
        do throws(LaunchError) { self = .success(try body()) } catch { self = .failure(error) }
    }
}
