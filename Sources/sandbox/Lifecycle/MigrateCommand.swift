import ArgumentParser
import Glibc
import Launch
import SandboxKit

/// `sandbox migrate`: a sandbox goes on on another host.
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Move a sandbox to another host, with its memory and connections.",
        discussion: """
            It is saved, carried over by ssh and brought back there, while it stands still here; whatever fails before \
            it runs there lets it go on here. The other host has sandbox, CRIU 4.2 or newer and the same programs \
            and files, and a switch of the same name (or --switch) that reaches the same network ('sandbox switch create \
            --vxlan' makes one that spans hosts). It keeps its addresses and its hardware address, and its neighbours are \
            told its new place. Prints how long it stood still.
            """)

    @Argument(help: "The sandbox.", completion: .kind(.sandboxes))
    var name: String
    @Argument(help: ArgumentHelp("Where to, as ssh takes it.", valueName: "[user@]host"))
    var host: String
    @Option(
        name: [.customShort("n"), .customLong("name")],
        help: ArgumentHelp("The sandbox's name there.", valueName: "name"))
    var newName: String?
    @Option(
        name: .customLong("switch"), help: ArgumentHelp("The switch of its first interface there.", valueName: "switch")
    )
    var fabric: String?
    @Flag(
        name: .customLong("lazy"),
        help: "Let it go on there before its memory is there, which follows as it is needed: a shorter gap.")
    var lazy = false
    @OptionGroup var preCopy: PreCopyOptions
    @Option(
        name: .customLong("ssh"),
        help: ArgumentHelp(
            "The program that reaches the host and its options, in words divided by spaces: \"ssh -p 2222\".",
            valueName: "command"))
    var ssh = "ssh"
    @Option(
        name: .customLong("remote-command"),
        help: ArgumentHelp("How sandbox is called there, for a shell.", valueName: "command"))
    var remoteCommand = "sandbox"

    func validate() throws {
        if lazy, preCopy.isOn == true { throw ValidationError("--lazy and --pre-copy exclude each other") }
        // ssh would take it for an option.
        if host.isEmpty || host.hasPrefix("-") {
            throw ValidationError("\"\(host)\" is no host: write [USER@]HOST")
        }
    }

    func run() throws {
        do throws(LaunchError) {
            var options = MigrationOptions()
            (options.name, options.switchName, options.remoteCommand) = (newName, fabric, remoteCommand)
            (options.isLazy, options.copiesBefore, options.preCopy) = (lazy, preCopy.isOn, preCopy.plan)
            options.ssh = ssh.split(separator: " ").map { String($0) }
            let pause = try Sandbox(name).migrate(to: host, options)
            print("\(name) runs on \(host); it stood still for \(pause / 1000) ms")
        } catch {
            Output.error(error.key.map { "\($0): \(error.message)" } ?? error.message)
            throw ExitCode(error.status)
        }
    }
}

/// `sandbox receive NAME`: what `sandbox migrate` runs on the other host.
struct ReceiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive", abstract: "Take in what 'sandbox migrate' sends.", shouldDisplay: false)

    @Argument var name: String
    @Option(name: .customLong("switch")) var fabric: String?
    @Flag(name: .customLong("lazy")) var lazy = false
    @Flag(name: .customLong("pre-copy")) var preCopy = false

    func run() throws {
        var options = RestoreOptions()
        options.isLazy = lazy
        (options.name, options.switchName) = (name, fabric)
        do throws(LaunchError) { try Sandbox.receive(options, takesCopies: preCopy) } catch {
            throw ExitCode(error.status)
        }
    }
}
