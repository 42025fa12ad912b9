import ArgumentParser
import Profile

/// `sandbox run`, as the general parser sees it: it serves the help and words what is wrong with a line.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command in a box.",
        usage: "sandbox run [<options>] [--] <command> [<argument> ...]",
        discussion: """
            Options before '--' or the first word are sandbox's; all that follows belongs to the command, untouched. \
            The exit status is the command's own, 128+N when signal N ended it, 125 when sandbox failed before the \
            command began, 126 when the command cannot be executed, 127 when there is none of that name.
            """)

    @OptionGroup var profile: ProfileOptions
    @Option(name: .of("name"), parsing: .unconditional, help: .of("name"), completion: .of("name"))
    var name: String?
    @Flag(name: .of("detach"), help: .of("detach"))
    var detach = false
    @Flag(name: .of("terminal"), help: .of("terminal"))
    var terminal = false
    @Flag(name: .of("view"), help: .of("view"))
    var view = false
    @Flag(name: .of("rm"), help: .of("rm"))
    var remove = false
    @Flag(name: .of("dry-run"), help: .of("dry-run"))
    var dryRun = false
    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments; the profile's own when absent.")
    var command: [String] = []

    mutating func validate() throws {
        guard let word = command.first else { return }
        if word == "-h" || word == "--help" { throw CleanExit.helpRequest(self) }
        if word == "--" {
            command.removeFirst()
        } else if word.hasPrefix("-") && word != "-" {
            throw UsageError(RunOption.problem(with: word, among: RunOption.all))
        }
    }

    func run() throws { throw ExitCode(RunCommand.perform(try request())) }

    /// What the launch path's parser would have made of the line, in the table's order of options.
    func request() throws(UsageError) -> RunRequest {
        var request = try profile.request(directory: currentDirectory)
        let given = [
            ("name", list(name)), ("detach", detach ? [""] : []), ("terminal", terminal ? [""] : []),
            ("view", view ? [""] : []),
            ("rm", remove ? [""] : []),
            ("dry-run", dryRun ? [""] : []),
        ]
        for (option, values) in given {
            guard let option = RunOption.named(option) else { continue }
            for value in values { try request.apply(option, value, directory: currentDirectory) }
        }
        request.command = command
        return request
    }
}

extension RunOption {
    /// Why a word that looks like an option is none of the table's.
    static func problem(with word: String, among options: [RunOption]) -> String {
        let name = word.split(at: "=")?.0 ?? word
        if let option = options.first(where: { "--" + $0.long == name }) {
            return option.placeholder == nil
                ? "option '\(name)' takes no value" : "option '\(name)' needs a value: \(name) \(option.valueText)"
        }
        let near = nearest(name, in: options.map { "--" + $0.long }).map { "; did you mean '\($0)'?" } ?? ""
        return "unknown option '\(name)'\(near)"
    }

    /// The value as usage texts write it.
    var valueText: String { (placeholder ?? "").uppercased() }
}
