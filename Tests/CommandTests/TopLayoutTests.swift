import Kernel
import Launch
import SandboxKit
import Testing

@testable import sandbox

@Suite("The screen of top") struct TopLayoutTests {
    private let plain = Style(isTerminal: false, noColour: nil, term: nil)
    private let usual = TopLayout.Size(rows: 24, columns: 80)

    private let four = [
        sample("web", rates: rates(cpu: 0.25, bytes: 2048)) { ($0.memory, $0.pids) = (64 << 20, 4) },
        sample("cache", rates: rates(cpu: 1.5, bytes: 0)) { usage in
            (usage.memory, usage.memoryLimit, usage.pids) = (96 << 20, 128 << 20, 2)
        },
        sample("batch", state: .paused, rates: rates(cpu: 0)) { ($0.memory, $0.pids) = (1 << 20, 1) },
        sample("bare", source: .processTree) { $0.memory = 8 << 20 },
    ]

    private func layout(_ samples: [StatisticsSeries.Sample]? = nil, by column: TopColumn = .cpu) -> TopLayout {
        TopLayout(samples: samples ?? four, order: TopOrder(column: column), memory: 1 << 30)
    }

    private func names(_ order: TopOrder) -> [String] {
        order.sorted(four, memory: 1 << 30).map(\.statistics.name)
    }

    @Test("80 by 24: totals, headings, a row for each, keys") func screen() {
        let lines = layout().lines(usual, style: plain)
        #expect(
            lines == [
                "sandbox top: 3 running, 1 paused; every 1s, by CPU%",
                "CPU% 175.0   memory 169M of 1.0G   pids 7",
                "disk read 2.0K/s, written 2.0K/s   network received 2.0K/s, sent 2.0K/s",
                "",
                "NAME              STATE    ▾CPU% MEMORY  MEM%  PIDS READ/s WRITE/s RECV/s SENT/s",
                "cache             running  150.0    96M  75.0     2      0       0      0      0",
                "web               running   25.0    64M   6.3     4   2.0K    2.0K   2.0K   2.0K",
                "batch             paused     0.0   1.0M   0.1     1      -       -      -      -",
                "bare              running      -  ~8.0M   0.8     -      -       -      -      -",
            ] + Array(repeating: "", count: 14) + ["q quit  h help  c m p i n … sort  R reverse  + - interval"])
    }

    @Test("no line is wider than the screen, and there are never more", arguments: [1, 2, 3, 4, 9, 10, 24, 200])
    func sizes(rows: Int) {
        let many = (0..<50).map { sample("sandbox-with-a-long-name-\($0)", rates: rates(cpu: 3, bytes: 1e12)) }
        for columns in [1, 5, 20, 40, 63, 79, 80, 81, 132, 500] {
            let size = TopLayout.Size(rows: rows, columns: columns)
            for help in [false, true] {
                for samples in [many, [], four] {
                    var layout = layout(samples, by: .written)
                    layout.damaged = [("bad\u{1b}", LaunchError("its record cannot be read"))]
                    layout.showsHelp = help
                    let lines = layout.lines(size, style: plain)
                    #expect(!lines.isEmpty && lines.count <= rows)
                    #expect(lines.allSatisfy { displayWidth($0) <= columns }, "\(size): \(lines)")
                }
            }
        }
    }

    @Test("a narrow screen keeps the name and what matters most") func narrow() {
        #expect(TopLayout.columns(fitting: 80) == TopColumn.allCases)
        #expect(TopLayout.columns(fitting: 71) == TopColumn.allCases)
        #expect(TopLayout.columns(fitting: 40) == [.name, .cpu, .memory, .pids, .sent])
        #expect(TopLayout.columns(fitting: 10) == [.name, .cpu])
    }

    @Test(
        "each column sorts: numbers from the greatest on, text from A, what is unknown last",
        arguments: [
            (TopColumn.name, ["bare", "batch", "cache", "web"]), (.state, ["batch", "bare", "cache", "web"]),
            (.cpu, ["cache", "web", "batch", "bare"]), (.memory, ["cache", "web", "bare", "batch"]),
            (.share, ["cache", "web", "bare", "batch"]), (.pids, ["web", "cache", "batch", "bare"]),
            (.read, ["web", "cache", "bare", "batch"]), (.written, ["web", "cache", "bare", "batch"]),
            (.received, ["web", "cache", "bare", "batch"]), (.sent, ["web", "cache", "bare", "batch"]),
        ])
    func order(column: TopColumn, sorted: [String]) { #expect(names(TopOrder(column: column)) == sorted) }

    @Test("reversed, what is unknown stays last") func reversed() {
        #expect(names(TopOrder(column: .cpu, isReversed: true)) == ["batch", "web", "cache", "bare"])
        #expect(names(TopOrder(column: .name, isReversed: true)) == ["web", "cache", "batch", "bare"])
        #expect(layout().lines(usual, style: plain)[4].contains("▾CPU%"))
        var turned = layout(by: .name)
        #expect(turned.lines(usual, style: plain)[4].hasPrefix("NAME▴ "))
        turned.order.choose(.name)
        #expect(turned.lines(usual, style: plain)[4].hasPrefix("NAME▾ "))
        #expect(turned.lines(usual, style: plain)[0].hasSuffix("by NAME, reversed"))
        turned.order.choose(.pids)
        #expect(turned.order == TopOrder(column: .pids, isReversed: false))
    }

    @Test("rows beyond the screen are scrolled to") func scrolling() {
        var layout = layout((10..<60).map { sample("box\($0)") }, by: .name)
        #expect(TopLayout.capacity(usual) == 18 && layout.lastOffset(usual) == 32)
        var lines = layout.lines(usual, style: plain)
        #expect(lines.count == 24 && lines[5].hasPrefix("box10 ") && lines[22].hasPrefix("box27 "))
        #expect(lines[23].hasPrefix("1-18 of 50  q quit"))
        layout.offset = 1000
        lines = layout.lines(usual, style: plain)
        #expect(lines.count == 24 && lines[5].hasPrefix("box42 ") && lines[22].hasPrefix("box59 "))
        #expect(lines[23].hasPrefix("33-50 of 50  "))
    }

    @Test("damaged ones are told of after the others, with the reason, and nothing escapes") func damaged() {
        var layout = layout([sample("a\u{1b}[2J")])
        layout.damaged = [("b\u{9b}x", LaunchError("its record\nis odd"))]
        let lines = layout.lines(usual, style: plain)
        #expect(lines[0].contains("1 running, 1 damaged"))
        #expect(lines[5].hasPrefix("a\\x1b[2J "))
        #expect(lines[6] == "b\\x9bx is damaged: its record\\nis odd")
        #expect(!(lines.joined() + layout.text).unicodeScalars.contains { $0 != "\n" && isUnsafe($0) })
    }

    @Test("nothing runs") func empty() {
        let lines = layout([]).lines(usual, style: plain)
        #expect(lines[0] == "sandbox top: 0 running; every 1s, by CPU%")
        #expect(lines[1] == "CPU% -   memory - of 1.0G   pids -")
        #expect(lines[5] == "No sandbox runs.")
    }

    @Test("styles stand around whole lines") func styles() {
        let lines = layout().lines(usual, style: Style(isTerminal: true, noColour: nil, term: "xterm"))
        #expect(lines[4].hasPrefix("\u{1b}[7mNAME ") && lines[4].hasSuffix("SENT/s\u{1b}[0m"))
        #expect(lines[7].hasPrefix("\u{1b}[33mbatch ") && lines[7].hasSuffix("\u{1b}[0m"))
        #expect(lines[5].hasPrefix("cache "))
    }

    @Test("once: whole, however long a name") func once() {
        let name = String(repeating: "x", count: 60)
        let lines = layout([sample(name), sample("b")]).text.split(separator: "\n")
        #expect(lines.count == 6)
        #expect(lines[4].hasPrefix("b "))
        #expect(lines.contains { $0.hasPrefix(name + " running") })
        #expect(lines.last?.contains("…") == false)
    }

    @Test("help names every key") func help() {
        var layout = layout()
        layout.showsHelp = true
        let lines = layout.lines(usual, style: plain)
        #expect(lines.count <= 24)
        for column in TopColumn.allCases {
            #expect(lines.contains { $0.hasPrefix("  \(column.key)   by \(column.heading) ") }, "\(column)")
        }
        #expect(Set(TopColumn.allCases.map(\.key)).count == TopColumn.allCases.count)
    }
}

