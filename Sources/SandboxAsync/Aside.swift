import Dispatch
import SandboxKit

private let queue = DispatchQueue(label: "sandbox", attributes: .concurrent)

/// Runs a call that may block for a moment on a thread of its own.
func aside<Success: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Success
) async throws(Failure) -> Success {
    let outcome = await withCheckedContinuation {
        (continuation: CheckedContinuation<Result<Success, Failure>, Never>) in
        queue.async { continuation.resume(returning: Result(catching: body)) }
    }
    return try outcome.get()
}

/// A value of one task, used on whatever thread that runs on at the moment: never two at a time.
final class Held<Value: ~Copyable>: @unchecked Sendable {
    var value: Value

    init(_ value: consuming Value) { self.value = value }
}
