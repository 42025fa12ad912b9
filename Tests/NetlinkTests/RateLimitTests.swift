import Testing

@testable import Netlink

struct RateLimitTests {
    @Test func whatWaitsFollowsFromTheLatency() {
        let limit = RateLimit(rate: 12_500_000, burst: 65_536, latency: 20_000)
        #expect(limit.limit == 250_000 + 65_536)
        #expect(RateLimit(rate: .max, burst: .max, latency: .max).limit == .max)
    }

    @Test func burstHoldsFrames() {
        #expect(RateLimit(rate: 1000).burst == 65_536)
        #expect(RateLimit(rate: 1000, mtu: 65_535).burst == 65_549 * 32)
        #expect(RateLimit(rate: 12_500_000_000).burst == 125_000_000)
        #expect(RateLimit(rate: .max).burst == .max)
    }

    @Test func ticksAndBack() {
        for rate: UInt64 in [1000, 6_250_000, 1_250_000_000] {
            let limit = RateLimit(rate: rate, burst: 65_536)
            let back = RateLimit(rate: rate, ticks: limit.ticks(65_536), limit: limit.limit)
            #expect(abs(Int(back.burst) - 65_536) <= Int(rate / 15_625_000) + 1)
        }
        #expect(RateLimit(rate: 0, burst: 1).ticks(.max) == .max)
        #expect(RateLimit(rate: .max, ticks: .max, limit: 0).burst == .max)
    }
}
