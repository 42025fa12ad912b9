import Kernel
import Netlink

@testable import SandboxKit

/// A measurement as tests want it.
func sample(
    _ name: String, state: SandboxSummary.State = .running, source: MeasurementSource = .controlGroup,
    rates: UsageRates? = nil, network: UInt64? = nil, _ change: (inout CgroupUsage) -> Void = { _ in }
) -> StatisticsSeries.Sample {
    var record = SandboxRecord(name: name, launcher: ProcessIdentity(pid: 1, start: 1), boot: "x", created: 0)
    record.phase = .running
    var usage = CgroupUsage()
    change(&usage)
    let interfaces = network.map { bytes in
        var counters = InterfaceCounters(name: "eth0")
        (counters.receivedBytes, counters.sentBytes) = (bytes, bytes * 2)
        return [InterfaceCounters(name: "lo"), counters]
    }
    let statistics = Statistics(
        summary: SandboxSummary(record: record, state: state), time: 1, source: source, usage: usage,
        interfaces: interfaces)
    return StatisticsSeries.Sample(statistics: statistics, rates: rates)
}

/// CPUs' worth of time, and bytes a second for all the rest.
func rates(cpu: Double?, bytes: Double? = nil) -> UsageRates {
    var rates = UsageRates()
    rates.cpu = cpu
    (rates.read, rates.written, rates.received, rates.sent) = (bytes, bytes, bytes, bytes)
    return rates
}
