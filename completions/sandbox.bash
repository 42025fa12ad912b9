# Completion of sandbox(1) for bash, made by
#     sandbox --generate-completion-script bash
# Names that depend on the machine are asked of `sandbox complete KIND -- WORD`.

_sandbox_words() {
    case $1 in
    '') echo 'run exec attach ps inspect stats top logs events wait stop kill rm gc pause resume update checkpoint restore migrate snapshot view switch chain profile explain doctor' ;;
    'snapshot') echo 'list show verify export import compress delete' ;;
    'switch') echo 'create list show delete stats capture graph features' ;;
    'chain') echo 'show insert remove replace move' ;;
    'profile') echo 'list show check new schema unit desktop' ;;
    esac
}

_sandbox_options() {
    case $1 in
    '') echo '--version -h --help' ;;
    'run') echo '-p --profile --unshare --join --root --overlay --bind --tmpfs --read-only --writable --hide --private --user --group --workdir --env --clear-env --hostname --capabilities --switch --attach --address --publish --chain --set --json -n --name -d --detach -t --terminal --view --rm --dry-run --version -h --help' ;;
    'exec') echo '-t --terminal --user --group --workdir --env --version -h --help' ;;
    'attach') echo '--read-only --detach-key --version -h --help' ;;
    'ps') echo '-a --all -q --quiet --json --version -h --help' ;;
    'inspect') echo '--format --json --version -h --help' ;;
    'stats') echo '--json --stream --no-stream --interval --version -h --help' ;;
    'top') echo '--sort --reverse --interval --once --version -h --help' ;;
    'logs') echo '--follow -f --since --tail --raw --version -h --help' ;;
    'events') echo '--json --since --no-follow --version -h --help' ;;
    'wait') echo '-t --timeout --version -h --help' ;;
    'stop') echo '-t --timeout --version -h --help' ;;
    'kill') echo '-s --signal --all --version -h --help' ;;
    'rm') echo '-f --force --version -h --help' ;;
    'gc') echo '--stopped --older --json --version -h --help' ;;
    'pause') echo '--version -h --help' ;;
    'resume') echo '--version -h --help' ;;
    'update') echo '--set --version -h --help' ;;
    'checkpoint') echo '--snapshot --leave-running --compress --no-compress --no-sync --pre-copy --no-pre-copy --rounds --tcp --check --json --version -h --help' ;;
    'restore') echo '-n --name --latest --replace --lazy -d --detach --count --address --switch --version -h --help' ;;
    'migrate') echo '-n --name --switch --lazy --pre-copy --no-pre-copy --rounds --ssh --remote-command --version -h --help' ;;
    'snapshot') echo '--version -h --help' ;;
    'snapshot list') echo '--json --pictures --version -h --help' ;;
    'snapshot show') echo '--json --picture --version -h --help' ;;
    'snapshot verify') echo '--json --version -h --help' ;;
    'snapshot export') echo '-o --output --encrypt-to --sign --version -h --help' ;;
    'snapshot import') echo '--identity --signed-by --version -h --help' ;;
    'snapshot compress') echo '--version -h --help' ;;
    'snapshot delete') echo '--version -h --help' ;;
    'view') echo '--web --port --picture --version -h --help' ;;
    'switch') echo '--version -h --help' ;;
    'switch create') echo '--subnet --kind --parent --uplink --force --mtu --vlan-filtering --isolated --dns --dhcp --domain --resolver --multicast-snooping --vxlan --peer --group --device --port --version -h --help' ;;
    'switch list') echo '--json --version -h --help' ;;
    'switch show') echo '--json --version -h --help' ;;
    'switch delete') echo '-f --force --version -h --help' ;;
    'switch stats') echo '--json --stream --no-stream --interval --version -h --help' ;;
    'switch capture') echo '-w --write -c --count --direction --version -h --help' ;;
    'switch graph') echo '--text --svg --dot --mermaid --version -h --help' ;;
    'switch features') echo '--json --version -h --help' ;;
    'chain') echo '--version -h --help' ;;
    'chain show') echo '--interface --json --version -h --help' ;;
    'chain insert') echo '--interface --at --version -h --help' ;;
    'chain remove') echo '--interface --version -h --help' ;;
    'chain replace') echo '--interface --version -h --help' ;;
    'chain move') echo '--interface --version -h --help' ;;
    'profile') echo '--version -h --help' ;;
    'profile list') echo '-a --all --function --json --version -h --help' ;;
    'profile show') echo '--set --function --json --version -h --help' ;;
    'profile check') echo '--function --json --version -h --help' ;;
    'profile new') echo '--version -h --help' ;;
    'profile schema') echo '--version -h --help' ;;
    'profile unit') echo '-n --name --set --version -h --help' ;;
    'profile desktop') echo '--install --title --version -h --help' ;;
    'explain') echo '-p --profile --unshare --join --root --overlay --bind --tmpfs --read-only --writable --hide --private --user --group --workdir --env --clear-env --hostname --capabilities --switch --attach --address --publish --chain --set --json --version -h --help' ;;
    'doctor') echo '--json --version -h --help' ;;
    esac
}

