import Addresses
import ArgumentParser
import Launch
import Netlink
import Profile
import SandboxKit
import Switching

/// `sandbox switch show`: a switch and its ports.
struct SwitchShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a switch, its ports and what went through them.",
        discussion: """
            Draws the switch, what it leads to, and for each port the sandbox behind it, its addresses, what is special \
            about it and the bytes that the sandbox has received and sent.
            """)

    @Argument(help: ArgumentHelp("The switch.", valueName: "name"), completion: .kind(.switches))
    var name: String
    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false

    func run() throws {
        let view = try SwitchStore.ofCaller().view(name, Registry.ofCaller())
        if json { return try Output.json(view.document) }
        try Output.write(SwitchPicture(view).text(width: terminalWidth(), style: .output))
    }
}

extension Port {
    /// An entry of `interfaces` in `ps --json`.
    var document: Value {
        .table([
            ("name", .string(name)), ("switch", optional(switchName)), ("attach", .string(attach.rawValue)),
            ("addresses", .strings(addresses.map { $0.description })), ("mac", optional(mac?.description)),
            ("published", .strings(published.map { $0.description })), ("chain", .strings(chain)),
        ])
    }
}
