import Glibc
import Testing

@testable import sandbox

@Suite("What people type and see around a sandbox's terminal")
struct TerminalTextTests {
    @Test("keys to leave by") func keys() {
        for (text, byte, name): (String, UInt8?, String) in [
            ("ctrl-]", 0x1d, "ctrl-]"), ("ctrl-a", 1, "ctrl-a"), ("CTRL-A", 1, "ctrl-a"), ("^a", 1, "ctrl-a"),
            ("^@", 0, "ctrl-@"), ("ctrl-\\", 0x1c, "ctrl-\\"), ("q", 0x71, "q"), ("^", 0x5e, "^"),
            ("none", nil, "none"),
        ] {
            let key = DetachKey(text)
            #expect(key?.byte == byte && key?.name == name, "\(text): \(String(describing: key))")
        }
        for text in ["", " ", "ctrl-", "ctrl-ab", "ctrl-1", "^1", "^ab", "xx", "é", "\t", "None"] {
            #expect(DetachKey(text) == nil, "\(text)")
        }
    }

    @Test("modes that a program switched on are switched off, the last first, wherever pieces end") func modes() {
        let output = Array("\u{1b}[?1049h\u{1b}[?25l\u{1b}[?1000;2004hx\u{1b}[?1000l\u{1b}[?9999h\u{1b}[?7".utf8)
        for cut in output.indices {
            var screen = ScreenModes()
            screen.observe(Array(output[..<cut]))
            screen.observe(Array(output[cut...]))
            #expect(screen.undoing == "\u{1b}[?2004l\u{1b}[?25h\u{1b}[?1049l\u{1b}[0m", "\(cut)")
        }
        #expect(ScreenModes().undoing == "\u{1b}[0m")
    }

    private func filtered(_ bytes: [UInt8], cut: Int) -> String {
        var filter = LogFilter()
        let safe = filter.filter(bytes[..<cut]) + filter.filter(bytes[cut...]) + filter.finish()
        return String(decoding: safe, as: UTF8.self)
    }

    @Test("colours stay, all else that a terminal would obey is shown; wherever pieces end") func filter() {
        let long = "\u{1b}[" + String(repeating: "1;", count: 40) + "m"
        for (text, shown) in [
            ("a\tb\r\nc\n", "a\tb\nc\n"), ("é€𝄞", "é€𝄞"),
            ("\u{1b}[1;31mred\u{1b}[0m", "\u{1b}[1;31mred\u{1b}[0m\u{1b}[0m"),
        ] {
            let bytes = Array(text.utf8)
            for cut in 0...bytes.count {
                #expect(filtered(bytes, cut: cut) == shown, "\(text.debugDescription) \(cut)")
            }
        }
        for text in [
            "\u{1b}[2J", "\u{1b}]0;x\u{7}", "over\rwritten", "\u{1b}", "\u{1b}[", "\u{9b}2J", "a\u{8}b", "\u{202e}x",
            long,
        ] {
            let bytes = Array(text.utf8)
            for cut in 0...bytes.count {
                let shown = filtered(bytes, cut: cut)
                #expect(!shown.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202e || $0.value == 0x9b })
                #expect(shown == filtered(bytes, cut: 0), "\(text.debugDescription) \(cut)")
            }
        }
        let broken: [UInt8] = [0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82]
        for cut in 0...broken.count {
            let shown = filtered(broken, cut: cut)
            #expect(shown.hasPrefix("a") && shown.contains("(") && shown.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
        }
    }

    @Test("times before now, and moments") func times() {
        let now = 1_800_000_000_123
        for (text, time) in [
            ("90s", now - 90_000), ("10m", now - 600_000), ("1h30m", now - 5_400_000), ("2d", now - 172_800_000),
            ("250ms", now - 250), ("1w", now - 604_800_000), ("0s", now), ("@1700000000", 1_700_000_000_000),
            ("@1700000000.25", 1_700_000_000_250), ("@0.000000001", 0), ("2026-01-31T15:04:05Z", 1_769_871_845_000),
            ("2026-01-31T15:04:05+01:00", 1_769_868_245_000), ("2026-01-31T15:04:05.264Z", 1_769_871_845_264),
            ("2026-01-31T15:04-00:30", 1_769_873_640_000),
        ] { #expect(PointInTime.parse(text, now: now) == time, "\(text)") }
        for text in [
            "", "yesterday", "25:00", "12:60", "-5m", "@x", "@", "@1.", "@1.2.3", "5 parsecs", "5y", "2026-02-30",
            "2026-13-01", "2026-01-31T15:04:05+25:00", "1h30", "99999999999999999999s", "15:04Z", "٣s",
        ] { #expect(PointInTime.parse(text, now: now) == nil, "\(text)") }
        // Local times are today's, to the second.
        for text in ["15:04", "15:04:59", "2026-01-31", "2026-01-31 15:04"] {
            #expect(PointInTime.parse(text, now: now).map { $0 % 1000 } == 0, "\(text)")
        }
    }
}