@Suite("The keys of top") struct TopKeyTests {
    @Test(
        "keys and sequences",
        arguments: [
            ("q", [TopKey.quit]), ("\u{3}", [.quit]), ("\u{1a}", [.stop]), ("cm", [.sort(.cpu), .sort(.memory)]),
            ("pRn", [.sort(.pids), .reverse, .sort(.name)]), ("io", [.sort(.received), .sort(.sent)]),
            ("+-", [.longer, .shorter]), ("h?", [.help, .help]), ("\u{1b}[A\u{1b}OB", [.scroll(-1), .scroll(1)]),
            ("\u{1b}[5~\u{1b}[6~q", [.page(-1), .page(1), .quit]), ("\u{1b}[H\u{1b}[F", [.first, .last]),
            ("\u{1b}[1;5A", [.other]), ("\u{1b}", [.other]), ("\u{1b}[", [.other]), ("\u{1b}[31", [.other]),
            ("\u{1b}q", [.other, .quit]), ("", []), ("é", [.other, .other]),
        ])
    func keys(text: String, keys: [TopKey]) { #expect(TopKey.keys(Array(text.utf8)) == keys) }

    @Test("every column has a key, which means nothing else", arguments: TopColumn.allCases)
    func columns(column: TopColumn) {
        #expect(TopKey.keys(Array(String(column.key).utf8)) == [.sort(column)])
    }

    @Test("the interval goes in steps") func interval() {
        #expect(Interval.usual.longer.text == "2s" && Interval.usual.shorter.text == "0.5s")
        #expect(Interval(milliseconds: 700).longer.text == "1s" && Interval(milliseconds: 100).shorter.text == "0.1s")
        #expect(Interval(milliseconds: 3_600_000).longer == Interval(milliseconds: 3_600_000))
        #expect(Interval(argument: "250ms") == Interval(milliseconds: 250))
        for wrong in ["0", "-1", "x", "", "0.05", "3601", "1e3"] {
            #expect(Interval(argument: wrong) == nil, "\(wrong)")
        }
    }
}
