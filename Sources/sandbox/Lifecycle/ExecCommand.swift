import ArgumentParser
import CLinux
import Glibc
import Launch
import Profile
import SandboxKit

/// `sandbox exec`, as the general parser sees it: it serves the help and words what is wrong with a line.
struct ExecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a further command in a running sandbox.",
        usage: "sandbox exec <name> [<options>] [--] <command> [<argument> ...]",
        discussion: """
            The command gets the namespaces, limits, capabilities, filters and environment of the sandbox's own, and \
            never more. It ends with the sandbox where that has a pid namespace. The exit status is the command's own, \
            128+N when signal N ended it, 125 when sandbox failed before the command began, 126 when the command \
            cannot be executed, 127 when there is none of that name.
            """)

    @Flag(name: .exec("terminal"), help: .exec("terminal"))
    var terminal = false
    @Option(name: .exec("user"), parsing: .unconditional, help: .exec("user"), completion: .exec("user"))
    var user: String?
    @Option(name: .exec("group"), parsing: .unconditional, help: .exec("group"), completion: .exec("group"))
    var group: String?
    @Option(name: .exec("workdir"), parsing: .unconditional, help: .exec("workdir"), completion: .exec("workdir"))
    var workdir: String?
    @Option(name: .exec("env"), parsing: .unconditionalSingleValue, help: .exec("env"), completion: .exec("env"))
    var environment: [String] = []
    @Argument(help: "The sandbox.", completion: .kind(.sandboxes))
    var name: String
    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
    var command: [String] = []

    mutating func validate() throws {
        guard let word = command.first else { throw problem("no command to run in '\(name)'") }
        if word == "-h" || word == "--help" { throw CleanExit.helpRequest(self) }
        if word == "--" {
            command.removeFirst()
            if command.isEmpty { throw problem("no command to run in '\(name)'") }
        } else if word.hasPrefix("-") && word != "-" {
            throw problem(RunOption.problem(with: word, among: ExecRequest.options))
        }
    }

    func run() throws {
        var request = ExecRequest(name: name)
        let given = [
            ("terminal", terminal ? [""] : []), ("user", list(user)), ("group", list(group)),
            ("workdir", list(workdir)), ("env", environment),
        ]
        for (option, values) in given {
            guard let option = ExecRequest.named(option) else { continue }
            for value in values { try request.apply(option, value, variable: environmentVariable) }
        }
        request.command = command
        throw ExitCode(ExecCommand.perform(request))
    }

    private func problem(_ text: String) -> UsageError { UsageError(text, command: "sandbox exec") }

    /// Carries out a request, and returns the exit status where the process did not become the command.
    static func perform(_ request: ExecRequest) -> Int32 {
        do throws(LaunchError) {
            try Launcher.protectExecutable()
            let words = request.commandStart.flatMap { start in linux_arguments().map { $0 + start } }
            return try Sandbox(request.name).exec(request.command, request.options, arguments: words, shrinks: true)
        } catch {
            Output.error(request.line(error))
            return error.status
        }
    }
}

extension ExecRequest {
    /// The error in one line, with the option that it is about.
    fileprivate func line(_ error: LaunchError) -> String {
        guard let key = error.key else { return error.message }
        let place =
            switch key {
            case "process.user" where options.user != nil: "--user"
            case "process.group" where options.group != nil: "--group"
            case "process.working-directory" where options.workingDirectory != nil: "--workdir"
            default: key
            }
        return "\(place): \(error.message)"
    }
}

extension ExecRequest {
    static func named(_ long: String) -> RunOption? { options.first { $0.long == long } }
}

extension NameSpecification {
    static func exec(_ name: String) -> NameSpecification { .of(ExecRequest.named(name), name) }
}

extension ArgumentHelp {
    static func exec(_ name: String) -> ArgumentHelp {
        ArgumentHelp(
            stringLiteral: ExecRequest.named(name)?.help ?? "", valueName: ExecRequest.named(name)?.placeholder)
    }
}

extension CompletionKind {
    static func exec(_ name: String) -> CompletionKind { kind(ExecRequest.named(name)?.completion ?? .none) }
}
