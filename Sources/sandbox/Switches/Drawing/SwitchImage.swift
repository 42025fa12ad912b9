import Addresses
import Netlink
import Switching

/// Switches as an image (SVG 1.1): each a tall bar, its sandboxes on cards beside it, one wire for each port; what it
/// leads to is above.
struct SwitchImage {
    private let views: [SwitchView]

    init(_ views: [SwitchView]) { self.views = views }

    var svg: String {
        var body = ""
        var y = Measure.margin
        var width = Measure.narrow
        for view in views {
            let drawing = SwitchDrawing(view, top: y)
            body += drawing.svg
            y = drawing.bottom + Measure.between
            width = max(width, drawing.width)
        }
        if views.isEmpty {
            body = Shape.text("no switches", x: Measure.margin, y: y + 20, .title)
            y += 40
        }
        let height = y - Measure.between + Measure.margin
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
            font-family="'DejaVu Sans', Verdana, Arial, sans-serif">
            <rect width="\(width)" height="\(height)" fill="#ffffff"/>
            \(body)</svg>

            """
    }
}

/// Lengths in the image's units.
private enum Measure {
    static let margin = 24, between = 48
    static let card = 312, wire = 110, bar = 230
    static let lineHeight = 17, padding = 12, gap = 14
    static let narrow = 2 * margin + bar + wire + card
    static let wide = 2 * margin + bar + 2 * (wire + card)
    /// Ports that fit on one side before both are used.
    static let oneSide = 4
}

/// One switch.
private struct SwitchDrawing {
    private let view: SwitchView
    private let top: Int
    private let cards: [Card]
    private let isTwoSided: Bool
    /// Of each card.
    private let isLeft: [Bool]
    private let cardsHeight: Int

    init(_ view: SwitchView, top: Int) {
        self.view = view
        self.top = top
        isTwoSided = view.ports.count > Measure.oneSide
        cards = view.ports.map { Card($0) }
        (isLeft, cardsHeight) = SwitchDrawing.sides(cards, isTwoSided: isTwoSided)
    }

    var width: Int { isTwoSided ? Measure.wide : Measure.narrow }

    private var barX: Int { isTwoSided ? Measure.margin + Measure.card + Measure.wire : Measure.margin }
    private var waysHeight: Int { view.spec.ways.isEmpty ? 0 : view.spec.ways.count * 34 + 22 }
    private var barTop: Int { top + waysHeight }

    private var barLines: [String] {
        var lines = view.spec.subnets.map { $0.description } + view.spec.remarks
        if let spoofed = view.spoofed, spoofed > 0 { lines.append("frames dropped as spoofed: \(spoofed)") }
        if let refused = view.refused, refused > 0 { lines.append("frames refused by rules: \(refused)") }
        return lines.flatMap { Shape.folded($0, columns: 30) }
    }

    private var barHeight: Int {
        max(62 + barLines.count * Measure.lineHeight, cardsHeight)
    }

    var bottom: Int { barTop + barHeight }

    /// Each card goes where there is most room, so that both sides end at about the same height.
    private static func sides(_ cards: [Card], isTwoSided: Bool) -> (left: [Bool], height: Int) {
        var heights = (left: 0, right: 0)
        var sides: [Bool] = []
        for card in cards {
            let left = isTwoSided && heights.left < heights.right
            if left { heights.left += card.height + Measure.gap } else { heights.right += card.height + Measure.gap }
            sides.append(left)
        }
        return (sides, max(0, max(heights.left, heights.right) - Measure.gap))
    }

    var svg: String {
        var text = ways
        text += wiresAndCards
        text += Shape.box(x: barX, y: barTop, width: Measure.bar, height: barHeight, fill: "#1f4e79", line: "#163a5a")
        let middle = barX + Measure.bar / 2
        text += Shape.text(Shape.cut(view.spec.name, 22), x: middle, y: barTop + 28, .switchName)
        text += Shape.text(view.spec.kind.rawValue, x: middle, y: barTop + 46, .switchKind)
        for (index, line) in barLines.enumerated() {
            text += Shape.text(line, x: middle, y: barTop + 70 + index * Measure.lineHeight, .switchLine)
        }
        return text
    }

    /// What the switch leads to: a pill each, and a line down to the bar.
    private var ways: String {
        var text = ""
        let middle = barX + Measure.bar / 2
        if !view.spec.ways.isEmpty {
            text += Shape.line(x1: middle, y1: top + 10, x2: middle, y2: barTop, "#5b6b7b")
        }
        for (index, way) in view.spec.ways.enumerated() {
            let y = top + index * 34
            text += Shape.box(
                x: barX, y: y, width: Measure.bar, height: 26, radius: 13, fill: "#fff4dc", line: "#c99a2e")
            text += Shape.text(Shape.cut(way, 30), x: middle, y: y + 17, .way)
        }
        return text
    }

    private var wiresAndCards: String {
        var text = ""
        var next = [barTop, barTop]
        for (index, card) in cards.enumerated() {
            let left = isLeft[index]
            let column = left ? 1 : 0
            let y = next[column]
            next[column] = y + card.height + Measure.gap
            let cardX = left ? Measure.margin : barX + Measure.bar + Measure.wire
            let (from, to) = left ? (cardX + Measure.card, barX) : (barX + Measure.bar, cardX)
            let wireY = y + card.wire
            text += Shape.line(
                x1: from, y1: wireY, x2: to, y2: wireY, card.port.isUp ? "#2e7d4f" : "#b3261e",
                isDashed: !card.port.isUp)
            if let end = card.port.end {
                text += Shape.text(end, x: (from + to) / 2, y: wireY - 6, .wire)
            }
            text += card.svg(x: cardX, y: y)
        }
        return text
    }
}

/// The card of one port's sandbox.
private struct Card {
    let port: PortView
    private let lines: [(text: String, style: Shape.Style)]
    /// Of a function's box, and from one to the next.
    private static let (box, step) = (26, 36)

    init(_ port: PortView) {
        self.port = port
        var lines: [(String, Shape.Style)] = []
        lines += port.addresses.map { ($0.description, .address) }
        if let mac = port.mac { lines.append((mac.description, .mac)) }
        let counters = port.counters
        lines.append(
            (
                "received \(Figures.bytes(counters.receivedBytes)) · sent \(Figures.bytes(counters.sentBytes))"
                    + (port.dropped > 0 ? " · dropped \(port.dropped)" : ""), .plain
            ))
        let remarks = port.remarks.joined(separator: ", ")
        if !remarks.isEmpty { lines += Shape.folded(remarks, columns: 42).map { ($0, .remark) } }
        self.lines = lines
    }

    var height: Int { functionsHeight + 38 + lines.count * Measure.lineHeight + 4 }
    private var functionsHeight: Int { port.functions.count * Card.step }
    /// Where the wire comes in.
    var wire: Int { port.functions.isEmpty ? 24 : Card.box / 2 }

    /// The boxes of its chain one below the other, the last one, next to the switch, above.
    private func functions(x: Int, y: Int) -> String {
        var text = ""
        for (place, function) in port.functions.enumerated().reversed() {
            let top = y + (port.functions.count - 1 - place) * Card.step
            let colour = function.isAlive ? "#2e7d4f" : "#b3261e"
            text += Shape.line(
                x1: x + 24, y1: top + Card.box, x2: x + 24, y2: top + Card.step, colour, isDashed: !function.isAlive)
            text += Shape.box(
                x: x, y: top, width: Measure.card, height: Card.box, radius: 4,
                fill: function.sandbox == nil ? "#ffffff" : "#e8f3ec", line: colour)
            let box = function.sandbox.map { Shape.cut($0, 20) } ?? ""
            let columns = (Measure.card - 3 * Measure.padding - box.count * 7) / 8
            text += Shape.text(
                Shape.cut("\(place + 1) \(function.reference)", columns), x: x + Measure.padding, y: top + 17, .plain)
            if !box.isEmpty {
                text += Shape.text(box, x: x + Measure.card - Measure.padding, y: top + 17, .interface)
            }
        }
        return text
    }

    func svg(x: Int, y top: Int) -> String {
        let y = top + functionsHeight
        let height = height - functionsHeight
        var text = functions(x: x, y: top)
        text += Shape.box(x: x, y: y, width: Measure.card, height: height, fill: "#f4f6f9", line: "#9fb0c3")
        // In bold type a character is up to ten wide, in small type seven.
        let columns = (Measure.card - 3 * Measure.padding - port.interface.count * 7) / 10
        let name = Shape.cut(port.owner ?? "(no name)", columns)
        text += Shape.text(name, x: x + Measure.padding, y: y + 22, port.owner == nil ? .nameless : .title)
        text += Shape.text(Shape.cut(port.interface, 15), x: x + Measure.card - Measure.padding, y: y + 22, .interface)
        for (index, line) in lines.enumerated() {
            text += Shape.text(line.text, x: x + Measure.padding, y: y + 42 + index * Measure.lineHeight, line.style)
        }
        return text
    }
}

/// Elements of SVG.
private enum Shape {
    enum Style {
        case title, nameless, interface, address, mac, plain, remark, wire, way, switchName, switchKind, switchLine

        var attributes: String {
            switch self {
            case .title: "font-size=\"15\" font-weight=\"bold\" fill=\"#16202b\""
            case .nameless: "font-size=\"15\" font-style=\"italic\" fill=\"#5b6b7b\""
            case .interface: "font-size=\"12\" fill=\"#5b6b7b\" text-anchor=\"end\""
            case .address: "font-size=\"12\" fill=\"#16202b\" font-family=\"'DejaVu Sans Mono', monospace\""
            case .mac: "font-size=\"11\" fill=\"#5b6b7b\" font-family=\"'DejaVu Sans Mono', monospace\""
            case .plain: "font-size=\"12\" fill=\"#34414f\""
            case .remark: "font-size=\"12\" fill=\"#8a5a00\""
            case .wire: "font-size=\"11\" fill=\"#34414f\" text-anchor=\"middle\""
            case .way: "font-size=\"12\" fill=\"#5a4300\" text-anchor=\"middle\""
            case .switchName: "font-size=\"18\" font-weight=\"bold\" fill=\"#ffffff\" text-anchor=\"middle\""
            case .switchKind: "font-size=\"12\" fill=\"#c9d9ea\" text-anchor=\"middle\""
            case .switchLine: "font-size=\"12\" fill=\"#ffffff\" text-anchor=\"middle\""
            }
        }
    }

    static func text(_ text: String, x: Int, y: Int, _ style: Style) -> String {
        "<text x=\"\(x)\" y=\"\(y)\" \(style.attributes)>\(escaped(text))</text>\n"
    }

    static func box(
        x: Int, y: Int, width: Int, height: Int, radius: Int = 8, fill: String, line: String
    ) -> String {
        "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" rx=\"\(radius)\" fill=\"\(fill)\" "
            + "stroke=\"\(line)\"/>\n"
    }

    static func line(x1: Int, y1: Int, x2: Int, y2: Int, _ colour: String, isDashed: Bool = false) -> String {
        "<line x1=\"\(x1)\" y1=\"\(y1)\" x2=\"\(x2)\" y2=\"\(y2)\" stroke=\"\(colour)\" stroke-width=\"2\""
            + (isDashed ? " stroke-dasharray=\"5 4\"" : "") + "/>\n"
    }

    /// Text of XML: no character of it is markup, and none is forbidden there.
    static func escaped(_ text: String) -> String {
        printable(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    static func cut(_ text: String, _ columns: Int) -> String { sandbox.cut(printable(text), to: columns) }

    /// Lines of at most so many columns, a longer word cut.
    static func folded(_ text: String, columns: Int) -> [String] {
        wrapped(printable(text), width: columns).split(separator: "\n").map { sandbox.cut(String($0), to: columns) }
    }
}
