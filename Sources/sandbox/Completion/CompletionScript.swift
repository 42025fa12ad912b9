import ArgumentParser

/// The completion scripts: committed under completions/, and printed by `sandbox --generate-completion-script SHELL`.
enum CompletionScript {
    enum Shell: String, CaseIterable {
        case bash, zsh, fish

        /// The file that the shell looks for.
        var fileName: String {
            switch self {
            case .bash: "sandbox.bash"
            case .zsh: "_sandbox"
            case .fish: "sandbox.fish"
            }
        }
    }

    /// The script that a line asks for; nil when it asks for something else.
    static func requested(by arguments: [String]) throws -> String? {
        guard let first = arguments.first else { return nil }
        let flag = "--generate-completion-script"
        let word: String
        if first == flag, arguments.count == 2 {
            word = arguments[1]
        } else if first.hasPrefix(flag + "="), arguments.count == 1 {
            word = String(first.dropFirst(flag.count + 1))
        } else {
            return nil
        }
        guard let shell = Shell(rawValue: word) else {
            throw UsageError("no completions for '\(word)' (known: bash, zsh, fish)", command: "sandbox")
        }
        return try text(for: shell)
    }

    static func text(for shell: Shell) throws -> String {
        let tree = try CommandDescription.tree()
        return switch shell {
        case .bash: bash(tree)
        case .zsh: zsh(tree)
        case .fish: fish(tree)
        }
    }

    /// The words in front of a script.
    static func heading(_ shell: Shell) -> String {
        """
        # Completion of sandbox(1) for \(shell.rawValue), made by
        #     sandbox --generate-completion-script \(shell.rawValue)
        # Names that depend on the machine are asked of `sandbox complete KIND -- WORD`.

        """
    }
}
