import Launch
import Profile

/// What a `sandbox exec` line asks for.
struct ExecRequest: Sendable, Equatable {
    /// The sandbox to enter.
    var name: String
    var options = ExecOptions()
    var command: [String] = []
    /// Where the command begins in `argv`; its words are passed to execve(2) from there, byte for byte.
    var commandStart: Int?
}

extension ExecRequest {
    /// The options of `sandbox exec`: those of `run` that say who runs a command and how, with words of their own.
    static let options: [RunOption] = [
        RunOption(
            long: "terminal", short: "t", effect: .constant(key: "process.terminal", .text("pty")),
            help: "Give the command a pseudo-terminal of its own, and the caller's TERM."),
        RunOption(
            long: "user", placeholder: "user", effect: .text(key: "process.user"), completion: .users,
            help: "Run as this user of the box, by name or number, with no capability that the box's command lacks."),
        RunOption(
            long: "group", placeholder: "group", effect: .text(key: "process.group"), completion: .groups,
            help: "Run as this group of the box, by name or number."),
        RunOption(
            long: "workdir", placeholder: "dir", effect: .text(key: "process.working-directory"),
            completion: .directories, help: "The working directory, as the box sees it."),
        RunOption(
            long: "env", placeholder: "name[=value]", isRepeatable: true, effect: .environment,
            completion: .environment,
            help: "Set a variable; a name alone takes the caller's value."),
    ]

    /// Applies one option; `variable` is the caller's environment.
    mutating func apply(
        _ option: RunOption, _ value: String, variable: (String) -> String?
    ) throws(UsageError) {
        if option.placeholder != nil, value.isEmpty {
            throw UsageError("option '--\(option.long)' has an empty value", command: "sandbox exec")
        }
        switch option.long {
        case "terminal": options.terminal = true
        case "user": options.user = value
        case "group": options.group = value
        case "workdir": options.workingDirectory = value
        default:
            let (name, text) = value.split(at: "=") ?? (value, variable(value) ?? "")
            if name.isEmpty { throw UsageError("--env '\(value)' has an empty name", command: "sandbox exec") }
            // A variable that the caller lacks is not set.
            if value.split(at: "=") != nil || variable(name) != nil { options.environment[name] = text }
        }
    }
}
