/// How often a box's memory is copied while it runs, before it is saved.
public struct PreCopyPlan: Sendable, Equatable {
    /// What ``limit`` may be.
    public static let limits = 1...32
    /// The most copies: each of them stops the box for a moment.
    public var limit: Int

    public init(limit: Int = 4) { self.limit = limit }

    /// So little is saved in no time, in bytes; so is the like part of all memory.
    private static let least = 4 << 20
    private static let part = 64

    /// Whether another copy is worth its while.
    /// - Parameter copied: how many bytes each copy so far has had, the first one all memory.
    public func goesOn(after copied: [Int]) -> Bool {
        guard let first = copied.first, let last = copied.last else { return true }
        if copied.count >= limit || last <= max(PreCopyPlan.least, first / PreCopyPlan.part) { return false }
        // One that writes as fast as it is copied never comes to an end.
        return copied.count < 2 || last < copied[copied.count - 2] / 4 * 3
    }
}
