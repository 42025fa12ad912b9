import ArgumentParser
import Glibc
import Launch
import Profile
import SandboxKit

/// `sandbox explain`: what a box can see and do, and what is not isolated.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell in plain words what a box can see and do.",
        usage: "sandbox explain [-p <profile>] ... [<options of run>]\n       sandbox explain <name> [--json]",
        discussion: """
            Says what is not isolated, the riskiest first, with the key that closes it, and then what is kept from the \
            box. Takes the options of 'sandbox run' that say what the box is, and nothing is started; or the name of a \
            sandbox, to explain that one with its profile and its plan.
            """)

    @OptionGroup var profile: ProfileOptions
    @Argument(help: ArgumentHelp("A sandbox.", valueName: "name"), completion: .kind(.sandboxes))
    var name: String?

    func run() throws {
        if let name { return try explain(sandbox: name) }
        let request = try profile.request(directory: currentDirectory)
        let loaded = try ProfileStore.ofCaller().load(running: request.profiles, overrides: request.overrides)
        let statements = Launch.explain(loaded.profile, isRoot: geteuid() == 0)
        if request.json {
            try Output.json(Explained.document(statements))
        } else {
            try Output.write(Explained.text(statements, width: width, style: .output))
        }
    }

    private var width: Int { min(terminalWidth() ?? 100, 120) }

    /// What a sandbox was launched with.
    private func explain(sandbox name: String) throws {
        if let other = profile.given.first(where: { !$0.values.isEmpty && $0.option != "json" }) {
            throw UsageError(
                "--\(other.option) does not go together with the sandbox '\(name)', which is what it is",
                command: "sandbox explain")
        }
        let inspection = try inspection(of: name)
        let statements = Launch.explain(inspection.profile, isRoot: geteuid() == 0)
        if profile.json {
            return try Output.json(
                .table([
                    ("name", .string(name)), ("state", .string(inspection.summary.state.rawValue)),
                    ("statements", Explained.document(statements)), ("profile", inspection.request.profile),
                    ("plan", inspection.plan?.document ?? .null),
                    ("planProblem", optional(inspection.planProblem?.message)),
                ]))
        }
        try Output.write(Explained.text(statements, width: width, style: .output))
        let lines = inspection.request.profile.tomlDocument().split(separator: "\n").map { String($0) }
        try Output.write("\n" + Style.output.bold("Profile") + "\n")
        for line in lines { try Output.line("  " + printable(line)) }
        try Output.write("\n")
        if let problem = inspection.planProblem { throw problem }
        if let plan = inspection.plan { try Output.write(plan.text(width: width, style: .output)) }
    }

    private func inspection(of name: String) throws(LaunchError) -> Inspection {
        do throws(LaunchError) {
            return try Sandbox(name).inspect()
        } catch {
            // More often a profile is meant.
            var error = error
            if error.message.hasPrefix("no sandbox") {
                error.message += "; 'sandbox explain -p \(name)' takes a profile"
            }
            throw error
        }
    }
}

/// Statements as text and as a document.
enum Explained {
    static func document(_ statements: [Statement]) -> Value {
        .array(
            statements.map { statement in
                .table([
                    ("risk", .string(statement.risk.rawValue)), ("subject", .string(statement.subject)),
                    ("text", .string(statement.text)),
                    ("mend", statement.mend.map { .string($0) } ?? .null),
                ])
            })
    }

    static func text(_ statements: [Statement], width: Int, style: Style) -> String {
        var text = ""
        let open = statements.filter { $0.risk != .confined }
        let confined = statements.filter { $0.risk == .confined }
        text += style.bold("Not isolated, the riskiest first") + "\n"
        if open.isEmpty { text += "  nothing that the profile language knows of\n" }
        for statement in open {
            text += "  " + mark(statement.risk, style)
            text += wrapped(printable(statement.text), width: width - 10, indent: 10) + "\n"
            if let mend = statement.mend { text += "          close it with " + printable(mend) + "\n" }
        }
        text += "\n" + style.bold("Kept from the box") + "\n"
        if confined.isEmpty { text += "  nothing\n" }
        for statement in confined {
            text += "  " + wrapped(printable(statement.text), width: width - 2, indent: 2) + "\n"
        }
        return text
    }

    private static func mark(_ risk: Statement.Risk, _ style: Style) -> String {
        switch risk {
        case .high: style(.red, "high    ")
        case .medium: style(.yellow, "medium  ")
        case .low: style(.blue, "low     ")
        case .confined: ""
        }
    }
}
