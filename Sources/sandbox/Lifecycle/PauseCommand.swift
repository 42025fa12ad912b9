import ArgumentParser
import Launch
import SandboxKit

/// `sandbox pause`: the control group's freezer.
struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Pause sandboxes: stop all their processes where they are.",
        discussion: """
            The processes are frozen by the sandbox's control group, without a signal that they could notice. Returns \
            when all of them stand still. A paused sandbox keeps its memory, its files and its network; 'sandbox \
            resume' lets it go on, and 'sandbox stop' ends it. It is an error to pause one that is paused already, that \
            does not run, or that has no control group.
            """)

    @OptionGroup var sandboxes: SandboxNames

    func run() throws {
        try sandboxes.each { sandbox throws(LaunchError) in try sandbox.pause() }
    }
}
