import Kernel
import Launch
import SandboxKit

/// What `sandbox top` shows at one moment, as lines.
struct TopLayout {
    var samples: [StatisticsSeries.Sample] = []
    /// Sandboxes of which nothing can be told, with the reason.
    var damaged: [(name: String, problem: LaunchError)] = []
    var order = TopOrder()
    var interval = Interval.usual
    /// The machine's memory in bytes.
    var memory: UInt64
    /// How many rows are scrolled past.
    var offset = 0
    var showsHelp = false

    /// A terminal's size in characters.
    struct Size: Equatable {
        var rows: Int
        var columns: Int
    }

    /// The most rows that fit under and over the rest of a screen of that size.
    static func capacity(_ size: Size) -> Int { max(1, size.rows - TopLayout.above(size) - 1) }

    /// Lines over the rows, the headings included; fewer on a low screen.
    private static func above(_ size: Size) -> Int { size.rows >= 10 ? 5 : size.rows >= 4 ? 2 : 0 }

    /// How far there is to scroll.
    func lastOffset(_ size: Size) -> Int { max(0, count - TopLayout.capacity(size)) }

    private var count: Int { samples.count + damaged.count }

    /// The whole screen: at most as many lines as it has, none wider than it is.
    func lines(_ size: Size, style: Style) -> [String] {
        if showsHelp { return Array(TopLayout.help.map { cut($0, to: size.columns) }.prefix(size.rows)) }
        let columns = TopLayout.columns(fitting: size.columns)
        let above = TopLayout.above(size)
        var lines: [String] = []
        if above > 2 { lines += summary.map { cut($0, to: size.columns) } + [""] }
        if above == 2 { lines.append(cut(summary[0], to: size.columns)) }
        if above > 0 { lines.append(headings(columns, size.columns, style)) }
        let start = min(max(0, offset), lastOffset(size))
        let rows = rows(columns, size.columns, style)
        let capacity = TopLayout.capacity(size)
        lines += rows.dropFirst(start).prefix(capacity)
        guard size.rows > above + 1 else { return Array(lines.prefix(size.rows)) }
        lines += Array(repeating: "", count: max(0, size.rows - 1 - lines.count))
        lines.append(cut(foot(start, capacity), to: size.columns))
        return lines
    }

    /// The totals and the table once, for whatever is no terminal: nothing is cut and nothing is styled.
    var text: String {
        let columns = TopColumn.allCases
        let longest = samples.map { displayWidth(printable($0.statistics.name)) }.max() ?? 0
        let width = TopLayout.width(columns) + max(0, longest - TopColumn.name.width)
        let plain = Style(isTerminal: false, noColour: nil, term: nil)
        let lines = summary + ["", headings(columns, width, plain)] + rows(columns, width, plain, cuts: false)
        return lines.map { $0 + "\n" }.joined()
    }
}

// MARK: - The table

extension TopLayout {
    /// Those that fit side by side.
    static func columns(fitting limit: Int) -> [TopColumn] {
        var columns = TopColumn.allCases
        for column in TopColumn.dispensable where width(columns) > limit { columns.removeAll { $0 == column } }
        return columns
    }

    /// The least that columns need, with a space between each.
    private static func width(_ columns: [TopColumn]) -> Int { columns.reduce(-1) { $0 + $1.width + 1 } }

    private func headings(_ columns: [TopColumn], _ limit: Int, _ style: Style) -> String {
        let cells = columns.map { column in
            if column != order.column { return column.heading }
            let arrow = order.isReversed == column.isText ? "▾" : "▴"
            return column.isText ? column.heading + arrow : arrow + column.heading
        }
        return style.reversed(TopLayout.line(cells, columns, limit))
    }

    private func rows(_ columns: [TopColumn], _ limit: Int, _ style: Style, cuts: Bool = true) -> [String] {
        if count == 0 { return [cut("No sandbox runs.", to: limit)] }
        var rows = order.sorted(samples, memory: memory).map { sample in
            let cells = columns.map { $0.cell(sample, memory: memory) }
            let line = TopLayout.line(cells, columns, limit)
            return sample.statistics.summary.state == .paused ? style(.yellow, line) : line
        }
        for (name, problem) in damaged {
            let text = "\(printable(name)) is damaged: \(printable(problem.message))"
            rows.append(style(.red, cuts ? cut(text, to: limit) : text))
        }
        return rows
    }

