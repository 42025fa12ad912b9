import ArgumentParser
import Kernel
import Launch
import Profile

extension Entry {
    /// Every command but a plain `run`, through the general parser. All errors are worded here.
    static func runGeneral(_ arguments: [String]) -> Int32 {
        do {
            if let script = try CompletionScript.requested(by: arguments) {
                try Output.write(script)
                return ExitStatus.success
            }
            try refuseUnknownCommand(arguments.first)
            var command = try SandboxCommand.parseAsRoot(arguments)
            try command.run()
            return ExitStatus.success
        } catch let error as UsageError {
            return fail(error.line)
        } catch let error as ProfileError {
            return fail(error.message)
        } catch let error as LaunchError {
            Output.error(error.message)
            return error.status
        } catch let error as SystemError {
            return fail(error.message)
        } catch let error as LaunchError {
            Output.error(error.message)
            return error.status
        } catch let status as ExitCode {
            return status.rawValue
        } catch {
            return finish(error, arguments)
        }
    }

    /// The parser itself would only say that the words are too many.
    private static func refuseUnknownCommand(_ word: String?) throws(UsageError) {
        guard let word, !word.hasPrefix("-"), word != "help" else { return }
        let known = SandboxCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
        if known.contains(word) { return }
        let near = nearest(word, in: known).map { "; did you mean '\($0)'?" } ?? ""
        throw UsageError("unknown command '\(word)'\(near)", command: "sandbox")
    }

    private static func fail(_ line: String) -> Int32 {
        Output.error(line)
        return ExitStatus.failure
    }

    /// Help goes to standard output; a line that can't be taken becomes one line and 125, not sysexits(3)'s 64.
    private static func finish(_ error: any Error, _ arguments: [String]) -> Int32 {
        if SandboxCommand.exitCode(for: error) == .success {
            do throws(SystemError) {
                try Output.line(SandboxCommand.fullMessage(for: error))
                return ExitStatus.success
            } catch {
                return fail(error.message)
            }
        }
        let message = SandboxCommand.message(for: error).split(separator: "\n").joined(separator: " ")
        let first = message.prefix(1).lowercased() + message.dropFirst(1)
        let sentence = first.hasSuffix(".") ? String(first.dropLast()) : first
        return fail(UsageError(sentence, command: commandName(arguments)).line)
    }

    /// The command that the line is about: its leading words that name commands.
    static func commandName(_ arguments: [String]) -> String {
        var name = "sandbox"
        var level: any ParsableCommand.Type = SandboxCommand.self
        for word in arguments {
            guard let next = level.configuration.subcommands.first(where: { $0.configuration.commandName == word })
            else { break }
            name += " " + word
            level = next
        }
        return name
    }
}
