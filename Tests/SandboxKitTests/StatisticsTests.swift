import Kernel
import Launch
import Netlink
import Testing

@testable import SandboxKit

@Suite("Statistics") struct StatisticsTests {
    private func measured(start: UInt64 = 7, at time: UInt64, _ cpu: UInt64?, traffic: UInt64? = nil) -> Statistics {
        let launcher = ProcessIdentity(pid: 1, start: 1)
        var record = SandboxRecord(name: "web", launcher: launcher, boot: "x", created: 0)
        (record.phase, record.process) = (.running, ProcessIdentity(pid: 9, start: start))
        var usage = CgroupUsage()
        (usage.cpu, usage.readBytes) = (cpu, cpu)
        let interfaces = traffic.map { bytes in
            ["lo", "eth0", "eth1"].map { name in
                var counters = InterfaceCounters(name: name)
                (counters.receivedBytes, counters.sentPackets) = (bytes, bytes)
                return counters
            }
        }
        return Statistics(
            summary: SandboxSummary(record: record, state: .running), time: time, source: .controlGroup, usage: usage,
            interfaces: interfaces)
    }

    @Test("rates are per second, CPU time in CPUs, the loopback left out") func rates() {
        let before = measured(at: 1_000_000_000, 1_000_000, traffic: 100)
        let rates = measured(at: 3_000_000_000, 2_000_000, traffic: 400).rates(since: before)
        #expect(rates?.cpu == 0.5 && rates?.read == 500_000)
        #expect(rates?.received == 300 && rates?.sentPackets == 300 && rates?.sent == 0)
        #expect(rates?.written == nil)
    }

    @Test("another run, or the same moment, gives no rates; what falls gives none below 0") func none() {
        let before = measured(at: 1_000_000_000, 1_000_000)
        #expect(measured(start: 8, at: 2_000_000_000, 5).rates(since: before) == nil)
        #expect(measured(at: 1_000_000_000, 5).rates(since: before) == nil)
        #expect(measured(at: 2_000_000_000, 5).rates(since: before)?.cpu == 0)
        #expect(measured(at: 2_000_000_000, nil).rates(since: before)?.cpu == nil)
    }

    @Test("the total is without the loopback; unknown with the host's network") func total() {
        #expect(measured(at: 1, 1, traffic: 5).total(\.receivedBytes) == 10)
        #expect(measured(at: 1, 1).total(\.receivedBytes) == nil)
    }
}