    /// Text to the left, numbers to the right, the name as wide as can be. The arrow of a number's heading may take the
    /// space before it.
    private static func line(_ cells: [String], _ columns: [TopColumn], _ limit: Int) -> String {
        let spare = max(0, limit - width(columns))
        var line = ""
        for (column, cell) in zip(columns, cells) {
            let width = column.width + (column == .name ? spare : column.isText ? 0 : 1)
            let word = cut(cell, to: width)
            let gap = String(repeating: " ", count: max(0, width - displayWidth(word)))
            if column.isText {
                line += (line.isEmpty ? "" : " ") + word + gap
            } else {
                line += gap + word
            }
        }
        return cut(line, to: limit)
    }
}

// MARK: - Around it

extension TopLayout {
    /// What there is, and what all of it together uses.
    private var summary: [String] {
        let paused = samples.filter { $0.statistics.summary.state == .paused }.count
        var parts = ["\(samples.count - paused) running"]
        if paused > 0 { parts.append("\(paused) paused") }
        if !damaged.isEmpty { parts.append("\(damaged.count) damaged") }
        func rate(_ column: TopColumn) -> String { total(column).map { Figures.rate($0) + "/s" } ?? "-" }
        func size(_ bytes: Double?) -> String { bytes.map { Figures.bytes(UInt64($0)) } ?? "-" }
        let pids = total(.pids).map { "\(Int($0))" } ?? "-"
        return [
            "sandbox top: " + parts.joined(separator: ", ") + "; every \(interval.text), by \(order.text)",
            "CPU% \(Figures.percent(total(.cpu)))   memory \(size(total(.memory))) of \(Figures.bytes(memory))"
                + "   pids \(pids)",
            "disk read \(rate(.read)), written \(rate(.written))"
                + "   network received \(rate(.received)), sent \(rate(.sent))",
        ]
    }

    /// The sum over the sandboxes for which it is counted.
    private func total(_ column: TopColumn) -> Double? {
        let known = samples.compactMap { column.number($0, memory: memory) }
        return known.isEmpty ? nil : known.reduce(0, +)
    }

    private func foot(_ start: Int, _ capacity: Int) -> String {
        let keys = "q quit  h help  c m p i n … sort  R reverse  + - interval"
        if count <= capacity { return keys }
        return "\(start + 1)-\(min(start + capacity, count)) of \(count)  " + keys
    }

    private static let help =
        ["sandbox top: what running sandboxes use", ""]
        + TopColumn.allCases.map { column in
            let gap = String(repeating: " ", count: 9 - column.heading.utf8.count)
            return "  \(column.key)   by \(column.heading)\(gap)\(column.meaning)"
        } + [
            "", "  R   the other way round, as does the same key again",
            "  +   measure less often, - more often",
            "  j k, arrows, Page Up, Page Down, g G: other rows",
            "  q   quit, as do Ctrl-C and Ctrl-D; Ctrl-Z stops for a while", "", "Any key leads back.",
        ]
}

extension TopOrder {
    /// For the first line of the screen.
    fileprivate var text: String { column.heading + (isReversed ? ", reversed" : "") }
}

extension Interval {
    /// `1s`, `0.5s`.
    var text: String {
        milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : Figures.decimal(Double(milliseconds) / 1000) + "s"
    }

    private static let steps = [100, 200, 500, 1000, 2000, 3000, 5000, 10_000, 30_000, 60_000, 300_000, 3_600_000]

    /// The next longer usual one.
    var longer: Interval { Interval(milliseconds: Interval.steps.first { $0 > milliseconds } ?? milliseconds) }

    /// The next shorter usual one.
    var shorter: Interval { Interval(milliseconds: Interval.steps.last { $0 < milliseconds } ?? milliseconds) }
}
