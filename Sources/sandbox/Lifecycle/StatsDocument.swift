import Kernel
import Netlink
import Profile
import SandboxKit

extension StatisticsSeries.Sample {
    /// An entry of `stats --json`.
    func document(memory: UInt64) -> Value {
        let share = statistics.usage.memoryShare(of: memory)
        return .table(
            [
                ("name", .string(statistics.name)), ("state", .string(statistics.summary.state.rawValue)),
                ("source", .string(statistics.source.rawValue)),
                ("cpuPercent", rates?.cpu.map { .double(rounded($0 * 100)) } ?? .null),
                ("memoryPercent", share.map { .double(rounded($0 * 100)) } ?? .null),
            ] + statistics.usage.entries + [
                ("receivedBytes", number(statistics.total(\.receivedBytes))),
                ("receivedPackets", number(statistics.total(\.receivedPackets))),
                ("sentBytes", number(statistics.total(\.sentBytes))),
                ("sentPackets", number(statistics.total(\.sentPackets))),
                ("interfaces", statistics.interfaces.map { .array($0.map { .table($0.entries) }) } ?? .null),
            ])
    }

    private func rounded(_ percent: Double) -> Double { (percent * 100).rounded() / 100 }
}

extension CgroupUsage {
    /// Times in microseconds, sizes in bytes; null for what is not counted or not limited.
    var entries: [(key: String, value: Value)] {
        [
            ("cpuMicroseconds", number(cpu)), ("cpuUserMicroseconds", number(cpuUser)),
            ("cpuSystemMicroseconds", number(cpuSystem)), ("memory", number(memory)),
            ("memoryPeak", number(memoryPeak)), ("memoryLimit", number(memoryLimit)), ("swap", number(swap)),
            ("pids", number(pids)), ("pidsLimit", number(pidsLimit)), ("readBytes", number(readBytes)),
            ("writtenBytes", number(writtenBytes)), ("reads", number(reads)), ("writes", number(writes)),
            ("oomKills", number(oomKills)),
        ]
    }
}

extension InterfaceCounters {
    /// An interface's name and figures.
    var entries: [(key: String, value: Value)] { [("name", .string(name))] + figures }

    var figures: [(key: String, value: Value)] {
        [
            ("receivedBytes", number(receivedBytes)), ("receivedPackets", number(receivedPackets)),
            ("receivedErrors", number(receivedErrors)), ("receivedDropped", number(receivedDropped)),
            ("sentBytes", number(sentBytes)), ("sentPackets", number(sentPackets)), ("sentErrors", number(sentErrors)),
            ("sentDropped", number(sentDropped)),
        ]
    }
}
