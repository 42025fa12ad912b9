extension CompletionScript {
    static func fish(_ tree: CommandDescription) -> String {
        let commands = tree.flattened
        return heading(.fish) + "\n" + fishTables(commands) + fishWalk + fishRules(commands)
    }

    private static func fishTables(_ commands: [(path: [String], command: CommandDescription)]) -> String {
        var words = "function __sandbox_words\n    switch \"$argv\"\n"
        var values = "# Whether an option takes the next word as its value.\n"
        values += "function __sandbox_takes_value\n    switch \"$argv\"\n"
        for (path, command) in commands {
            let key = path.joined(separator: " ")
            let children = (command.subcommands ?? []).map(\.commandName)
            if !children.isEmpty {
                words += "        case '\(key)'\n            string split ' ' '\(children.joined(separator: " "))'\n"
            }
            let taking = command.options.filter(\.takesValue).flatMap(\.texts)
            if taking.isEmpty { continue }
            let cases = taking.map { "'\((path + [$0]).joined(separator: " "))'" }.joined(separator: " ")
            values += "        case \(cases)\n            return 0\n"
        }
        return words + "    end\nend\n\n" + values + "    end\n    return 1\nend\n"
    }

    private static let fishWalk = #"""

        # Prints the path of the command that the line has come to; "run:N" when the words from N on belong to the
        # command that is run, "exec in" behind the name of the sandbox.
        function __sandbox_path
            set -l tokens (commandline -opc)
            set -l path
            set -l i 2
            while test $i -le (count $tokens)
                set -l token $tokens[$i]
                if test "$token" = --
                    contains -- "$path" run 'exec in'; and set path run:(math $i + 1)
                    break
                else if string match -q -- '--*=*' $token
                else if string match -q -- '-?*' $token
                    __sandbox_takes_value (string match -v in -- $path) $token; and set i (math $i + 1)
                else if contains -- $token (__sandbox_words $path)
                    set -a path $token
                else if contains -- "$path" run 'exec in'
                    set path run:$i
                    break
                else if test "$path" = exec
                    set path exec in
                end
                set i (math $i + 1)
            end
            echo "$path"
        end

        function __sandbox_at
            test (__sandbox_path) = "$argv"
        end

        # There, or behind the name of its sandbox.
        function __sandbox_within
            contains -- (__sandbox_path) "$argv" "$argv in"
        end

        function __sandbox_in_command
            string match -q -- 'run:*' (__sandbox_path)
        end

        # The command that is run completes itself.
        function __sandbox_command
            set -l start (string replace -- run: '' (__sandbox_path))
            set -l tokens (commandline -opc)
            set -l current (commandline -ct)
            set -l rest
            test $start -le (count $tokens); and set rest (string escape -- $tokens[$start..-1])
            complete -C (string join -- ' ' $rest $current)
        end

        # Its name, where a word that is no option would be it.
        function __sandbox_first
            set -l current (commandline -ct)
            string match -q -- '-*' $current; or complete -C "$current"
        end

        function __sandbox_ask
            set -l tokens (commandline -opc)
            set -l word (commandline -ct | string replace -r -- '^--[a-z-]+=' '')
            $tokens[1] complete $argv[1] -- "$word" 2>/dev/null
        end

        complete -c sandbox -f
        complete -c sandbox -n __sandbox_in_command -x -a '(__sandbox_command)'
        complete -c sandbox -n '__sandbox_at run' -x -a '(__sandbox_first)'
        complete -c sandbox -n '__sandbox_at exec in' -x -a '(__sandbox_first)'

        """#

    private static func fishRules(_ commands: [(path: [String], command: CommandDescription)]) -> String {
        var text = ""
        for (path, command) in commands {
            let at = "complete -c sandbox -n '__sandbox_at \(path.joined(separator: " "))'"
            for child in command.subcommands ?? [] {
                text += "\(at) -a \(child.commandName) -d \(quoted(child.abstract ?? ""))\n"
            }
            for option in command.options {
                text += path == ["exec"] ? "complete -c sandbox -n '__sandbox_within exec'" : at
                for name in option.names ?? [] {
                    text += name.kind == "short" ? " -s \(name.name)" : " -l \(name.name)"
                }
                if option.takesValue { text += fishValue(option.completion) }
                text += " -d \(quoted(option.abstract ?? ""))\n"
            }
            if let argument = command.positionals.first, path != ["run"], argument.completion != .none {
                text += at + fishValue(argument.completion) + "\n"
            }
        }
        return text
    }

    private static func fishValue(_ completion: Completion) -> String {
        switch completion {
        case .none: " -x"
        case .files, .places: " -r -F"
        case .directories: " -x -a '(__fish_complete_directories)'"
        case .profiles: " -r -a '(__sandbox_ask profiles)'"
        default: " -x -a '(__sandbox_ask \(completion.rawValue))'"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "'"
        for character in text {
            if character == "'" || character == "\\" { quoted += "\\" }
            quoted.append(character)
        }
        return quoted + "'"
    }
}
