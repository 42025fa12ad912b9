import ArgumentParser
import Profile

/// `sandbox profile`: looking at profiles and writing them.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "List, show, check and write profiles, and run them as services.",
        subcommands: [
            ProfileListCommand.self, ProfileShowCommand.self, ProfileCheckCommand.self, ProfileNewCommand.self,
            ProfileSchemaCommand.self, ProfileUnitCommand.self, ProfileDesktopCommand.self,
        ])
}

/// `sandbox profile schema`: the profile language for editors.
struct ProfileSchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the profile language as JSON Schema, for editors.")

    func run() throws { try Output.json(Schema.schemaDocument()) }
}
