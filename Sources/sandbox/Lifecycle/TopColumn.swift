import ArgumentParser
import Kernel
import SandboxKit

/// A column of `sandbox top`, which its rows can be sorted by.
enum TopColumn: String, CaseIterable, ExpressibleByArgument {
    case name, state, cpu, memory, share, pids, read, written, received, sent

    var heading: String {
        switch self {
        case .name: "NAME"
        case .state: "STATE"
        case .cpu: "CPU%"
        case .memory: "MEMORY"
        case .share: "MEM%"
        case .pids: "PIDS"
        case .read: "READ/s"
        case .written: "WRITE/s"
        case .received: "RECV/s"
        case .sent: "SENT/s"
        }
    }

    /// The key that sorts by it.
    var key: Character {
        switch self {
        case .name: "n"
        case .state: "t"
        case .cpu: "c"
        case .memory: "m"
        case .share: "l"
        case .pids: "p"
        case .read: "r"
        case .written: "w"
        case .received: "i"
        case .sent: "o"
        }
    }

    /// What it tells.
    var meaning: String {
        switch self {
        case .name: "the sandbox's name"
        case .state: "running or paused"
        case .cpu: "processor time over the interval, 100 being one CPU"
        case .memory: "memory in use; ~ added up from processes"
        case .share: "memory as a share of its limit, or of the machine's"
        case .pids: "processes and threads"
        case .read: "bytes a second read from block devices"
        case .written: "bytes a second written to block devices"
        case .received: "bytes a second received by its own interfaces"
        case .sent: "bytes a second sent by its own interfaces"
        }
    }

    /// In terminal columns; the name has what is left.
    var width: Int {
        switch self {
        case .name: 8
        case .state: 7
        case .cpu, .memory, .read, .received, .sent: 6
        case .share, .pids: 5
        case .written: 7
        }
    }

    var isText: Bool { self == .name || self == .state }

    /// Which go first where a terminal is too narrow for all.
    static let dispensable: [TopColumn] = [.state, .share, .read, .written, .received, .sent, .pids, .memory]

    func cell(_ sample: StatisticsSeries.Sample, memory: UInt64) -> String {
        let usage = sample.statistics.usage
        let mark = sample.statistics.source == .processTree ? "~" : ""
        return switch self {
        case .name: printable(sample.statistics.name)
        case .state: sample.statistics.summary.state.rawValue
        case .cpu: Figures.percent(sample.rates?.cpu)
        case .memory: usage.memory.map { mark + Figures.bytes($0) } ?? "-"
        case .share: Figures.percent(usage.memoryShare(of: memory))
        case .pids: usage.pids.map { "\($0)" } ?? "-"
        case .read, .written, .received, .sent: Figures.rate(number(sample, memory: memory))
        }
    }

    /// What it is sorted by; `nil` for what is not counted, and for text.
    func number(_ sample: StatisticsSeries.Sample, memory: UInt64) -> Double? {
        let usage = sample.statistics.usage
        return switch self {
        case .name, .state: nil
        case .cpu: sample.rates?.cpu
        case .memory: usage.memory.map { Double($0) }
        case .share: usage.memoryShare(of: memory)
        case .pids: usage.pids.map { Double($0) }
        case .read: sample.rates?.read
        case .written: sample.rates?.written
        case .received: sample.rates?.received
        case .sent: sample.rates?.sent
        }
    }
}

/// How the rows of `sandbox top` are sorted: text from A to Z and the greatest number first, or the other way round.
struct TopOrder: Equatable {
    var column = TopColumn.cpu
    var isReversed = false

    /// Takes another column as it is usually sorted; turns the order round for the same one.
    mutating func choose(_ chosen: TopColumn) {
        (column, isReversed) = chosen == column ? (column, !isReversed) : (chosen, false)
    }

    /// What is not counted comes last either way; of equals, the names decide.
    func sorted(_ samples: [StatisticsSeries.Sample], memory: UInt64) -> [StatisticsSeries.Sample] {
        samples.sorted { first, second in
            if let precedes = precedes(first, second, memory) { return precedes }
            return first.statistics.name < second.statistics.name
        }
    }

    /// `nil` for equals.
    private func precedes(
        _ first: StatisticsSeries.Sample, _ second: StatisticsSeries.Sample, _ memory: UInt64
    ) -> Bool? {
        if column.isText {
            let (one, other) = (column.cell(first, memory: memory), column.cell(second, memory: memory))
            return one == other ? nil : (one < other) != isReversed
        }
        switch (column.number(first, memory: memory), column.number(second, memory: memory)) {
        case (let one?, let other?): return one == other ? nil : (one > other) != isReversed
        case (nil, nil): return nil
        case (let one, nil): return one != nil
        case (nil, .some): return false
        }
    }
}
