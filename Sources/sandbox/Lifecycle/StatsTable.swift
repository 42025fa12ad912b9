import Glibc
import Kernel
import Netlink
import SandboxKit

/// Statistics as a table: totals since the sandbox began, and CPU time over the last interval.
struct StatsTable {
    private var table = Table(headings: [
        "NAME", "STATE", "CPU%", "TIME", "MEMORY", "LIMIT", "MEM%", "PIDS", "READ", "WRITTEN", "RECEIVED", "SENT",
    ])
    private var isPartial = false

    /// - Parameter memory: the machine's, in bytes: what a share is of where nothing is limited.
    init(_ samples: [StatisticsSeries.Sample], memory: UInt64) {
        for sample in samples { table.rows.append(row(sample, memory)) }
    }

    func text(width: Int?, style: Style) -> String {
        let note = isPartial ? "~ added up from processes: the sandbox has no control group\n" : ""
        return table.text(width: width, style: style) + note
    }

    private mutating func row(_ sample: StatisticsSeries.Sample, _ memory: UInt64) -> [String] {
        let statistics = sample.statistics
        let usage = statistics.usage
        let mark = statistics.source == .processTree ? "~" : ""
        if statistics.source == .processTree { isPartial = true }
        return [
            statistics.name, statistics.summary.state.rawValue, Figures.percent(sample.rates?.cpu),
            usage.cpu.map { mark + Figures.time($0) } ?? "-", usage.memory.map { mark + Figures.bytes($0) } ?? "-",
            bytes(usage.memoryLimit), Figures.percent(usage.memoryShare(of: memory)), pids(usage),
            bytes(usage.readBytes), bytes(usage.writtenBytes), bytes(statistics.total(\.receivedBytes)),
            bytes(statistics.total(\.sentBytes)),
        ]
    }

    private func bytes(_ count: UInt64?) -> String { count.map { Figures.bytes($0) } ?? "-" }

    private func pids(_ usage: CgroupUsage) -> String {
        guard let pids = usage.pids else { return "-" }
        return usage.pidsLimit.map { "\(pids)/\($0)" } ?? "\(pids)"
    }
}

extension CgroupUsage {
    /// Memory in use as a share of its limit, or of the machine's where that is less or there is none.
    func memoryShare(of machine: UInt64) -> Double? {
        let whole = min(memoryLimit ?? machine, machine)
        guard let memory, whole > 0 else { return nil }
        return Double(memory) / Double(whole)
    }
}

/// The machine's memory in bytes (sysconf(3)).
func machineMemory() -> UInt64 {
    UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
}
