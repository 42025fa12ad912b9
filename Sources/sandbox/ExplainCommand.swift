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
        usage: "sandbox explain [-p <profile>] ... [<options of run>]",
        discussion: """
            Says what is not isolated, the riskiest first, with the key that closes it, and then what is kept from the \
            box. Takes the options of 'sandbox run' that say what the box is; nothing is started.
            """)

    @OptionGroup var profile: ProfileOptions

    func run() throws {
        let request = try profile.request(directory: currentDirectory)
        let loaded = try ProfileStore.ofCaller().load(request.profiles, overrides: request.overrides)
        let statements = explain(loaded.profile, isRoot: geteuid() == 0)
        if request.json {
            try Output.json(Explained.document(statements))
        } else {
            try Output.write(
                Explained.text(statements, width: min(terminalWidth() ?? 100, 120), style: .output))
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
