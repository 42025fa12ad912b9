public import Kernel

/// A launch that did not happen: the profile key behind it where there is one, what went wrong, and the exit status.
public struct LaunchError: Error, Sendable, Equatable {
    /// `section.key`, for looking up file and line.
    public var key: String?
    public var message: String
    /// 125, or 126 and 127 for a command that cannot be executed or found.
    public var status: Int32

    public init(key: String? = nil, _ message: String, mend: String? = nil, status: Int32 = 125) {
        self.key = key
        self.message = mend.map { "\(message); \($0)" } ?? message
        self.status = status
    }

    public init(_ error: SystemError, key: String? = nil) {
        self.init(key: key, error.message)
    }
}

/// Runs `body` and gives a failed system call the profile key it was made for.
@discardableResult
func attributed<Result: ~Copyable>(
    to key: String?, _ body: () throws(SystemError) -> Result
) throws(LaunchError) -> Result {
    do {
        let result = try body()
        CrashPoint.pass(key ?? "step")
        return result
    } catch {
        throw LaunchError(error, key: key)
    }
}
