import ArgumentParser
import Launch
import SandboxKit
import Switching

/// `sandbox switch`: the switching fabric that sandboxes are attached to.
struct SwitchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switch", abstract: "Make, look at and delete the switches that sandboxes are attached to.",
        subcommands: [
            SwitchCreateCommand.self, SwitchListCommand.self, SwitchShowCommand.self, SwitchDeleteCommand.self,
            SwitchStatsCommand.self, SwitchCaptureCommand.self, SwitchGraphCommand.self, SwitchFeaturesCommand.self,
        ])
}

/// Runs `body` and turns a switch's error into the command line's own.
func switched<Result: ~Copyable>(_ body: () throws(SwitchError) -> Result) throws(LaunchError) -> Result {
    do throws(SwitchError) { return try body() } catch { throw LaunchError(error) }
}

/// Names of switches, for completion. A state directory that cannot be read offers none.
func switchCandidates() -> [Candidate] {
    do throws(LaunchError) {
        let store = try SwitchStore.ofCaller()
        return try switched { () throws(SwitchError) in try store.names() }.map { Candidate(word: $0) }
    } catch {
        return []
    }
}
