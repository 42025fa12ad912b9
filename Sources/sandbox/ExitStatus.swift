/// Exit statuses of our own; those of `run` are otherwise the command's.
enum ExitStatus {
    static let success: Int32 = 0
    /// The answer is "no": a check found something wrong.
    static let negative: Int32 = 1
    /// We failed before the command began, or the command line is wrong.
    static let failure: Int32 = 125
}
