import Addresses
import Netlink
import Switching

/// A switch drawn with box-drawing characters: what it leads to above, its ports below.
struct SwitchPicture {
    private let view: SwitchView
    /// Columns where there is no terminal.
    private static let usualWidth = 80

    init(_ view: SwitchView) { self.view = view }

    /// - Parameter width: the terminal's; lines are cut there, and the frame is no wider than 80 columns.
    func text(width: Int?, style: Style) -> String {
        let frame = min(max(width ?? SwitchPicture.usualWidth, 40), SwitchPicture.usualWidth)
        var lines = view.spec.ways.map { "   " + cut(printable($0), to: frame - 4) }
        if !lines.isEmpty { lines.append("    │") }
        lines += box(frame, style, opens: !view.spec.ways.isEmpty)
        for (index, port) in view.ports.enumerated() {
            lines += self.lines(of: port, isLast: index == view.ports.count - 1, width: width, style)
        }
        if view.ports.isEmpty { lines.append("    no ports") }
        if let note = dropped { lines.append(style(.yellow, note)) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func box(_ width: Int, _ style: Style, opens: Bool) -> [String] {
        let inner = width - 4
        let bar = String(repeating: "━", count: width - 2)
        func edge(_ left: String, _ right: String, _ joint: String?) -> String {
            guard let joint else { return left + bar + right }
            return left + "━━━" + joint + String(repeating: "━", count: width - 6) + right
        }
        func row(_ text: String, bold: Bool = false) -> String {
            let shown = cut(text, to: inner)
            let rest = String(repeating: " ", count: inner - displayWidth(shown))
            return "┃ " + (bold ? style.bold(shown) : shown) + rest + " ┃"
        }
        let spec = view.spec
        var rows = [row("\(printable(spec.name))  \(spec.kind.rawValue)", bold: true)]
        if !spec.subnets.isEmpty { rows.append(row(spec.subnets.map { $0.description }.joined(separator: "  "))) }
        rows.append(row(spec.remarks.joined(separator: ", ")))
        if let server = view.nameServer {
            rows.append(row("names in \(printable(spec.searchDomain)), name server \(printable(server))"))
        }
        return [edge("┏", "┓", opens ? "┷" : nil)] + rows + [edge("┗", "┛", view.ports.isEmpty ? nil : "┯")]
    }

    private func lines(of port: PortView, isLast: Bool, width: Int?, _ style: Style) -> [String] {
        let traffic =
            "received \(Figures.bytes(port.counters.receivedBytes)), sent \(Figures.bytes(port.counters.sentBytes))"
        let label = port.end.map { "\($0) ── " } ?? "── "
        let first = "    " + (isLast ? "└─ " : "├─ ") + label
        var details = (port.addresses.map { $0.description } + [traffic]).joined(separator: "  ")
        if port.dropped > 0 { details += ", dropped \(port.dropped)" }
        let stem = "    " + (isLast ? "   " : "│  ") + String(repeating: " ", count: label.count)
        let room = (width ?? SwitchPicture.usualWidth) - displayWidth(first)
        let name = cut(printable(port.owner ?? "(no name)"), to: max(8, room - displayWidth(port.interface) - 1))
        // What does not fit beside the name goes below it.
        let beside = "\(name) \(printable(port.interface))  "
        var lines: [String]
        let isPlaced = port.isUp ? style(.green, name) : style(.red, name)
        let named = first + isPlaced + " \(printable(port.interface))"
        if displayWidth(beside) + displayWidth(details) <= room {
            lines = [named + "  " + details]
        } else {
            lines = [named]
            lines += wrapped(details, width: room).split(separator: "\n").map { stem + $0 }
        }
        let remarks = ([port.mac?.description].compactMap { $0 } + port.remarks).joined(separator: ", ")
        lines += wrapped(remarks, width: room).split(separator: "\n").map { stem + $0 }
        return lines + functions(of: port, stem, room, style)
    }

    /// A line for each function between it and the switch, the first next to the application.
    private func functions(of port: PortView, _ stem: String, _ room: Int, _ style: Style) -> [String] {
        port.functions.enumerated().map { index, function in
            let joint = index == port.functions.count - 1 ? "└" : "├"
            let place = function.sandbox.map { " in \(printable($0))" } ?? ""
            let name = cut(
                "\(index + 1) \(printable(function.reference))", to: max(12, room - displayWidth(place) - 5))
            let text = cut("\(joint)┤ \(name) ├\(place)", to: room)
            return stem + (function.isAlive ? text : style(.red, text))
        }
    }

    private var dropped: String? {
        var words: [String] = []
        if let spoofed = view.spoofed, spoofed > 0 { words.append("\(spoofed) with a source not the port's own") }
        if let refused = view.refused, refused > 0 { words.append("\(refused) that no rule allows") }
        return words.isEmpty ? nil : "    dropped frames: " + words.joined(separator: ", ")
    }
}
