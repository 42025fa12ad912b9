import ArgumentParser
import Launch
import Profile
import SandboxKit

/// `sandbox inspect`: all that there is to know of sandboxes.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Tell all about sandboxes: what was asked for, and what the kernel says.",
        discussion: """
            Prints one JSON document, an array with an object for each sandbox: what is recorded, its merged profile, \
            the plan as 'sandbox run --dry-run --json' prints it, and, while it runs, under 'live' what the kernel says \
            of it: processes, capabilities, seccomp mode, namespaces, interfaces with addresses and counters, mounts, \
            limits and use. null is what is not known, or not so; 'live' is null when it does not run. What could not \
            be found out is named under 'problems'.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case json, text }

    @Option(
        name: .customLong("format"), help: ArgumentHelp("json or text; json when absent.", valueName: "format"),
        completion: .list(Format.allCases.map(\.rawValue)))
    var format = Format.json
    @Flag(name: .customLong("json"), help: "The same as --format json.")
    var json = false
    @OptionGroup var sandboxes: SandboxNames

    func validate() throws {
        if json && format == .text {
            throw UsageError("--json or --format text, not both", command: "sandbox inspect")
        }
    }

    func run() throws {
        var inspections: [Inspection] = []
        var failure: (any Error)?
        do {
            try sandboxes.each { sandbox throws(LaunchError) in inspections.append(try sandbox.inspect()) }
        } catch {
            failure = error
        }
        if let failure, inspections.isEmpty { throw failure }
        if format == .json {
            try Output.json(.array(inspections.map(\.document)))
        } else {
            let width = min(terminalWidth() ?? 100, 120)
            for (index, inspection) in inspections.enumerated() {
                try Output.write((index > 0 ? "\n" : "") + inspection.text(width: width, style: .output))
            }
        }
        if let failure { throw failure }
    }
}
