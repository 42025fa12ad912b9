import ArgumentParser

/// `sandbox` itself.
struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Put one application into the namespaces that you choose.",
        discussion: """
            Nothing is isolated that you did not ask for. 'sandbox explain' says aloud what a profile leaves open.
            """,
        version: Version.text,
        subcommands: [
            RunCommand.self, ExecCommand.self, AttachCommand.self, LogsCommand.self,
            PsCommand.self, WaitCommand.self, StopCommand.self, KillCommand.self, RmCommand.self, EventsCommand.self,
            GcCommand.self,
            ProfileCommand.self, ExplainCommand.self, DoctorCommand.self, ManualCommand.self, CompleteCommand.self,
        ])
}
