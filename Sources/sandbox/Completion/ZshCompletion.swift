extension CompletionScript {
    static func zsh(_ tree: CommandDescription) -> String {
        "#compdef sandbox\n" + heading(.zsh) + zshAsk + tree.flattened.map(zshFunction).joined()
            + zshStart
    }

    /// Autoloaded by name, or sourced.
    private static let zshStart = #"""

        if [[ ${funcstack[1]} == _sandbox ]]; then
            _sandbox "$@"
        else
            compdef _sandbox sandbox
        fi

        """#

    private static let zshAsk = #"""

        # Candidates of one kind, with their descriptions, from the executable itself.
        _sandbox_ask() {
            local line candidate
            local -a plain open
            for line in ${(f)"$(${(Q)_sandbox_program} complete $1 -- ${(Q)PREFIX} 2>/dev/null)"}; do
                candidate=${${line%%$'\t'*}//:/\\:}
                [[ $line == *$'\t'* ]] && candidate+=:${line#*$'\t'}
                case ${line%%$'\t'*} in
                *[=/:]) open+=($candidate) ;;
                *) plain+=($candidate) ;;
                esac
            done
            local found=1
            (( $#plain )) && _describe -t $1 $1 plain && found=0
            (( $#open )) && _describe -t $1 $1 open -S '' && found=0
            [[ $1 == profiles ]] && _files -g '*.toml' && found=0
            return found
        }

        # FROM:TO, both of them paths.
        _sandbox_places() {
            compset -P '*:'
            _files
        }

        """#

    /// _arguments offers nothing after a `--` that comes first.
    private static let zshCommandFirst = #"""
            if [[ $words[2] == -- && $CURRENT -gt 2 ]]; then
                shift 2 words
                (( CURRENT -= 2 ))
                _normal
                return
            fi

        """#

    /// Behind its sandbox and its options, exec's command completes itself.
    private static func zshCommandBehind(_ command: CommandDescription) -> String {
        let taking = command.options.filter(\.takesValue).flatMap(\.texts).joined(separator: " | ")
        return #"""
                local -i at=2 boxes=0 found=0
                while (( at < CURRENT )); do
                    case $words[at] in
                    --) (( at += 1, found = boxes )); break ;;
                    \#(taking)) (( at += 1 )) ;;
                    -?*) ;;
                    *) (( boxes )) && found=1 && break; boxes=1 ;;
                    esac
                    (( at += 1 ))
                done
                if (( found && at <= CURRENT )); then
                    shift $(( at - 1 )) words
                    (( CURRENT -= at - 1 ))
                    _normal
                    return
                fi

            """#
    }

    private static func zshFunction(_ path: [String], _ command: CommandDescription) -> String {
        let name = (["_sandbox"] + path).joined(separator: "_")
        var lines = command.options.map(zshOption)
        var tail = ""
        let children = command.subcommands ?? []
        if !children.isEmpty {
            lines += ["'1:command:->command'", "'*::argument:->argument'"]
            tail = zshChildren(name, children)
        } else if path == ["run"] {
            lines += ["'(-)1:command:_command_names -e'", "'*::argument:_normal'"]
        } else if path == ["exec"] {
            lines += ["'1:name: _sandbox_ask sandboxes'", "'(-)2:command:_command_names -e'", "'*::argument:_normal'"]
        } else {
            for argument in command.positionals {
                let count = argument.isRepeating ? "*" : argument.isOptional ? ":" : ""
                lines.append("'\(count):\(argument.valueName ?? "argument"):\(zshAction(argument.completion))'")
            }
        }
        var text = "\n\(name)() {\n"
        if path.isEmpty { text += "    local _sandbox_program=$words[1]\n" }
        text += "    local curcontext=$curcontext state line\n    local -A opt_args\n"
        if path == ["run"] { text += zshCommandFirst }
        if path == ["exec"] { text += zshCommandBehind(command) }
        // Of exec's own options some stand behind the first word, its sandbox.
        text += "    _arguments -C -s -S \(path == ["exec"] ? "" : "-A '-*' "): \\\n"
        text += lines.map { "        \($0)" }.joined(separator: " \\\n")
        return text + (tail.isEmpty ? "\n" : " && return\n" + tail) + "}\n"
    }

    private static func zshChildren(_ name: String, _ children: [CommandDescription]) -> String {
        var text = "    case $state in\n    command)\n        local -a commands=(\n"
        for child in children {
            text += "            '\(child.commandName):\(zshQuoted(child.abstract ?? ""))'\n"
        }
        text += "        )\n        _describe -t commands command commands\n        ;;\n"
        text += "    argument)\n        case $line[1] in\n"
        for child in children { text += "        \(child.commandName)) \(name)_\(child.commandName) ;;\n" }
        return text + "        esac\n        ;;\n    esac\n"
    }

    /// One specification of `_arguments`.
    private static func zshOption(_ option: CommandDescription.Option) -> String {
        let names = (option.names ?? []).map { name in
            option.takesValue ? name.text + (name.kind == "short" ? "+" : "=") : name.text
        }
        let set = names.count > 1 ? "{" + names.joined(separator: ",") + "}" : names.joined()
        let exclusive = option.isRepeating ? "*" : "(" + option.texts.joined(separator: " ") + ")"
        var rest = "[" + zshQuoted(option.abstract ?? "") + "]"
        if option.takesValue {
            rest += ":\(zshQuoted(option.valueName ?? "value")):\(zshAction(option.completion))"
        }
        return names.count > 1 ? "'\(exclusive)'\(set)'\(rest)'" : "'\(exclusive)\(set)\(rest)'"
    }

    private static func zshAction(_ completion: Completion) -> String {
        switch completion {
        case .none: " "
        case .files: "_files"
        case .places: " _sandbox_places"
        case .directories: "_files -/"
        // A space keeps _arguments from putting options of its own in front.
        default: " _sandbox_ask \(completion.rawValue)"
        }
    }

    private static func zshQuoted(_ text: String) -> String {
        var quoted = ""
        for character in text {
            switch character {
            case "'": quoted += "'\\''"
            case "[", "]", ":", "\\": quoted += "\\" + String(character)
            default: quoted.append(character)
            }
        }
        return quoted
    }
}
