/// What a waiter has done again and again while its command runs, by a process of its own executable.
public struct PeriodicErrand: Sendable, Equatable {
    /// Milliseconds in between.
    public var period: Int
    /// Its words, behind the program's name. It gets no environment.
    public var words: [String]

    public init(period: Int, words: [String]) { (self.period, self.words) = (period, words) }
}
