public import Kernel

/// A switch or a port that cannot be as it was asked for: the profile key behind it where there is one, and why.
public struct SwitchError: Error, Sendable, Equatable {
    /// Of the interface's keys (`address`, `publish`): the caller knows whose.
    public var key: String?
    public var message: String
    public var mend: String?

    public init(key: String? = nil, _ message: String, mend: String? = nil) {
        self.key = key
        self.message = message
        self.mend = mend
    }

    public init(_ error: SystemError, key: String? = nil) { self.init(key: key, error.message) }

    public var text: String { mend.map { "\(message); \($0)" } ?? message }
}

/// Runs `body` and turns a failed system call into a switch's error.
func attributed<Result: ~Copyable>(
    to key: String? = nil, _ body: () throws(SystemError) -> Result
) throws(SwitchError) -> Result {
    do throws(SystemError) { return try body() } catch { throw SwitchError(error, key: key) }
}
