import ArgumentParser
import Glibc
import Kernel
import Launch
import Netlink
import Profile
import SandboxKit
import Switching

/// `sandbox switch stats`: what goes through the ports of switches.
struct SwitchStatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Show what goes through the ports of switches.",
        discussion: """
            Received and sent are the sandbox's own words; bytes and packets count from the port's beginning, a second's \
            are over the interval. Below the ports are the frames that the switch has dropped because their source was \
            not the port's own, or because no rule of the port allowed them.

            On a terminal the table is drawn anew after each interval; otherwise, and with --no-stream, it is printed \
            once. With --json that is one document, an array of switches; with --json --stream each interval gives a \
            line. It ends when the last of the switches named has gone.
            """)

    @OptionGroup var measuring: MeasuringOptions
    @Argument(
        help: ArgumentHelp("Switches; all of them when absent.", valueName: "name"), completion: .kind(.switches))
    var names: [String] = []

    func validate() throws {
        try measuring.check("sandbox switch stats")
    }

    func run() throws {
        var series = SwitchSeries(try .ofCaller(), try Registry.ofCaller(), names: names)
        // A wrong name is told before anything is measured.
        _ = try series.next(isFirst: true)
        _ = try measuring.measure { screen in
            let samples = try series.next()
            try measuring.write(
                .array(samples.map { $0.document }),
                or: SwitchStatsTable(samples).text(width: terminalWidth(), style: .output), to: &screen)
            return names.isEmpty || !samples.isEmpty
        }
    }
}

/// Switches, measured again and again.
struct SwitchSeries {
    private let store: SwitchStore
    private let registry: Registry
    private let names: [String]
    private var earlier: [String: SwitchView] = [:]

    init(_ store: SwitchStore, _ registry: Registry, names: [String]) {
        (self.store, self.registry, self.names) = (store, registry, names)
    }

    /// What there is now, with the rates since the time before.
    /// - Parameter isFirst: a switch that is not there is an error; later it has gone.
    mutating func next(isFirst: Bool = false) throws(LaunchError) -> [SwitchSample] {
        var samples: [SwitchSample] = []
        let known = try switched { () throws(SwitchError) in try store.names() }
        for name in names.isEmpty ? known : names {
            if !isFirst, !known.contains(name) { continue }
            let view: SwitchView
            do throws(LaunchError) {
                view = try store.view(name, registry)
            } catch {
                // It may have gone while it was looked at.
                let isThere = try switched { () throws(SwitchError) in try store.names().contains(name) }
                if isFirst || isThere { throw error }
                continue
            }
            samples.append(SwitchSample(view, since: earlier[name]))
            earlier[name] = view
        }
        return samples
    }
}

/// A switch, and what went through its ports per second since it was looked at before.
struct SwitchSample {
    struct Rates: Equatable {
        var receivedBytes: Double, receivedPackets: Double, sentBytes: Double, sentPackets: Double
    }

    var view: SwitchView
    /// Of each port; `nil` for one that was not there before.
    var rates: [Rates?]

    init(_ view: SwitchView, since earlier: SwitchView?) {
        self.view = view
        guard let earlier, view.time > earlier.time else {
            rates = view.ports.map { _ in nil }
            return
        }
        let seconds = Double(view.time - earlier.time) / 1e9
        rates = view.ports.map { port in
            guard let before = earlier.ports.first(where: { $0.isSame(as: port) }) else { return nil }
            func rate(_ counter: KeyPath<InterfaceCounters, UInt64>) -> Double {
                let (now, then) = (port.counters[keyPath: counter], before.counters[keyPath: counter])
                return Double(now - min(now, then)) / seconds
            }
            return Rates(
                receivedBytes: rate(\.receivedBytes), receivedPackets: rate(\.receivedPackets),
                sentBytes: rate(\.sentBytes), sentPackets: rate(\.sentPackets))
        }
    }

    /// An entry of `switch stats --json`; bytes and packets, since the beginning and per second.
    var document: Value {
        .table([
            ("name", .string(view.spec.name)), ("spoofed", number(view.spoofed)), ("refused", number(view.refused)),
            ("ports", .array(zip(view.ports, rates).map { $0.statistics($1) })),
        ])
    }
}

extension PortView {
    fileprivate func isSame(as other: PortView) -> Bool {
        end == other.end && owner == other.owner && interface == other.interface && mac == other.mac
    }

    fileprivate func statistics(_ rates: SwitchSample.Rates?) -> Value {
        func rounded(_ rate: Double?) -> Value { rate.map { .double(($0 * 10).rounded() / 10) } ?? .null }
        return .table(
            identity + counters.figures + [
                ("receivedBytesPerSecond", rounded(rates?.receivedBytes)),
                ("receivedPacketsPerSecond", rounded(rates?.receivedPackets)),
                ("sentBytesPerSecond", rounded(rates?.sentBytes)),
                ("sentPacketsPerSecond", rounded(rates?.sentPackets)),
            ])
    }
}

/// Ports as a table of at most 80 columns, where names are short.
struct SwitchStatsTable {
    private let samples: [SwitchSample]

    init(_ samples: [SwitchSample]) { self.samples = samples }

    func text(width: Int?, style: Style) -> String {
        if samples.isEmpty { return "no switches\n" }
        let isOne = samples.count == 1
        let headings = ["PORT", "SANDBOX", "IF", "RECEIVED", "B/S", "PKT/S", "SENT", "B/S", "PKT/S", "DROPS"]
        var table = Table(headings: isOne ? headings : ["SWITCH"] + headings)
        for sample in samples {
            for (port, rates) in zip(sample.view.ports, sample.rates) {
                let row = self.row(port, rates)
                table.rows.append(isOne ? row : [sample.view.spec.name] + row)
            }
        }
        var text = table.text(width: width, style: style)
        for sample in samples {
            let (spoofed, refused) = (sample.view.spoofed, sample.view.refused)
            if spoofed == nil, refused == nil { continue }
            text += "\(printable(sample.view.spec.name)): \(spoofed ?? 0) spoofed, \(refused ?? 0) refused by rules\n"
        }
        return text
    }

    private func row(_ port: PortView, _ rates: SwitchSample.Rates?) -> [String] {
        [
            port.end ?? "-", port.owner ?? "-", port.interface, Figures.bytes(port.counters.receivedBytes),
            Figures.rate(rates?.receivedBytes), Figures.rate(rates?.receivedPackets),
            Figures.bytes(port.counters.sentBytes), Figures.rate(rates?.sentBytes), Figures.rate(rates?.sentPackets),
            "\(port.dropped)",
        ]
    }
}
