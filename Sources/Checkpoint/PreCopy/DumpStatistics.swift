/// What CRIU tells of one dump, in its image `stats-dump`: two magic numbers, then one message behind its length.
enum DumpStatistics {
    static let file = "stats-dump"
    private static let magic: [UInt8] = [0x40, 0x59, 0x10, 0x55, 0x06, 0x33, 0x09, 0x57]
    /// Of `stats_entry` and `dump_stats_entry` (stats.proto).
    private static let (dump, freezing, frozen) = (1, 1, 2)

    /// For how many microseconds processes stood still, the stopping of them included; `nil` where it is not told.
    static func pause(_ image: [UInt8]) -> Int? {
        guard image.starts(with: magic), image.count >= magic.count + 4 else { return nil }
        let rest = image[(magic.count + 4)...]
        let size = image[magic.count..<magic.count + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard size <= rest.count, let entry = WireMessage(rest.prefix(size)),
            case .bytes(let bytes)? = entry.fields.first(where: { $0.number == dump })?.content,
            let told = WireMessage(bytes), let stopping = told.number(freezing), let still = told.number(frozen)
        else { return nil }
        return Int(exactly: stopping &+ still)
    }
}
