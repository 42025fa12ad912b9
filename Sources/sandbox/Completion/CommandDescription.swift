import ArgumentParser
import FoundationEssentials

/// A command as the argument parser describes it: what manual pages and completions are made from.
struct CommandDescription: Decodable, Equatable {
    struct Option: Decodable, Equatable {
        struct Name: Decodable, Equatable {
            var kind: String
            var name: String

            var text: String { kind == "short" ? "-" + name : "--" + name }
        }

        var kind: String
        var shouldDisplay: Bool
        var isOptional: Bool
        var isRepeating: Bool
        var names: [Name]?
        var valueName: String?
        var abstract: String?
        var completionKind: Kind?

        struct Kind: Decodable, Equatable {
            struct Command: Decodable, Equatable { var command: String }
            struct Extensions: Decodable, Equatable { var extensions: [String] }
            struct Empty: Decodable, Equatable {}
            var shellCommand: Command?
            var file: Extensions?
            var directory: Empty?
        }
    }

    var commandName: String
    var abstract: String?
    var discussion: String?
    var shouldDisplay: Bool?
    var subcommands: [CommandDescription]?
    var arguments: [Option]?

    private struct Tool: Decodable { var command: CommandDescription }

    /// The whole tree from `sandbox` down, without hidden commands and the parser's own `help`.
    static func tree() throws -> CommandDescription {
        let text = SandboxCommand._dumpHelp()
        return try JSONDecoder().decode(Tool.self, from: Data(text.utf8)).command.visible
    }

    private var visible: CommandDescription {
        var copy = self
        copy.subcommands = subcommands?.filter { $0.shouldDisplay != false && $0.commandName != "help" }.map(\.visible)
        copy.arguments = arguments?.filter(\.shouldDisplay)
        return copy
    }

    /// Every command with its path below `sandbox`: `[]`, `["run"]`, `["profile", "show"]`, …
    var flattened: [(path: [String], command: CommandDescription)] {
        var list: [(path: [String], command: CommandDescription)] = [([], self)]
        for child in subcommands ?? [] {
            list += child.flattened.map { ([child.commandName] + $0.path, $0.command) }
        }
        return list
    }

    var options: [Option] { (arguments ?? []).filter { $0.kind != "positional" } }
    var positionals: [Option] { (arguments ?? []).filter { $0.kind == "positional" } }
}

extension CommandDescription.Option {
    var texts: [String] { (names ?? []).map(\.text) }
    var takesValue: Bool { kind == "option" }

    /// What a shell offers for the value.
    var completion: Completion {
        if completionKind?.file != nil { return .files }
        if completionKind?.directory != nil { return .directories }
        guard let word = completionKind?.shellCommand?.command.split(separator: " ").last else { return .none }
        return Completion(rawValue: String(word)) ?? .none
    }
}
