public import SandboxKit

/// What a sandbox uses, measured again and again until it has ended for good.
///
/// It throws `LaunchError` where that cannot be told, and `CancellationError` when its task is cancelled.
public struct AsyncStatistics: AsyncSequence, Sendable {
    fileprivate let sandbox: Sandbox
    fileprivate let interval: Duration

    /// An iteration that begins with a measurement at once.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// An iteration; for one task at a time.
    public struct Iterator: AsyncIteratorProtocol {
        private let sandbox: Sandbox
        private let interval: Duration
        private var series: StatisticsSeries
        private var due: ContinuousClock.Instant?

        fileprivate init(_ statistics: AsyncStatistics) {
            sandbox = statistics.sandbox
            interval = statistics.interval
            series = StatisticsSeries(statistics.sandbox.registry, names: [statistics.sandbox.name])
        }

        /// Waits until it is time, and measures; `nil` when the sandbox has ended for good.
        public mutating func next() async throws -> StatisticsSeries.Sample? {
            while true {
                if let due { try await Task.sleep(until: due, clock: .continuous) }
                try Task.checkCancellation()
                // What takes longer than the interval is not made up for.
                due = .now + interval
                let (sandbox, earlier) = (sandbox, series)
                let look = try await aside { () throws(LaunchError) in try sandbox.look(earlier) }
                series = look.series
                if let sample = look.sample { return sample }
                if !look.isUnderWay { return nil }
            }
        }
    }
}

extension AsyncSandbox {
    /// What it uses, with the rates since the measurement before.
    /// - Parameter interval: the time between two measurements.
    public func statistics(every interval: Duration) -> AsyncStatistics {
        AsyncStatistics(sandbox: sandbox, interval: interval)
    }
}

extension Sandbox {
    fileprivate func look(_ earlier: StatisticsSeries) throws(LaunchError) -> Look {
        var series = earlier
        let (samples, damaged) = try series.next()
        if let problem = damaged.first?.problem { throw problem }
        // One that waits to begin again will have something to be measured.
        let isUnderWay = try registry.settle(name)?.isUnderWay ?? false
        return Look(series: series, sample: samples.first, isUnderWay: isUnderWay)
    }
}

private struct Look: Sendable {
    var series: StatisticsSeries
    var sample: StatisticsSeries.Sample?
    var isUnderWay: Bool
}
