import Addresses
import Foundation
import FoundationXML
import Netlink
import Switching
import Testing

@testable import sandbox

@Suite("Pictures of switches")
struct SwitchDrawingTests {
    /// A switch with something of everything, and that many ports.
    static func view(ports: Int, name: String = "lab") throws -> SwitchView {
        var spec = SwitchSpec(name: name)
        spec.subnets = [try #require(IPPrefix("10.1.0.1/24")), try #require(IPPrefix("fd00:1234:5678:9abc::1/64"))]
        spec.uplink = .nat
        (spec.filtersVLANs, spec.isTransient) = (true, true)
        var view = SwitchView(spec)
        (view.spoofed, view.refused) = (3, 0)
        for number in 0..<ports { view.ports.append(try port(number)) }
        return view
    }

    static func port(_ number: Int) throws -> PortView {
        var port = PortView(interface: number == 1 ? "longestname.100" : "eth0")
        port.end = "p\(number)"
        port.owner = number % 5 == 4 ? nil : ["web", "database-of-the-branch-office-in-the-north", "cache"][number % 3]
        port.addresses = [try #require(IPAddress("10.1.0.\(number + 2)"))]
        if number % 2 == 0 { port.addresses.append(try #require(IPAddress("fd00:1234:5678:9abc:1111:2222:3333:4444"))) }
        port.mac = MACAddress("02:00:00:00:00:0\(number % 10)")
        port.counters.receivedBytes = 123_456_789
        port.counters.sentBytes = UInt64(number) * 1000
        (port.isIsolated, port.isUp, port.isFiltered) = (number % 3 == 1, number != 2, number == 3)
        if number == 1 { (port.vlan, port.trunk, port.egressRate) = (10, [20...29, 40...40], 50_000_000) }
        if number == 3 {
            port.functions = [
                ChainedFunction("firewall:web"), ChainedFunction("capture", sandbox: "web.capture"),
                ChainedFunction(
                    "http-proxy?allow=" + String(repeating: "x", count: 60), sandbox: "web.http-proxy", isAlive: false),
            ]
            port.chain = port.functions.map(\.reference)
        }
        if number == 1 { (port.ingressRate, port.counters.sentDropped) = (1_500_000, 12) }
        return port
    }

    @Test("the image is well-formed, whatever names hold, and has all ports", arguments: [0, 1, 5, 30])
    func image(ports: Int) throws {
        var view = try Self.view(ports: ports)
        if ports > 0 { view.ports[0].owner = "<b>&\"'\u{1b}[31m]]>" }
        let svg = SwitchImage([view]).svg
        let reader = XMLReader(svg)
        #expect(reader.isWhole)
        for port in view.ports { #expect(reader.texts.contains(port.end ?? "")) }
        #expect(reader.texts.contains("the host, by nat"))
        #expect(!svg.contains("\u{1b}") && !svg.contains("<b>"))
        // For a look at it: SANDBOX_PICTURES=/tmp swift test --filter SwitchDrawing
        if let folder = ProcessInfo.processInfo.environment["SANDBOX_PICTURES"] {
            try svg.write(toFile: "\(folder)/switch-\(ports).svg", atomically: true, encoding: .utf8)
            let two = SwitchImage([try Self.view(ports: ports), try Self.view(ports: 2, name: "second")]).svg
            try two.write(toFile: "\(folder)/two-\(ports).svg", atomically: true, encoding: .utf8)
            try SwitchGraph([view]).dot.write(
                toFile: "\(folder)/switch-\(ports).dot", atomically: true, encoding: .utf8)
        }
    }

    /// Rectangles and lines of text of the image may touch their own box only.
    @Test("nothing in the image lies over anything else", arguments: [1, 4, 5, 30])
    func overlap(ports: Int) throws {
        let boxes = XMLReader(SwitchImage([try Self.view(ports: ports), try Self.view(ports: 3)]).svg).boxes.dropFirst()
        for (index, box) in boxes.enumerated() {
            for other in boxes.dropFirst(index + 1) { #expect(!box.overlaps(other), "\(box) \(other)") }
        }
    }

    @Test(
        "in the terminal no line is wider than 80 columns, and none is lost on a narrow one", arguments: [40, 80, 200])
    func terminal(width: Int) throws {
        let view = try Self.view(ports: 6)
        let text = SwitchPicture(view).text(width: width, style: Style(isTerminal: false, noColour: nil, term: nil))
        for line in text.split(separator: "\n") { #expect(displayWidth(String(line)) <= max(width, 58), "\(line)") }
        for port in view.ports {
            for address in port.addresses { #expect(text.contains(address.description)) }
        }
        #expect(text.contains("VLAN 10") && text.contains("50mbit") && text.contains("3 with a source"))
        #expect(!text.contains("\u{1b}"))
    }

    @Test("functions are drawn between the switch and their port, in order, with their sandboxes")
    func functions() throws {
        let view = try Self.view(ports: 4)
        let lines = SwitchPicture(view).text(width: 80, style: Style(isTerminal: false, noColour: nil, term: nil))
            .split(separator: "\n").map(String.init)
        let first = try #require(lines.firstIndex { $0.hasSuffix("├┤ 1 firewall:web ├") })
        #expect(lines[first + 1].hasSuffix("├┤ 2 capture ├ in web.capture"))
        #expect(
            lines[first + 2].contains("└┤ 3 http-proxy?allow=xxx") && lines[first + 2].hasSuffix("in web.http-proxy"))
        let texts = XMLReader(SwitchImage([view]).svg).texts
        let places = ["2 capture", "1 firewall:web"].compactMap { texts.firstIndex(of: $0) }
        #expect(places.count == 2 && places[0] < places[1] && texts.contains("web.capture"))
        let dot = SwitchGraph([view]).dot
        #expect(dot.contains("s0 -- s0p3f2;") && dot.contains("s0p3f2 -- s0p3f1;") && dot.contains("s0p3f0 -- b0 "))
        #expect(SwitchGraph([view]).mermaid.contains("s0p3f1 --- s0p3f0\n    s0p3f0 ---|"))
    }

    @Test("colour is for terminals")
    func colour() throws {
        let style = Style(isTerminal: true, noColour: nil, term: "xterm")
        #expect(SwitchPicture(try Self.view(ports: 1)).text(width: 80, style: style).contains("\u{1b}[32mweb"))
    }

    @Test("a sandbox on two switches is one box that joins them")
    func joined() throws {
        let views = [try Self.view(ports: 1), try Self.view(ports: 1, name: "other")]
        let dot = SwitchGraph(views).dot
        #expect(dot.contains("s0 -- b0") && dot.contains("s1 -- b0") && !dot.contains("b1"))
        let mermaid = SwitchGraph(views).mermaid
        #expect(mermaid.hasPrefix("flowchart LR\n") && mermaid.contains("| b0\n"))
    }

    @Test("names are no markup in Graphviz's and Mermaid's languages")
    func quoting() throws {
        var view = try Self.view(ports: 1)
        view.ports[0].owner = "a\"] b\\n|<x>#"
        #expect(SwitchGraph([view]).dot.contains("label=\"a\\\"] b\\\\n|<x>#\""))
        #expect(SwitchGraph([view]).mermaid.contains("(\"a#34;#93; b#92;n#124;#60;x#62;#35;\")"))
    }

    @Test("rates and units")
    func rates() {
        #expect(Figures.bits(50_000_000) == "50mbit")
        #expect(Figures.bits(1_500_000_000) == "1.5gbit")
        #expect(Figures.bits(8000) == "8kbit")
        #expect(Figures.bits(999) == "999bit")
    }

    @Test("rates of ports are over the interval, and of a port that is new there are none")
    func samples() throws {
        var (before, after) = (try Self.view(ports: 1), try Self.view(ports: 2))
        (before.time, after.time) = (1_000_000_000, 3_000_000_000)
        after.ports[0].counters.sentBytes += 500
        let sample = SwitchSample(after, since: before)
        #expect(sample.rates[0]?.sentBytes == 250 && sample.rates[0]?.receivedBytes == 0)
        #expect(sample.rates[1] == nil)
        let table = SwitchStatsTable([sample]).text(
            width: nil, style: Style(isTerminal: false, noColour: nil, term: nil))
        #expect(table.contains("3 spoofed"))
        #expect(table.split(separator: "\n").count == 4)
    }
}

/// What the tests need to know of an image.
private final class XMLReader: NSObject, XMLParserDelegate {
    struct Box: CustomStringConvertible {
        var x: Int, y: Int, width: Int, height: Int

        func overlaps(_ other: Box) -> Bool {
            x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height
        }

        var description: String { "\(x),\(y) \(width)x\(height)" }
    }

    private(set) var isWhole = false
    private(set) var texts: [String] = []
    private(set) var boxes: [Box] = []
    private var text: String?

    init(_ svg: String) {
        super.init()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = self
        isWhole = parser.parse()
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        if name == "text" { text = "" }
        guard name == "rect" else { return }
        let numbers = ["x", "y", "width", "height"].map { Int(attributes[$0] ?? "0") ?? 0 }
        boxes.append(Box(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3]))
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) { text? += characters }

    func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
        if name == "text", let whole = text { texts.append(whole) }
        if name == "text" { text = nil }
    }
}
