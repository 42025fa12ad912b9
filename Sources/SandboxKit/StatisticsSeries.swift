public import Launch

/// Statistics of sandboxes, taken again and again: each with the rates since the one before.
public struct StatisticsSeries: Sendable {
    /// A measurement of one sandbox.
    public struct Sample: Sendable, Equatable {
        /// What it uses.
        public var statistics: Statistics
        /// `nil` in a sandbox's first sample.
        public var rates: UsageRates?
    }

    private let registry: Registry
    private let names: [String]?
    private var earlier: [String: Statistics] = [:]

    /// - Parameter names: the sandboxes to look at; `nil`: whichever run at the moment.
    public init(_ registry: Registry, names: [String]? = nil) {
        self.registry = registry
        self.names = names
    }

    /// Measures those that run, by name. The others are left out, the damaged ones with the reason.
    public mutating func next() throws(LaunchError) -> (
        samples: [Sample], damaged: [(name: String, problem: LaunchError)]
    ) {
        let listing = try registry.list()
        var samples: [Sample] = []
        var damaged = listing.damaged.filter { names?.contains($0.name) ?? true }
        for summary in listing.sandboxes where names?.contains(summary.record.name) ?? true {
            do throws(LaunchError) {
                guard let now = try Statistics(summary) else { continue }
                samples.append(Sample(statistics: now, rates: earlier[now.name].flatMap { now.rates(since: $0) }))
            } catch {
                damaged.append((summary.record.name, error))
            }
        }
        earlier = [:]
        for sample in samples { earlier[sample.statistics.name] = sample.statistics }
        return (samples, damaged)
    }
}
