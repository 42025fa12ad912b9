extension CompletionScript {
    static func bash(_ tree: CommandDescription) -> String {
        heading(.bash) + "\n" + bashTables(tree.flattened) + bashWalk
    }

    /// What the commands are, as three `case` tables keyed by the command's path.
    private static func bashTables(_ commands: [(path: [String], command: CommandDescription)]) -> String {
        var words = "_sandbox_words() {\n    case $1 in\n"
        var options = "_sandbox_options() {\n    case $1 in\n"
        var kinds = "# The kind of value that an option or a command's own argument takes; \"flag\" when none.\n"
        kinds += "_sandbox_kind() {\n    case $1 in\n"
        for (path, command) in commands {
            let key = path.joined(separator: " ")
            let children = (command.subcommands ?? []).map(\.commandName)
            if !children.isEmpty { words += "    '\(key)') echo '\(children.joined(separator: " "))' ;;\n" }
            options += "    '\(key)') echo '\(command.options.flatMap(\.texts).joined(separator: " "))' ;;\n"
            for option in command.options where option.takesValue {
                let patterns = option.texts.map { "'\(key) \($0)'" }.joined(separator: "|")
                kinds += "    \(patterns)) echo \(option.completion.rawValue) ;;\n"
            }
            if let argument = command.positionals.first, key != "run" {
                kinds += "    '\(key) @') echo \(argument.completion.rawValue) ;;\n"
            }
        }
        return words + "    esac\n}\n\n" + options + "    esac\n}\n\n" + kinds + "    *) echo flag ;;\n    esac\n}\n"
    }

    private static let bashWalk = #"""

        # Offers what of the value kind $1 begins with $2; $3 is put in front.
        _sandbox_offer() {
            local candidate=''
            case $1 in
            none | flag) ;;
            files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -P "$3" -f -- "$2") ;;
            places)
                compopt -o filenames 2>/dev/null
                [[ $2 == *:* ]] && candidate=${2%:*}:
                mapfile -t COMPREPLY < <(compgen -P "$3$candidate" -f -- "${2##*:}")
                ;;
            directories) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -P "$3" -d -- "$2") ;;
            *)
                while IFS=$'\t' read -r candidate _; do
                    [[ $candidate == "$2"* ]] && COMPREPLY+=("$3$candidate")
                done < <("$program" complete "$1" -- "$2" 2>/dev/null)
                if [[ $1 == profiles && ${#COMPREPLY[@]} -eq 0 ]]; then
                    compopt -o filenames 2>/dev/null
                    mapfile -t COMPREPLY < <(compgen -P "$3" -d -- "$2"; compgen -P "$3" -f -X '!*.toml' -- "$2")
                fi
                [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/:] ]] && compopt -o nospace 2>/dev/null
                ;;
            esac
        }

        # The command that is run completes itself, from word $1 of the line on.
        _sandbox_command() {
            if declare -F _comp_command_offset >/dev/null; then
                _comp_command_offset "$1"
            elif declare -F _command_offset >/dev/null; then
                _command_offset "$1"
            elif ((COMP_CWORD == $1)); then
                mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
            else
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
            fi
        }

        _sandbox() {
            local program=${1/#\~/$HOME} line=${COMP_LINE:0:COMP_POINT}
            local -a words=() starts=()
            local i piece gap last=''
            COMPREPLY=()

            # Readline breaks words at = and :, which are put together again here.
            for ((i = 0; i <= COMP_CWORD; i++)); do
                piece=${COMP_WORDS[i]}
                gap=${line%%[![:space:]]*}
                line=${line#"$gap"}
                ((i == COMP_CWORD)) && piece=$line
                line=${line#"$piece"}
                if ((i > 0)) && [[ -z $gap ]]; then
                    words[${#words[@]} - 1]+=$piece
                else
                    words+=("$piece")
                    starts+=("$i")
                fi
                last=$piece
            done

            # Of `exec` the first word is the sandbox.
            local cword=$((${#words[@]} - 1)) path='' kind='' box='' word
            local current=${words[cword]}
            for ((i = 1; i < cword; i++)); do
                word=${words[i]}
                case $word in
                --)
                    [[ $path == run || -n $box ]] && _sandbox_command "${starts[i + 1]}"
                    return
                    ;;
                --*=*) ;;
                -?*)
                    kind=$(_sandbox_kind "$path $word")
                    if [[ $kind != flag ]]; then
                        ((++i == cword)) && break
                    fi
                    kind=''
                    ;;
                *)
                    if [[ " $(_sandbox_words "$path") " == *" $word "* ]]; then
                        path=${path:+$path }$word
                    elif [[ $path == run || -n $box ]]; then
                        _sandbox_command "${starts[i]}"
                        return
                    elif [[ $path == exec ]]; then
                        box=$word
                    fi
                    ;;
                esac
            done

            if [[ -n $kind ]]; then
                _sandbox_offer "$kind" "$current" ''
            elif [[ $current == --*=* ]]; then
                word=${current%%=*}
                _sandbox_offer "$(_sandbox_kind "$path $word")" "${current#*=}" "$word="
            elif [[ $current == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_sandbox_options "$path")" -- "$current")
            elif [[ -n $(_sandbox_words "$path") ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_sandbox_words "$path")" -- "$current")
            elif [[ $path == run || -n $box ]]; then
                _sandbox_command "${starts[cword]}"
                return
            else
                _sandbox_offer "$(_sandbox_kind "$path @")" "$current" ''
            fi

            # Readline replaces only what follows the last break.
            [[ $last == [=:]* ]] && last=''
            local cut=$((${#current} - ${#last}))
            for i in "${!COMPREPLY[@]}"; do
                COMPREPLY[i]=${COMPREPLY[i]:cut}
            done
        }

        complete -F _sandbox sandbox

        """#
}