# The kind of value that an option or a command's own argument takes; "flag" when none.
_sandbox_kind() {
    case $1 in
    'run -p'|'run --profile') echo profiles ;;
    'run --unshare') echo namespaces ;;
    'run --join') echo joins ;;
    'run --root') echo directories ;;
    'run --overlay') echo overlays ;;
    'run --bind') echo places ;;
    'run --tmpfs') echo directories ;;
    'run --read-only') echo files ;;
    'run --writable') echo files ;;
    'run --hide') echo files ;;
    'run --private') echo areas ;;
    'run --user') echo users ;;
    'run --group') echo groups ;;
    'run --workdir') echo directories ;;
    'run --env') echo environment ;;
    'run --hostname') echo none ;;
    'run --capabilities') echo capabilities ;;
    'run --switch') echo switches ;;
    'run --attach') echo attachments ;;
    'run --address') echo none ;;
    'run --publish') echo none ;;
    'run --chain') echo functions ;;
    'run --set') echo keys ;;
    'run -n'|'run --name') echo none ;;
    'exec --user') echo users ;;
    'exec --group') echo groups ;;
    'exec --workdir') echo directories ;;
    'exec --env') echo environment ;;
    'exec @') echo sandboxes ;;
    'attach --detach-key') echo none ;;
    'attach @') echo none ;;
    'inspect --format') echo none ;;
    'inspect @') echo sandboxes ;;
    'stats --interval') echo none ;;
    'stats @') echo sandboxes ;;
    'top --sort') echo none ;;
    'top --interval') echo none ;;
    'logs --since') echo none ;;
    'logs --tail') echo none ;;
    'logs @') echo none ;;
    'events --since') echo none ;;
    'wait -t'|'wait --timeout') echo none ;;
    'wait @') echo sandboxes ;;
    'stop -t'|'stop --timeout') echo none ;;
    'stop @') echo sandboxes ;;
    'kill -s'|'kill --signal') echo signals ;;
    'kill @') echo sandboxes ;;
    'rm @') echo sandboxes ;;
    'gc --older') echo none ;;
    'pause @') echo sandboxes ;;
    'resume @') echo sandboxes ;;
    'update --set') echo resources ;;
    'update @') echo sandboxes ;;
    'checkpoint --snapshot') echo none ;;
    'checkpoint --rounds') echo none ;;
    'checkpoint --tcp') echo none ;;
    'checkpoint @') echo sandboxes ;;
    'restore -n'|'restore --name') echo none ;;
    'restore --count') echo none ;;
    'restore --address') echo none ;;
    'restore --switch') echo switches ;;
    'restore @') echo snapshots ;;
    'migrate -n'|'migrate --name') echo none ;;
    'migrate --switch') echo none ;;
    'migrate --rounds') echo none ;;
    'migrate --ssh') echo none ;;
    'migrate --remote-command') echo none ;;
    'migrate @') echo sandboxes ;;
    'snapshot list @') echo sandboxes ;;
    'snapshot show --picture') echo files ;;
    'snapshot show @') echo snapshots ;;
    'snapshot verify @') echo snapshots ;;
    'snapshot export -o'|'snapshot export --output') echo files ;;
    'snapshot export --encrypt-to') echo none ;;
    'snapshot export --sign') echo none ;;
    'snapshot export @') echo snapshots ;;
    'snapshot import --identity') echo files ;;
    'snapshot import --signed-by') echo none ;;
    'snapshot import @') echo files ;;
    'snapshot compress @') echo snapshots ;;
    'snapshot delete @') echo snapshots ;;
    'view --port') echo none ;;
    'view --picture') echo files ;;
    'view @') echo sandboxes ;;
    'switch create --subnet') echo none ;;
    'switch create --kind') echo none ;;
    'switch create --parent') echo none ;;
    'switch create --uplink') echo none ;;
    'switch create --mtu') echo none ;;
    'switch create --domain') echo none ;;
    'switch create --resolver') echo none ;;
    'switch create --vxlan') echo none ;;
    'switch create --peer') echo none ;;
    'switch create --group') echo none ;;
    'switch create --device') echo none ;;
    'switch create --port') echo none ;;
    'switch create @') echo none ;;
    'switch show @') echo switches ;;
    'switch delete @') echo switches ;;
    'switch stats --interval') echo none ;;
    'switch stats @') echo switches ;;
    'switch capture -w'|'switch capture --write') echo files ;;
    'switch capture -c'|'switch capture --count') echo none ;;
    'switch capture --direction') echo none ;;
    'switch capture @') echo switches ;;
    'switch graph @') echo switches ;;
    'chain show --interface') echo none ;;
    'chain show @') echo sandboxes ;;
    'chain insert --interface') echo none ;;
    'chain insert --at') echo none ;;
    'chain insert @') echo sandboxes ;;
    'chain remove --interface') echo none ;;
    'chain remove @') echo sandboxes ;;
    'chain replace --interface') echo none ;;
    'chain replace @') echo sandboxes ;;
    'chain move --interface') echo none ;;
    'chain move @') echo sandboxes ;;
    'profile show --set') echo keys ;;
    'profile show @') echo profiles ;;
    'profile check @') echo profiles ;;
    'profile new @') echo files ;;
    'profile unit -n'|'profile unit --name') echo none ;;
    'profile unit --set') echo keys ;;
    'profile unit @') echo profiles ;;
    'profile desktop --title') echo none ;;
    'profile desktop @') echo profiles ;;
    'explain -p'|'explain --profile') echo profiles ;;
    'explain --unshare') echo namespaces ;;
    'explain --join') echo joins ;;
    'explain --root') echo directories ;;
    'explain --overlay') echo overlays ;;
    'explain --bind') echo places ;;
    'explain --tmpfs') echo directories ;;
    'explain --read-only') echo files ;;
    'explain --writable') echo files ;;
    'explain --hide') echo files ;;
    'explain --private') echo areas ;;
    'explain --user') echo users ;;
    'explain --group') echo groups ;;
    'explain --workdir') echo directories ;;
    'explain --env') echo environment ;;
    'explain --hostname') echo none ;;
    'explain --capabilities') echo capabilities ;;
    'explain --switch') echo switches ;;
    'explain --attach') echo attachments ;;
    'explain --address') echo none ;;
    'explain --publish') echo none ;;
    'explain --chain') echo functions ;;
    'explain --set') echo keys ;;
    'explain @') echo sandboxes ;;
    *) echo flag ;;
    esac
}

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
