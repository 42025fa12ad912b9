import CLinux
import Glibc

/// Rows under headings, each column as wide as its widest cell, the last one cut to the terminal's width.
struct Table {
    var headings: [String]
    var rows: [[String]] = []

    /// `width` nil: not a terminal, nothing is cut. Cells are made safe here.
    func text(width: Int?, style: Style) -> String {
        let cells = rows.map { $0.map(printable) }
        let widths = headings.indices.map { column in
            ([headings] + cells).map { displayWidth($0[column]) }.max() ?? 0
        }
        var text = style.bold(Table.line(headings, widths, width)) + "\n"
        for row in cells { text += Table.line(row, widths, width) + "\n" }
        return text
    }

    private static func line(_ row: [String], _ widths: [Int], _ limit: Int?) -> String {
        var line = ""
        var column = 0
        for (index, cell) in row.enumerated() {
            let isLast = index == row.count - 1
            if isLast {
                line += limit.map { cut(cell, to: max(8, $0 - column)) } ?? cell
            } else {
                line += cell + String(repeating: " ", count: widths[index] - displayWidth(cell) + 2)
            }
            column += widths[index] + 2
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}

/// The columns that `text` fills on a terminal, by the wide ranges of UAX #11 and combining marks as zero.
func displayWidth(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + scalarWidth($1) }
}

/// `text`, or its beginning and `…` when it is wider than `width`.
func cut(_ text: String, to width: Int) -> String {
    guard displayWidth(text) > width else { return text }
    var kept = ""
    var used = 1
    for character in text {
        let next = displayWidth(String(character))
        if used + next > width { break }
        used += next
        kept.append(character)
    }
    return kept + "…"
}

/// Words of `text` in lines of at most `width` columns, each after the first indented by `indent`.
func wrapped(_ text: String, width: Int, indent: Int = 0) -> String {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
        if !line.isEmpty && displayWidth(line) + 1 + displayWidth(String(word)) > width - indent {
            lines.append(line)
            line = ""
        }
        line += (line.isEmpty ? "" : " ") + word
    }
    lines.append(line)
    return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
}

/// The width of the terminal on standard output; nil when it is none.
func terminalWidth(_ descriptor: Int32 = STDOUT_FILENO) -> Int? {
    var size = winsize()
    guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
        return nil
    }
    return Int(size.ws_col)
}

private func scalarWidth(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0x300...0x36f, 0x1ab0...0x1aff, 0x1dc0...0x1dff, 0x20d0...0x20ff, 0xfe00...0xfe0f: 0
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
        0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f900...0x1f9ff, 0x20000...0x3fffd:
        2
    default: 1
    }
}
