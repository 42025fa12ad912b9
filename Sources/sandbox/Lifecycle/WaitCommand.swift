import ArgumentParser
import Kernel
import Launch
import Profile
import SandboxKit

/// `sandbox wait`: until sandboxes have ended.
struct WaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until sandboxes have ended; exit as they did.",
        discussion: """
            The exit status is that of the sandbox's command, 128+N when signal N ended it; of several, that of the \
            one named last, and each is printed with its status when it has ended. A sandbox that begins again by its \
            restart policy is waited for further. The exit status is 125 when one is unknown, when nobody was there \
            to learn how it ended, or when the time is over.
            """)

    @Option(
        name: [.customShort("t"), .customLong("timeout")],
        help: ArgumentHelp("Wait so long at most.", valueName: "sec"))
    var timeout: Seconds?
    @OptionGroup var sandboxes: SandboxNames

    func run() throws {
        raiseDescriptorLimit()
        var failed = false
        let found = sandboxes.found(&failed)
        let prints = sandboxes.unique.count > 1
        var last = ExitStatus.failure
        try Sandbox.wait(for: found, timeout: timeout?.value) { sandbox, outcome throws(SystemError) in
            guard let status = status(sandbox, outcome) else { return failed = true }
            if prints { try Output.line("\(sandbox.name) \(status)") }
            if sandbox.name == sandboxes.names.last { last = status }
        }
        throw ExitCode(failed ? ExitStatus.failure : last)
    }

    private func status(_ sandbox: Sandbox, _ outcome: Result<SandboxRecord, LaunchError>) -> Int32? {
        do throws(LaunchError) {
            let record = try outcome.get()
            if let status = record.exitStatus { return status }
            let reason = record.reason.map { ": " + $0 } ?? "; lifecycle.record-exit = true keeps somebody there"
            Output.error("nobody was there to learn how \"\(sandbox.name)\" ended\(reason)")
        } catch {
            Output.error(error.message)
        }
        return nil
    }
}
