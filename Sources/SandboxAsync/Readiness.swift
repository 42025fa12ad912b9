import CLinux
import Dispatch
import Glibc
import Kernel
import Launch
import SandboxKit

/// Waits until one of the descriptors is readable, at most until a time of ``monotonicMilliseconds()``; -1 is none.
/// - Returns: which are.
/// - Throws: `CancellationError` when the task is cancelled, `LaunchError`.
func readable(_ descriptors: [Int32], until deadline: Int? = nil) async throws -> [Bool] {
    try Task.checkCancellation()
    let wait = try Readiness(descriptors)
    await withTaskCancellationHandler {
        await wait.end(by: deadline)
    } onCancel: {
        wait.cancel()
    }
    try Task.checkCancellation()
    return try ready(descriptors)
}

private func ready(_ descriptors: [Int32]) throws(LaunchError) -> [Bool] {
    var waits = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    do throws(SystemError) {
        try check("wait for a sandbox") { poll(&waits, nfds_t(waits.count), 0) }
    } catch {
        throw LaunchError(error)
    }
    return waits.map { $0.revents != 0 }
}

/// One wait for descriptors, by Dispatch. All but what is constant is used on one queue.
private final class Readiness: @unchecked Sendable {
    private static let queue = DispatchQueue(label: "sandbox.readiness")

    private let epoll: Int32
    private var source: (any DispatchSourceRead)?
    private var timer: (any DispatchSourceTimer)?
    private var isCancelled = false

    init(_ descriptors: [Int32]) throws(LaunchError) {
        do throws(SystemError) {
            let made = Descriptor(try check("wait for a sandbox") { linux_epoll_create() })
            for descriptor in descriptors where descriptor >= 0 {
                try check("wait for a sandbox") { linux_epoll_add(made.number, descriptor) }
            }
            epoll = made.take()
        } catch {
            throw LaunchError(error)
        }
    }

    /// Returns when one is readable, the time is over, or the wait is cancelled; nothing is open then.
    func end(by deadline: Int?) async {
        await withCheckedContinuation { continuation in
            Readiness.queue.async { self.begin(deadline, continuation) }
        }
    }

    func cancel() {
        Readiness.queue.async {
            self.isCancelled = true
            self.source?.cancel()
        }
    }

    private func begin(_ deadline: Int?, _ continuation: CheckedContinuation<Void, Never>) {
        let source = DispatchSource.makeReadSource(fileDescriptor: epoll, queue: Readiness.queue)
        source.setEventHandler { self.source?.cancel() }
        // Only then has Dispatch let go of the descriptor.
        source.setCancelHandler {
            self.timer?.cancel()
            (self.source, self.timer) = (nil, nil)
            close(self.epoll)
            continuation.resume()
        }
        self.source = source
        source.resume()
        if isCancelled { return source.cancel() }
        if let deadline { end(in: max(0, deadline - monotonicMilliseconds())) }
    }

    private func end(in milliseconds: Int) {
        let timer = DispatchSource.makeTimerSource(queue: Readiness.queue)
        timer.setEventHandler { self.source?.cancel() }
        timer.schedule(deadline: .now() + .milliseconds(milliseconds))
        self.timer = timer
        timer.resume()
    }
}
