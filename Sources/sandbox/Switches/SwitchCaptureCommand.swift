import ArgumentParser
import Glibc
import Kernel
import Launch
import SandboxKit
import Switching

/// `sandbox switch capture`: packets of a port, or of a whole switch.
struct SwitchCaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Show or keep the packets that pass a port.",
        discussion: """
            Of a switch all frames that it forwards are seen, each once, or those of one port, by the port's name in 'sandbox \
            switch show' or by its sandbox's; of a sandbox those of its first interface, or of the one named. Frames \
            that the switch drops, because their source is not the port's own, say, are seen at the port that they \
            came from and not at the switch.

            The words behind are a filter in tcpdump's language, pcap-filter(7). Addresses in it are numbers. \
            Without -w a line is printed for each packet; with it \
            the packets are kept in a file for Wireshark and tcpdump -r, or go to a pipe. It ends at Ctrl-C, after \
            the packets asked for, and with the port.
            """)

    @Option(
        name: [.customShort("w"), .customLong("write")],
        help: ArgumentHelp("Keep the packets in this file; - is standard output.", valueName: "file"),
        completion: .file())
    var file: String?
    @Option(
        name: [.customShort("c"), .customLong("count")],
        help: ArgumentHelp("End after so many packets.", valueName: "count"))
    var count: Int?
    @Option(
        name: .customLong("direction"),
        help: ArgumentHelp("sent or received by the sandbox; both when absent.", valueName: "direction"),
        completion: .list(Direction.allCases.map(\.rawValue)))
    var direction = Direction.both
    @Argument(help: ArgumentHelp("A switch or a sandbox.", valueName: "name"), completion: .kind(.switches))
    var name: String
    @Argument(help: ArgumentHelp("A port or an interface, and then a filter.", valueName: "port-or-filter"))
    var words: [String] = []

    enum Direction: String, ExpressibleByArgument, CaseIterable { case both, sent, received }

    func run() throws {
        guard geteuid() == 0 else {
            throw LaunchError("looking at packets needs root", mend: "run it as root")
        }
        if let count, count < 1 {
            throw UsageError("--count \(count) is no number of packets; use 1 or more", command: Self.command)
        }
        let place = try CapturePlace.find(name, words)
        if place.isWhole, direction != .both {
            throw UsageError("--direction needs a port: a switch has none", command: Self.command)
        }
        var capture = PacketCapture(place.interface)
        capture.count = count
        capture.filter = place.filter
        capture.isPromiscuous = place.isWhole
        capture.isRaw = file != nil
        switch direction {
        case .both: capture.direction = .both
        // The switch's end receives what the sandbox sends.
        case .sent: capture.direction = place.isFarEnd ? .inward : .outward
        case .received: capture.direction = place.isFarEnd ? .outward : .inward
        }
        let engine = try switched { () throws(SwitchError) in try capture.check(in: place.namespace.number) }
        try openOutput()
        if place.isWhole, let all = try FabricCapture(capture, of: name, in: place.namespace.number) {
            throw ExitCode(try all.run(engine))
        }
        try capture.become(engine, in: place.namespace.number)
    }

    /// The file is opened here: tcpdump gives its rights away before it would.
    private func openOutput() throws {
        guard let file else { return }
        if file == "-" {
            if isatty(STDOUT_FILENO) == 1 {
                throw UsageError(
                    "-w - would write packets to the terminal; name a file or a pipe", command: Self.command)
            }
            return
        }
        let output = try Descriptor(open: file, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        let number = output.number
        try check("write to \(file)") { dup2(number, STDOUT_FILENO) }
    }

    private static let command = "sandbox switch capture"
}
