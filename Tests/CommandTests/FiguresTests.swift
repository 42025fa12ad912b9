import Testing

@testable import sandbox

@Suite("Figures") struct FiguresTests {
    @Test(
        "bytes in at most five columns",
        arguments: [
            (0, "0"), (999, "999"), (1000, "1.0K"), (1023, "1.0K"), (1024, "1.0K"), (1536, "1.5K"), (10_188, "9.9K"),
            (10_189, "10K"), (1_023_487, "999K"), (1_023_488, "1.0M"), (64 << 20, "64M"), (1 << 30, "1.0G"),
            (5 << 40, "5.0T"), (7 << 50, "7.0P"), (UInt64.max, "16E"),
        ])
    func bytes(count: UInt64, text: String) { #expect(Figures.bytes(count) == text) }

    @Test("no number gets wider than four columns") func width() {
        for shift in 0..<64 {
            for count in [UInt64(1) << shift, (UInt64(1) << shift) &- 1, UInt64(999) << max(0, shift - 10)] {
                #expect(Figures.bytes(count).count <= 4, "\(count)")
            }
        }
    }

    @Test(
        "shares",
        arguments: [
            (0, "0.0"), (0.0004, "0.0"), (0.0005, "0.1"), (0.5, "50.0"), (1, "100.0"), (9.9994, "999.9"),
            (9.9996, "1000"), (64, "6400"),
        ])
    func shares(share: Double, text: String) { #expect(Figures.percent(share) == text) }

    @Test("what is not known is a dash") func unknown() {
        #expect(Figures.percent(nil) == "-" && Figures.rate(nil) == "-")
        #expect(Figures.rate(0.4) == "0" && Figures.rate(2047.6) == "2.0K")
    }

    @Test(
        "CPU time",
        arguments: [
            (0, "0.00s"), (4999, "0.00s"), (5000, "0.01s"), (9_994_000, "9.99s"), (9_996_000, "10.0s"),
            (59_940_000, "59.9s"), (59_960_000, "1m00s"), (242_000_000, "4m02s"), (3_599_600_000, "1h00m"),
            (11_220_000_000, "3h07m"), (190_800_000_000, "2d05h"),
        ])
    func time(microseconds: UInt64, text: String) { #expect(Figures.time(microseconds) == text) }
}
