import Glibc

/// A system call that failed: what was tried, the kernel's reason, and how to mend it where we know.
public struct SystemError: Error, Sendable, Equatable {
    /// What was tried, in the user's words: "mount proc on /proc".
    public var action: String
    /// An errno(3) value.
    public var code: Int32
    public var mend: String?

    public init(_ action: String, code: Int32, mend: String? = nil) {
        self.action = action
        self.code = code
        self.mend = mend
    }

    /// One line: action, the C library's words for the errno value, the mend.
    public var message: String {
        let reason = String(cString: strerror(code))
        return mend.map { "\(action): \(reason); \($0)" } ?? "\(action): \(reason)"
    }
}

/// Calls `body`, again while a signal interrupts it, and throws its errno value when it returns -1.
@discardableResult
public func check(_ action: @autoclosure () -> String, _ body: () -> Int32) throws(SystemError) -> Int32 {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw SystemError(action(), code: code) }
    }
}
