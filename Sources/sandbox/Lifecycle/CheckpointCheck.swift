import ArgumentParser
import Checkpoint
import Launch
import SandboxKit

extension CheckpointCommand {
    /// `--check`: what is in the way, a line each; failure where there is something.
    func tellBlockers(_ connections: Connections?) throws {
        let blockers: [Blocker]
        do throws(LaunchError) {
            blockers = try Sandbox(name).checkpointBlockers(connections)
        } catch {
            Output.error(error.message)
            throw ExitCode(error.status)
        }
        if json {
            try Output.json(.array(blockers.map(\.value)))
        } else {
            for blocker in blockers { try Output.line(printable("\(blocker.message); \(blocker.mend)")) }
            if blockers.isEmpty { try Output.line("nothing is in the way of saving \(name)") }
        }
        if !blockers.isEmpty { throw ExitCode(ExitStatus.failure) }
    }
}
