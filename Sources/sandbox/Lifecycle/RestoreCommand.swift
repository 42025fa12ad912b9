import Addresses
import ArgumentParser
import Glibc
import Launch
import SandboxKit
import Switching

/// `sandbox restore`: a sandbox goes on from its snapshot, once or several times.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Let a sandbox go on from a snapshot, or several of it.",
        discussion: """
            It comes back with its memory, its interfaces with the same addresses on the same switch, its limits and \
            its confinement, which is compared with what it was before anything runs. Established TCP connections go \
            on. With -d the command returns once it runs; without, when the application has ended, with its exit \
            status. With --count it comes back several times, beside the first one too.
            """)

    @Argument(help: "The snapshot.", completion: .kind(.snapshots))
    var snapshot: String
    @Option(
        name: [.customShort("n"), .customLong("name")],
        help: ArgumentHelp("The sandbox's name from now on.", valueName: "name"))
    var name: String?
    @Flag(
        name: .customLong("latest"), help: "The word is a sandbox's name, and means its newest snapshot.")
    var latest = false
    @Flag(
        name: .customLong("replace"), help: "End the sandbox first where it runs, at once: back to what it was.")
    var replace = false
    @Flag(
        name: .customLong("lazy"),
        help: "Let it begin before its memory is there, which comes in as it is needed: sooner with a gigabyte.")
    var lazy = false
    @Flag(name: [.customShort("d"), .customLong("detach")], help: "Return once it runs.")
    var detach = false
    @Option(
        name: .customLong("count"),
        help: ArgumentHelp(
            "Start so many of it, detached, as NAME-1, NAME-2 and so on, each with an address of its own, or none.",
            valueName: "number"))
    var count: Int?
    @Option(
        name: .customLong("address"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Another address: auto, none, dhcp, or ADDRESS/LENGTH, several with commas. Connections are closed.",
            valueName: "address"))
    var address: [String] = []
    @Option(
        name: .customLong("switch"), help: ArgumentHelp("Another switch.", valueName: "switch"),
        completion: .kind(.switches))
    var fabric: String?

    func run() throws {
        let status: Int32
        do throws(LaunchError) {
            status = try restore()
        } catch {
            Output.error(error.key.map { "\($0): \(error.message)" } ?? error.message)
            throw ExitCode(error.status)
        }
        if status != 0 { throw ExitCode(status) }
    }

    private func restore() throws(LaunchError) -> Int32 {
        var options = RestoreOptions()
        (options.name, options.isDetached, options.switchName) = (name, detach, fabric)
        (options.takesNewest, options.replaces, options.isLazy) = (latest, replace, lazy)
        options.addresses = address.flatMap { $0.split(separator: ",").map { String($0) } }
        let progress = ProgressLine(title: "restoring \(snapshot)")
        guard let count else {
            // In the foreground the terminal is the application's.
            if !detach { return try Sandbox.restore(snapshot, options) }
            return try progress.during { () throws(LaunchError) in try Sandbox.restore(snapshot, options) }
        }
        let clones = try progress.during { () throws(LaunchError) in
            try Sandbox.clone(snapshot, count: count, options)
        }
        for sandbox in clones {
            let addresses = try sandbox.record().ports.flatMap { $0.addresses }.map { $0.address.description }
            print(([sandbox.name] + addresses).joined(separator: " "))
        }
        return 0
    }
}
