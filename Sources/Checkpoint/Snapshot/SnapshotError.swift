public import Kernel

/// A snapshot that cannot be made, read or trusted: what, where, and how to mend it. One line.
public struct SnapshotError: Error, Sendable, Equatable {
    public var message: String

    public init(_ message: String, mend: String? = nil) {
        self.message = mend.map { "\(message); \($0)" } ?? message
    }

    public init(_ error: SystemError) { message = error.message }
}

/// Runs `body` and turns a failed system call into a snapshot's error.
@discardableResult
func attributed<Result: ~Copyable>(
    _ body: () throws(SystemError) -> Result
) throws(SnapshotError) -> Result {
    do throws(SystemError) { return try body() } catch { throw SnapshotError(error) }
}
