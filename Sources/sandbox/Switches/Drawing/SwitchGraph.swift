import Addresses
import Netlink
import Switching

/// Switches and sandboxes as a graph, in languages that others draw.
struct SwitchGraph {
    private let views: [SwitchView]
    /// Sandboxes by name, each once whatever number of ports it has; one without a name is a box for each port.
    private let boxes: [String]

    init(_ views: [SwitchView]) {
        self.views = views
        var boxes: [String] = []
        for view in views {
            for port in view.ports {
                if let owner = port.owner, !boxes.contains(owner) { boxes.append(owner) }
            }
        }
        self.boxes = boxes
    }

    /// Graphviz's language.
    var dot: String {
        var lines = [
            "graph switches {",
            "    graph [layout=dot, rankdir=LR, ranksep=2.2, nodesep=0.15, fontname=\"sans-serif\"];",
            "    node [shape=box, style=\"rounded,filled\", fillcolor=\"#f4f6f9\", fontname=\"sans-serif\"];",
            "    edge [fontname=\"sans-serif\", fontsize=10];",
        ]
        for (index, box) in boxes.enumerated() { lines.append("    b\(index) [label=\(Self.dotText([box]))];") }
        for (number, view) in views.enumerated() {
            lines.append("    s\(number) [fillcolor=\"#d6e4f5\", label=\(Self.dotText(Self.lines(of: view)))];")
            for (way, text) in view.spec.ways.enumerated() {
                lines.append("    s\(number)w\(way) [shape=ellipse, label=\(Self.dotText([text]))];")
                lines.append("    s\(number)w\(way) -- s\(number);")
            }
            for (place, port) in view.ports.enumerated() {
                let end = node(of: port, number, place)
                if port.owner == nil { lines.append("    \(end) [style=\"rounded,dashed\", label=\"(no name)\"];") }
                let style = port.isUp ? "" : ", style=dashed"
                var from = "s\(number)"
                for (hop, function) in port.functions.enumerated().reversed() {
                    let node = "s\(number)p\(place)f\(hop)"
                    let look = function.isAlive ? "filled" : "filled,dashed"
                    lines.append(
                        "    \(node) [style=\"\(look)\", fillcolor=\"#e8f3ec\", label=\(Self.dotText(Self.lines(of: function)))];"
                    )
                    lines.append("    \(from) -- \(node);")
                    from = node
                }
                lines.append("    \(from) -- \(end) [label=\(Self.dotText(Self.lines(of: port)))\(style)];")
            }
        }
        return lines.joined(separator: "\n") + "\n}\n"
    }

    /// Mermaid's language.
    var mermaid: String {
        var lines = ["flowchart LR"]
        for (index, box) in boxes.enumerated() { lines.append("    b\(index)(\(Self.mermaidText([box])))") }
        for (number, view) in views.enumerated() {
            lines.append("    s\(number)[\(Self.mermaidText(Self.lines(of: view)))]")
            for (way, text) in view.spec.ways.enumerated() {
                lines.append("    s\(number)w\(way)([\(Self.mermaidText([text]))]) --- s\(number)")
            }
            for (place, port) in view.ports.enumerated() {
                let end = node(of: port, number, place)
                if port.owner == nil { lines.append("    \(end)(\"(no name)\")") }
                let line = port.isUp ? "---" : "-.-"
                var from = "s\(number)"
                for (hop, function) in port.functions.enumerated().reversed() {
                    let node = "s\(number)p\(place)f\(hop)"
                    lines.append("    \(node)[\(Self.mermaidText(Self.lines(of: function)))]")
                    lines.append("    \(from) \(function.isAlive ? "---" : "-.-") \(node)")
                    from = node
                }
                lines.append("    \(from) \(line)|\(Self.mermaidText(Self.lines(of: port)))| \(end)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func node(of port: PortView, _ number: Int, _ place: Int) -> String {
        port.owner.flatMap { boxes.firstIndex(of: $0) }.map { "b\($0)" } ?? "s\(number)p\(place)"
    }

    static func lines(of view: SwitchView) -> [String] {
        var lines = ["\(view.spec.name) (\(view.spec.kind.rawValue))"]
        lines += view.spec.subnets.map { $0.description }
        lines.append(view.spec.remarks.joined(separator: ", "))
        return lines
    }

    private static func lines(of function: ChainedFunction) -> [String] {
        [function.reference] + (function.sandbox.map { [$0] } ?? [])
    }

    static func lines(of port: PortView) -> [String] {
        var lines = [[port.end, port.interface].compactMap { $0 }.joined(separator: " – ")]
        lines += port.addresses.map { $0.description }
        lines.append(
            "received \(Figures.bytes(port.counters.receivedBytes)), sent \(Figures.bytes(port.counters.sentBytes))")
        if port.dropped > 0 { lines.append("dropped \(port.dropped)") }
        let remarks = port.remarks.joined(separator: ", ")
        return remarks.isEmpty ? lines : lines + [remarks]
    }

    /// A quoted text of Graphviz's, one line below the other.
    private static func dotText(_ lines: [String]) -> String {
        let safe = lines.map { line in
            printable(line).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        }
        return "\"" + safe.joined(separator: "\\n") + "\""
    }

    /// A quoted text of Mermaid's, in which nothing is markup.
    private static func mermaidText(_ lines: [String]) -> String {
        let safe = lines.map { line in
            var text = ""
            for scalar in printable(line).unicodeScalars {
                let isPlain =
                    scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || " .:,/-_()–".unicodeScalars.contains(scalar)
                text += isPlain ? String(scalar) : "#\(scalar.value);"
            }
            return text
        }
        return "\"" + safe.joined(separator: "<br/>") + "\""
    }
}
