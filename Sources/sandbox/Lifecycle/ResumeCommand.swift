import ArgumentParser
import Launch
import SandboxKit

/// `sandbox resume`: the opposite of `sandbox pause`.
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let paused sandboxes go on.",
        discussion: "Returns when their processes run again. It is an error to resume one that is not paused.")

    @OptionGroup var sandboxes: SandboxNames

    func run() throws {
        try sandboxes.each { sandbox throws(LaunchError) in try sandbox.resume() }
    }
}
