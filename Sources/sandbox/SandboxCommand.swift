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
            RunCommand.self, ExecCommand.self, AttachCommand.self,
            PsCommand.self, InspectCommand.self, StatsCommand.self, TopCommand.self, LogsCommand.self,
            EventsCommand.self, WaitCommand.self, StopCommand.self, KillCommand.self, RmCommand.self, GcCommand.self,
            PauseCommand.self, ResumeCommand.self, UpdateCommand.self, CheckpointCommand.self, RestoreCommand.self,
            MigrateCommand.self, ReceiveCommand.self,
            SnapshotCommand.self, ViewCommand.self, SwitchCommand.self, ChainCommand.self, ProfileCommand.self,
            ExplainCommand.self, DoctorCommand.self,
            ManualCommand.self,
            CompleteCommand.self,
        ])
}
