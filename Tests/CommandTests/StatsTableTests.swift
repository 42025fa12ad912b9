import Kernel
import SandboxKit
import Testing

@testable import sandbox

@Suite("The table of stats") struct StatsTableTests {
    private let plain = Style(isTerminal: false, noColour: nil, term: nil)

    private func rows(_ samples: StatisticsSeries.Sample...) -> [[Substring]] {
        let lines = StatsTable(samples, memory: 1 << 30).text(width: nil, style: plain).split(separator: "\n")
        return lines.map { $0.split(separator: " ") }
    }

    @Test("a row says what is counted, and a dash what is not") func row() {
        let web = sample("web", state: .paused, rates: rates(cpu: 1.25), network: 2048) { usage in
            (usage.cpu, usage.memory, usage.memoryLimit) = (4_200_000, 32 << 20, 64 << 20)
            (usage.pids, usage.pidsLimit, usage.readBytes, usage.writtenBytes) = (3, 20, 4096, 0)
        }
        let rows = rows(web, sample("bare"))
        #expect(rows[0].count == 12)
        #expect(rows[1] == "web paused 125.0 4.20s 32M 64M 50.0 3/20 4.0K 0 2.0K 4.0K".split(separator: " "))
        #expect(rows[2] == "bare running - - - - - - - - - -".split(separator: " "))
    }

    @Test("what is added up from processes is marked, and explained below") func partial() {
        let rows = rows(
            sample("bare", source: .processTree) { usage in (usage.cpu, usage.memory) = (0, 1 << 20) })
        #expect(rows[1] == "bare running - ~0.00s ~1.0M - 0.1 - - - - -".split(separator: " "))
        #expect(rows.last?.first == "~")
    }

    @Test("memory is a share of its limit, or of the machine's memory where that is less")
    func share() {
        var usage = CgroupUsage()
        #expect(usage.memoryShare(of: 100) == nil)
        usage.memory = 50
        #expect(usage.memoryShare(of: 100) == 0.5 && usage.memoryShare(of: 0) == nil)
        usage.memoryLimit = 200
        #expect(usage.memoryShare(of: 100) == 0.5)
        usage.memoryLimit = 50
        #expect(usage.memoryShare(of: 100) == 1)
    }
}
