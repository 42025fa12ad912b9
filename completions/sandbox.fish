# Completion of sandbox(1) for fish, made by
#     sandbox --generate-completion-script fish
# Names that depend on the machine are asked of `sandbox complete KIND -- WORD`.

function __sandbox_words
    switch "$argv"
        case ''
            string split ' ' 'run exec attach ps inspect stats top logs events wait stop kill rm gc pause resume update checkpoint restore migrate snapshot view switch chain profile explain doctor'
        case 'snapshot'
            string split ' ' 'list show verify export import compress delete'
        case 'switch'
            string split ' ' 'create list show delete stats capture graph features'
        case 'chain'
            string split ' ' 'show insert remove replace move'
        case 'profile'
            string split ' ' 'list show check new schema unit desktop'
    end
end

# Whether an option takes the next word as its value.
function __sandbox_takes_value
    switch "$argv"
        case 'run -p' 'run --profile' 'run --unshare' 'run --join' 'run --root' 'run --overlay' 'run --bind' 'run --tmpfs' 'run --read-only' 'run --writable' 'run --hide' 'run --private' 'run --user' 'run --group' 'run --workdir' 'run --env' 'run --hostname' 'run --capabilities' 'run --switch' 'run --attach' 'run --address' 'run --publish' 'run --chain' 'run --set' 'run -n' 'run --name'
            return 0
        case 'exec --user' 'exec --group' 'exec --workdir' 'exec --env'
            return 0
        case 'attach --detach-key'
            return 0
        case 'inspect --format'
            return 0
        case 'stats --interval'
            return 0
        case 'top --sort' 'top --interval'
            return 0
        case 'logs --since' 'logs --tail'
            return 0
        case 'events --since'
            return 0
        case 'wait -t' 'wait --timeout'
            return 0
        case 'stop -t' 'stop --timeout'
            return 0
        case 'kill -s' 'kill --signal'
            return 0
        case 'gc --older'
            return 0
        case 'update --set'
            return 0
        case 'checkpoint --snapshot' 'checkpoint --rounds' 'checkpoint --tcp'
            return 0
        case 'restore -n' 'restore --name' 'restore --count' 'restore --address' 'restore --switch'
            return 0
        case 'migrate -n' 'migrate --name' 'migrate --switch' 'migrate --rounds' 'migrate --ssh' 'migrate --remote-command'
            return 0
        case 'snapshot show --picture'
            return 0
        case 'snapshot export -o' 'snapshot export --output' 'snapshot export --encrypt-to' 'snapshot export --sign'
            return 0
        case 'snapshot import --identity' 'snapshot import --signed-by'
            return 0
        case 'view --port' 'view --picture'
            return 0
        case 'switch create --subnet' 'switch create --kind' 'switch create --parent' 'switch create --uplink' 'switch create --mtu' 'switch create --domain' 'switch create --resolver' 'switch create --vxlan' 'switch create --peer' 'switch create --group' 'switch create --device' 'switch create --port'
            return 0
        case 'switch stats --interval'
            return 0
        case 'switch capture -w' 'switch capture --write' 'switch capture -c' 'switch capture --count' 'switch capture --direction'
            return 0
        case 'chain show --interface'
            return 0
        case 'chain insert --interface' 'chain insert --at'
            return 0
        case 'chain remove --interface'
            return 0
        case 'chain replace --interface'
            return 0
        case 'chain move --interface'
            return 0
        case 'profile show --set'
            return 0
        case 'profile unit -n' 'profile unit --name' 'profile unit --set'
            return 0
        case 'profile desktop --title'
            return 0
        case 'explain -p' 'explain --profile' 'explain --unshare' 'explain --join' 'explain --root' 'explain --overlay' 'explain --bind' 'explain --tmpfs' 'explain --read-only' 'explain --writable' 'explain --hide' 'explain --private' 'explain --user' 'explain --group' 'explain --workdir' 'explain --env' 'explain --hostname' 'explain --capabilities' 'explain --switch' 'explain --attach' 'explain --address' 'explain --publish' 'explain --chain' 'explain --set'
            return 0
    end
    return 1
end

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
complete -c sandbox -n '__sandbox_at ' -a run -d 'Run a command in a box.'
complete -c sandbox -n '__sandbox_at ' -a exec -d 'Run a further command in a running sandbox.'
complete -c sandbox -n '__sandbox_at ' -a attach -d 'Look at, and type into, the terminal of a detached sandbox.'
complete -c sandbox -n '__sandbox_at ' -a ps -d 'List sandboxes.'
complete -c sandbox -n '__sandbox_at ' -a inspect -d 'Tell all about sandboxes: what was asked for, and what the kernel says.'
complete -c sandbox -n '__sandbox_at ' -a stats -d 'Show what running sandboxes use.'
complete -c sandbox -n '__sandbox_at ' -a top -d 'Watch what running sandboxes use.'
complete -c sandbox -n '__sandbox_at ' -a logs -d 'Show what a detached sandbox has written.'
complete -c sandbox -n '__sandbox_at ' -a events -d 'Tell what happens to sandboxes, line by line.'
complete -c sandbox -n '__sandbox_at ' -a wait -d 'Wait until sandboxes have ended; exit as they did.'
complete -c sandbox -n '__sandbox_at ' -a stop -d 'Stop sandboxes: ask them to end, and end those that do not.'
complete -c sandbox -n '__sandbox_at ' -a kill -d 'Send a signal to the application of sandboxes.'
complete -c sandbox -n '__sandbox_at ' -a rm -d 'Forget sandboxes that have ended, with their logs.'
complete -c sandbox -n '__sandbox_at ' -a gc -d 'Clear away what crashes left, and say what that was.'
complete -c sandbox -n '__sandbox_at ' -a pause -d 'Pause sandboxes: stop all their processes where they are.'
complete -c sandbox -n '__sandbox_at ' -a resume -d 'Let paused sandboxes go on.'
complete -c sandbox -n '__sandbox_at ' -a update -d 'Change the limits of a running sandbox.'
complete -c sandbox -n '__sandbox_at ' -a checkpoint -d 'Save a sandbox with its memory and connections in a snapshot.'
complete -c sandbox -n '__sandbox_at ' -a restore -d 'Let a sandbox go on from a snapshot, or several of it.'
complete -c sandbox -n '__sandbox_at ' -a migrate -d 'Move a sandbox to another host, with its memory and connections.'
complete -c sandbox -n '__sandbox_at ' -a snapshot -d 'List, look into, check, carry and delete snapshots of sandboxes.'
complete -c sandbox -n '__sandbox_at ' -a view -d 'Show the display of a sandbox, or write a picture of it.'
complete -c sandbox -n '__sandbox_at ' -a switch -d 'Make, look at and delete the switches that sandboxes are attached to.'
complete -c sandbox -n '__sandbox_at ' -a chain -d 'Look at and change the functions between a sandbox and its switch.'
complete -c sandbox -n '__sandbox_at ' -a profile -d 'List, show, check and write profiles, and run them as services.'
complete -c sandbox -n '__sandbox_at ' -a explain -d 'Tell in plain words what a box can see and do.'
complete -c sandbox -n '__sandbox_at ' -a doctor -d 'Check this machine, and say how to mend what it lacks.'
complete -c sandbox -n '__sandbox_at ' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at ' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at run' -s p -l profile -r -a '(__sandbox_ask profiles)' -d 'A profile by name or file, or name?parameter=value; several are merged from left to right.'
complete -c sandbox -n '__sandbox_at run' -l unshare -x -a '(__sandbox_ask namespaces)' -d 'New namespaces: any of user, mount, pid, net, ipc, uts, cgroup, time; or all; or none.'
complete -c sandbox -n '__sandbox_at run' -l join -x -a '(__sandbox_ask joins)' -d 'Enter an existing namespace: a file, or sandbox:NAME.'
complete -c sandbox -n '__sandbox_at run' -l root -x -a '(__fish_complete_directories)' -d 'The directory tree that becomes / in the box.'
complete -c sandbox -n '__sandbox_at run' -l overlay -x -a '(__sandbox_ask overlays)' -d 'Changes to the root go to tmpfs (and are lost), or to this directory.'
complete -c sandbox -n '__sandbox_at run' -l bind -r -F -d 'Show a file or directory of the host in the box; options as ro,nosuid,nodev,noexec.'
complete -c sandbox -n '__sandbox_at run' -l tmpfs -x -a '(__fish_complete_directories)' -d 'A fresh, empty directory in memory; PATH:size=16M,mode=0700 limits it.'
complete -c sandbox -n '__sandbox_at run' -l read-only -r -F -d 'Make this tree read-only, with all that is mounted under it.'
complete -c sandbox -n '__sandbox_at run' -l writable -r -F -d 'Leave this part of a read-only tree writable.'
complete -c sandbox -n '__sandbox_at run' -l hide -r -F -d 'Cover this path, so that the box finds nothing there.'
complete -c sandbox -n '__sandbox_at run' -l private -x -a '(__sandbox_ask areas)' -d 'Fresh and empty areas: any of tmp, home, dev, run.'
complete -c sandbox -n '__sandbox_at run' -l user -x -a '(__sandbox_ask users)' -d 'Run as this user of the box, by name or number.'
complete -c sandbox -n '__sandbox_at run' -l group -x -a '(__sandbox_ask groups)' -d 'Run as this group of the box, by name or number.'
complete -c sandbox -n '__sandbox_at run' -l workdir -x -a '(__fish_complete_directories)' -d 'The working directory, as the box sees it.'
complete -c sandbox -n '__sandbox_at run' -l env -x -a '(__sandbox_ask environment)' -d 'Set a variable; a name alone keeps the caller\'s value when the rest is cleared.'
complete -c sandbox -n '__sandbox_at run' -l clear-env -d 'Begin with an empty environment.'
complete -c sandbox -n '__sandbox_at run' -l hostname -x -d 'The host name that the box sees; needs a uts namespace.'
complete -c sandbox -n '__sandbox_at run' -l capabilities -x -a '(__sandbox_ask capabilities)' -d 'Capabilities to keep, such as NET_BIND_SERVICE; !NAME takes one away.'
complete -c sandbox -n '__sandbox_at run' -l switch -x -a '(__sandbox_ask switches)' -d 'Attach the box to this switch; needs a net namespace.'
complete -c sandbox -n '__sandbox_at run' -l attach -x -a '(__sandbox_ask attachments)' -d 'How: veth, macvlan, host or none.'
complete -c sandbox -n '__sandbox_at run' -l address -x -d 'The address: auto, none, dhcp, dhcp6, or ADDRESS/LENGTH, several with commas.'
complete -c sandbox -n '__sandbox_at run' -l publish -x -d 'A port of the host that leads to the box: [ADDRESS:]PORT[-PORT][:PORT[-PORT]][/tcp|/udp].'
complete -c sandbox -n '__sandbox_at run' -l chain -x -a '(__sandbox_ask functions)' -d 'A service function before the switch, in order from the box: NAME[:PRESET][?PARAMETER=VALUE&...].'
complete -c sandbox -n '__sandbox_at run' -l set -x -a '(__sandbox_ask keys)' -d 'Set any key of the profile language, as in resources.memory=512M.'
complete -c sandbox -n '__sandbox_at run' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at run' -s n -l name -x -d 'The name of the sandbox.'
complete -c sandbox -n '__sandbox_at run' -s d -l detach -d 'Return once the command has begun, and print the sandbox\'s name.'
complete -c sandbox -n '__sandbox_at run' -s t -l terminal -d 'Give the command a pseudo-terminal of its own.'
complete -c sandbox -n '__sandbox_at run' -l view -d 'Show the box\'s own display in a viewer, and end the box with it; with -d it goes on without.'
complete -c sandbox -n '__sandbox_at run' -l rm -d 'Keep no record of the sandbox when the command has ended.'
complete -c sandbox -n '__sandbox_at run' -l dry-run -d 'Print what would be done, and do nothing.'
complete -c sandbox -n '__sandbox_at run' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at run' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_within exec' -s t -l terminal -d 'Give the command a pseudo-terminal of its own, and the caller\'s TERM.'
complete -c sandbox -n '__sandbox_within exec' -l user -x -a '(__sandbox_ask users)' -d 'Run as this user of the box, by name or number, with no capability that the box\'s command lacks.'
complete -c sandbox -n '__sandbox_within exec' -l group -x -a '(__sandbox_ask groups)' -d 'Run as this group of the box, by name or number.'
complete -c sandbox -n '__sandbox_within exec' -l workdir -x -a '(__fish_complete_directories)' -d 'The working directory, as the box sees it.'
complete -c sandbox -n '__sandbox_within exec' -l env -x -a '(__sandbox_ask environment)' -d 'Set a variable; a name alone takes the caller\'s value.'
complete -c sandbox -n '__sandbox_within exec' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_within exec' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at exec' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at attach' -l read-only -d 'Only look on; others may do that at the same time.'
complete -c sandbox -n '__sandbox_at attach' -l detach-key -x -d 'What to type to leave the sandbox alone: ctrl- and a letter or one of @[\\]^_, a character, or none.'
complete -c sandbox -n '__sandbox_at attach' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at attach' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at ps' -s a -l all -d 'Those too that have ended.'
complete -c sandbox -n '__sandbox_at ps' -s q -l quiet -d 'Print names only.'
complete -c sandbox -n '__sandbox_at ps' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at ps' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at ps' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at inspect' -l format -x -d 'json or text; json when absent.'
complete -c sandbox -n '__sandbox_at inspect' -l json -d 'The same as --format json.'
complete -c sandbox -n '__sandbox_at inspect' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at inspect' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at inspect' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at stats' -l json -d 'Print JSON instead of a table.'
complete -c sandbox -n '__sandbox_at stats' -l stream -d 'Go on, whatever is written to.'
complete -c sandbox -n '__sandbox_at stats' -l no-stream -d 'Measure one interval and end, on a terminal too.'
complete -c sandbox -n '__sandbox_at stats' -l interval -x -d 'Seconds to measure over; 1 when absent.'
complete -c sandbox -n '__sandbox_at stats' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at stats' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at stats' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at top' -l sort -x -d 'name, state, cpu, memory, share, pids, read, written, received, sent; cpu when absent.'
complete -c sandbox -n '__sandbox_at top' -l reverse -d 'The other way round: the least first, names from Z to A.'
complete -c sandbox -n '__sandbox_at top' -l interval -x -d 'Seconds between two measurements; 1 when absent.'
complete -c sandbox -n '__sandbox_at top' -l once -d 'Measure one interval, print the table and end.'
complete -c sandbox -n '__sandbox_at top' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at top' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at logs' -l follow -s f -d 'Go on with what is written, through restarts, until the sandbox has ended.'
complete -c sandbox -n '__sandbox_at logs' -l since -x -d 'Only what was written from a time on: 90s, 10m, 1h30m or 2d before now, 15:04, "2026-01-31 15:04:05", 2026-01-31T15:04:05Z or @SECONDS. Some that is older may come with it.'
complete -c sandbox -n '__sandbox_at logs' -l tail -x -d 'Only so many lines at the end.'
complete -c sandbox -n '__sandbox_at logs' -l raw -d 'On a terminal too, write every byte as it is.'
complete -c sandbox -n '__sandbox_at logs' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at logs' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at events' -l json -d 'Print each event as one line of JSON.'
complete -c sandbox -n '__sandbox_at events' -l since -x -d 'Begin with what happened then: 90s, 10m, 1h30m or 2d before now, 15:04, "2026-01-31 15:04:05", 2026-01-31T15:04:05Z or @SECONDS.'
complete -c sandbox -n '__sandbox_at events' -l no-follow -d 'Print what is known, and end.'
complete -c sandbox -n '__sandbox_at events' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at events' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at wait' -s t -l timeout -x -d 'Wait so long at most.'
complete -c sandbox -n '__sandbox_at wait' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at wait' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at wait' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at stop' -s t -l timeout -x -d 'The grace period, instead of the profile\'s; with 0 SIGKILL comes at once.'
complete -c sandbox -n '__sandbox_at stop' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at stop' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at stop' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at kill' -s s -l signal -x -a '(__sandbox_ask signals)' -d 'A name, with or without SIG, RTMIN+N, or a number; KILL when absent.'
complete -c sandbox -n '__sandbox_at kill' -l all -d 'Every process of the sandbox.'
complete -c sandbox -n '__sandbox_at kill' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at kill' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at kill' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at rm' -s f -l force -d 'End those that run; forget damaged ones.'
complete -c sandbox -n '__sandbox_at rm' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at rm' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at rm' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at gc' -l stopped -d 'Forget all sandboxes that have ended, with their logs.'
complete -c sandbox -n '__sandbox_at gc' -l older -x -d 'With --stopped: only those that ended so long ago, as in 24h or 7d.'
complete -c sandbox -n '__sandbox_at gc' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at gc' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at gc' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at pause' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at pause' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at pause' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at resume' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at resume' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at resume' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at update' -l set -x -a '(__sandbox_ask resources)' -d 'A limit, as in resources.memory=256M.'
complete -c sandbox -n '__sandbox_at update' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at update' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at update' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at checkpoint' -l snapshot -x -d 'Name of the snapshot.'
complete -c sandbox -n '__sandbox_at checkpoint' -l leave-running -d 'Let the application go on.'
complete -c sandbox -n '__sandbox_at checkpoint' -l compress -d 'Whether the snapshot is compressed once the application has been let go; else as the profile says.'
complete -c sandbox -n '__sandbox_at checkpoint' -l no-compress -d 'Whether the snapshot is compressed once the application has been let go; else as the profile says.'
complete -c sandbox -n '__sandbox_at checkpoint' -l no-sync -d 'Do not wait for the disk: a power cut soon afterwards can take the snapshot.'
complete -c sandbox -n '__sandbox_at checkpoint' -l pre-copy -d 'Copy its memory while it runs, until little is written to meanwhile: it stands still for the rest only; else as the profile says.'
complete -c sandbox -n '__sandbox_at checkpoint' -l no-pre-copy -d 'Copy its memory while it runs, until little is written to meanwhile: it stands still for the rest only; else as the profile says.'
complete -c sandbox -n '__sandbox_at checkpoint' -l rounds -x -d 'The most copies that --pre-copy makes, 1 to 32; else 4.'
complete -c sandbox -n '__sandbox_at checkpoint' -l tcp -x -d 'TCP connections: established (they go on after a restore) or close; else as the profile says.'
complete -c sandbox -n '__sandbox_at checkpoint' -l check -d 'Only name what is in the way of saving it.'
complete -c sandbox -n '__sandbox_at checkpoint' -l json -d 'Print one JSON document, an array, instead of text (with --check).'
complete -c sandbox -n '__sandbox_at checkpoint' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at checkpoint' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at checkpoint' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at restore' -s n -l name -x -d 'The sandbox\'s name from now on.'
complete -c sandbox -n '__sandbox_at restore' -l latest -d 'The word is a sandbox\'s name, and means its newest snapshot.'
complete -c sandbox -n '__sandbox_at restore' -l replace -d 'End the sandbox first where it runs, at once: back to what it was.'
complete -c sandbox -n '__sandbox_at restore' -l lazy -d 'Let it begin before its memory is there, which comes in as it is needed: sooner with a gigabyte.'
complete -c sandbox -n '__sandbox_at restore' -s d -l detach -d 'Return once it runs.'
complete -c sandbox -n '__sandbox_at restore' -l count -x -d 'Start so many of it, detached, as NAME-1, NAME-2 and so on, each with an address of its own, or none.'
complete -c sandbox -n '__sandbox_at restore' -l address -x -d 'Another address: auto, none, dhcp, or ADDRESS/LENGTH, several with commas. Connections are closed.'
complete -c sandbox -n '__sandbox_at restore' -l switch -x -a '(__sandbox_ask switches)' -d 'Another switch.'
complete -c sandbox -n '__sandbox_at restore' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at restore' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at restore' -x -a '(__sandbox_ask snapshots)'
complete -c sandbox -n '__sandbox_at migrate' -s n -l name -x -d 'The sandbox\'s name there.'
complete -c sandbox -n '__sandbox_at migrate' -l switch -x -d 'The switch of its first interface there.'
complete -c sandbox -n '__sandbox_at migrate' -l lazy -d 'Let it go on there before its memory is there, which follows as it is needed: a shorter gap.'
complete -c sandbox -n '__sandbox_at migrate' -l pre-copy -d 'Copy its memory while it runs, until little is written to meanwhile: it stands still for the rest only; else as the profile says.'
complete -c sandbox -n '__sandbox_at migrate' -l no-pre-copy -d 'Copy its memory while it runs, until little is written to meanwhile: it stands still for the rest only; else as the profile says.'
complete -c sandbox -n '__sandbox_at migrate' -l rounds -x -d 'The most copies that --pre-copy makes, 1 to 32; else 4.'
complete -c sandbox -n '__sandbox_at migrate' -l ssh -x -d 'The program that reaches the host and its options, in words divided by spaces: "ssh -p 2222".'
complete -c sandbox -n '__sandbox_at migrate' -l remote-command -x -d 'How sandbox is called there, for a shell.'
complete -c sandbox -n '__sandbox_at migrate' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at migrate' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at migrate' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at snapshot' -a list -d 'List snapshots, oldest first.'
complete -c sandbox -n '__sandbox_at snapshot' -a show -d 'Tell what snapshots hold: processes, memory, sockets, files, interfaces.'
complete -c sandbox -n '__sandbox_at snapshot' -a verify -d 'Check that snapshots are as they were taken, every byte of them.'
complete -c sandbox -n '__sandbox_at snapshot' -a export -d 'Write a snapshot as one file, for another host.'
complete -c sandbox -n '__sandbox_at snapshot' -a import -d 'Take in a snapshot that was exported.'
complete -c sandbox -n '__sandbox_at snapshot' -a compress -d 'Compress the images of snapshots.'
complete -c sandbox -n '__sandbox_at snapshot' -a delete -d 'Delete snapshots, by their own names.'
complete -c sandbox -n '__sandbox_at snapshot' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at snapshot' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at snapshot list' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at snapshot list' -l pictures -d 'Show what the displays showed, too, as well as the terminal can (needs chafa).'
complete -c sandbox -n '__sandbox_at snapshot list' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at snapshot list' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at snapshot list' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at snapshot show' -l json -d 'Print the manifests as one JSON document, an array.'
complete -c sandbox -n '__sandbox_at snapshot show' -l picture -r -F -d 'Write what the display showed to a PNG file instead; - is standard output.'
complete -c sandbox -n '__sandbox_at snapshot show' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at snapshot show' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at snapshot show' -x -a '(__sandbox_ask snapshots)'
complete -c sandbox -n '__sandbox_at snapshot verify' -l json -d 'Print one JSON document, an array, instead of text.'
complete -c sandbox -n '__sandbox_at snapshot verify' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at snapshot verify' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at snapshot verify' -x -a '(__sandbox_ask snapshots)'
complete -c sandbox -n '__sandbox_at snapshot export' -s o -l output -r -F -d 'The file, as a rule NAME.tar.zst; - for standard output.'
complete -c sandbox -n '__sandbox_at snapshot export' -l encrypt-to -x -d 'Who can read it: a recipient of age (age1…, ssh-…), or a key of GnuPG; may be repeated.'
complete -c sandbox -n '__sandbox_at snapshot export' -l sign -x -d 'GnuPG\'s key that it is signed with.'
complete -c sandbox -n '__sandbox_at snapshot export' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at snapshot export' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at snapshot export' -x -a '(__sandbox_ask snapshots)'
complete -c sandbox -n '__sandbox_at snapshot import' -l identity -r -F -d 'A file with your key of age, or of SSH; may be repeated.'
complete -c sandbox -n '__sandbox_at snapshot import' -l signed-by -x -d 'The fingerprint of GnuPG\'s key that must have signed it.'
complete -c sandbox -n '__sandbox_at snapshot import' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at snapshot import' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at snapshot import' -r -F
complete -c sandbox -n '__sandbox_at snapshot compress' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at snapshot compress' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at snapshot compress' -x -a '(__sandbox_ask snapshots)'
complete -c sandbox -n '__sandbox_at snapshot delete' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at snapshot delete' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at snapshot delete' -x -a '(__sandbox_ask snapshots)'
complete -c sandbox -n '__sandbox_at view' -l web -d 'Serve it to a browser, on the loopback interface only.'
complete -c sandbox -n '__sandbox_at view' -l port -x -d 'The port for --web; a free one when absent.'
complete -c sandbox -n '__sandbox_at view' -l picture -r -F -d 'Write what it shows now to a PNG file; - is standard output.'
complete -c sandbox -n '__sandbox_at view' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at view' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at view' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at switch' -a create -d 'Make a switch.'
complete -c sandbox -n '__sandbox_at switch' -a list -d 'List switches.'
complete -c sandbox -n '__sandbox_at switch' -a show -d 'Show a switch, its ports and what went through them.'
complete -c sandbox -n '__sandbox_at switch' -a delete -d 'Delete switches.'
complete -c sandbox -n '__sandbox_at switch' -a stats -d 'Show what goes through the ports of switches.'
complete -c sandbox -n '__sandbox_at switch' -a capture -d 'Show or keep the packets that pass a port.'
complete -c sandbox -n '__sandbox_at switch' -a graph -d 'Draw switches, their ports and the sandboxes behind them.'
complete -c sandbox -n '__sandbox_at switch' -a features -d 'Try what switches need of the kernel, one by one.'
complete -c sandbox -n '__sandbox_at switch' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at switch' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at switch create' -l subnet -x -d 'A network, at most one of IPv4 and one of IPv6: 10.1.0.0/24, or 10.1.0.254/24 with the switch\'s own address; a free one of 10.88.0.0/16 when absent, none with \'none\'.'
complete -c sandbox -n '__sandbox_at switch create' -l kind -x -d 'bridge or macvlan.'
complete -c sandbox -n '__sandbox_at switch create' -l parent -x -d 'Of a macvlan: the host\'s device.'
complete -c sandbox -n '__sandbox_at switch create' -l uplink -x -d 'How ports reach beyond the switch: none; nat, through the host and with its address; or a device of the host\'s, which becomes a port and comes back when the switch is deleted, its routes apart.'
complete -c sandbox -n '__sandbox_at switch create' -l force -d 'With the device that the host itself reaches others by, too.'
complete -c sandbox -n '__sandbox_at switch create' -l mtu -x -d 'Largest packet, in bytes; 1500, less with --vxlan.'
complete -c sandbox -n '__sandbox_at switch create' -l vlan-filtering -d 'Ports belong to VLANs, as network.vlan says: those of others than 1 pass an uplink device and a VXLAN with their tags. The switch\'s own address, NAT and servers are in VLAN 1.'
complete -c sandbox -n '__sandbox_at switch create' -l isolated -d 'Ports do not reach each other unless they say so.'
complete -c sandbox -n '__sandbox_at switch create' -l dns -d 'Resolve the names of its sandboxes, by a name server of its own (dnsmasq) that runs in a box.'
complete -c sandbox -n '__sandbox_at switch create' -l dhcp -d 'Tell sandboxes that ask by DHCP the addresses that their ports have, by the server of --dns.'
complete -c sandbox -n '__sandbox_at switch create' -l domain -x -d 'With --dns: what the names end in; the switch\'s name when absent.'
complete -c sandbox -n '__sandbox_at switch create' -l resolver -x -d 'With --dns: who is asked for all other names; the host\'s name servers when absent and the uplink is nat, else nobody.'
complete -c sandbox -n '__sandbox_at switch create' -l multicast-snooping -d 'Multicast goes only where somebody listens: all ports are asked, anew whenever one comes or goes.'
complete -c sandbox -n '__sandbox_at switch create' -l vxlan -x -d 'Joins switches of the same number on several hosts, 1 to 16777215. Each host has an address of its own in the subnet, and gives its sandboxes others.'
complete -c sandbox -n '__sandbox_at switch create' -l peer -x -d 'Of --vxlan: another host.'
complete -c sandbox -n '__sandbox_at switch create' -l group -x -d 'Of --vxlan: the multicast group of all hosts, with --device.'
complete -c sandbox -n '__sandbox_at switch create' -l device -x -d 'Of --vxlan: the host\'s interface that packets leave by.'
complete -c sandbox -n '__sandbox_at switch create' -l port -x -d 'Of --vxlan: the UDP port; 4789.'
complete -c sandbox -n '__sandbox_at switch create' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at switch create' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at switch list' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at switch list' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at switch list' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at switch show' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at switch show' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at switch show' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at switch show' -x -a '(__sandbox_ask switches)'
complete -c sandbox -n '__sandbox_at switch delete' -s f -l force -d 'With ports too, or damaged.'
complete -c sandbox -n '__sandbox_at switch delete' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at switch delete' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at switch delete' -x -a '(__sandbox_ask switches)'
complete -c sandbox -n '__sandbox_at switch stats' -l json -d 'Print JSON instead of a table.'
complete -c sandbox -n '__sandbox_at switch stats' -l stream -d 'Go on, whatever is written to.'
complete -c sandbox -n '__sandbox_at switch stats' -l no-stream -d 'Measure one interval and end, on a terminal too.'
complete -c sandbox -n '__sandbox_at switch stats' -l interval -x -d 'Seconds to measure over; 1 when absent.'
complete -c sandbox -n '__sandbox_at switch stats' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at switch stats' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at switch stats' -x -a '(__sandbox_ask switches)'
complete -c sandbox -n '__sandbox_at switch capture' -s w -l write -r -F -d 'Keep the packets in this file; - is standard output.'
complete -c sandbox -n '__sandbox_at switch capture' -s c -l count -x -d 'End after so many packets.'
complete -c sandbox -n '__sandbox_at switch capture' -l direction -x -d 'sent or received by the sandbox; both when absent.'
complete -c sandbox -n '__sandbox_at switch capture' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at switch capture' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at switch capture' -x -a '(__sandbox_ask switches)'
complete -c sandbox -n '__sandbox_at switch graph' -l text -d 'A picture in the terminal; when nothing else is asked for.'
complete -c sandbox -n '__sandbox_at switch graph' -l svg -d 'An image, SVG.'
complete -c sandbox -n '__sandbox_at switch graph' -l dot -d 'Graphviz\'s language.'
complete -c sandbox -n '__sandbox_at switch graph' -l mermaid -d 'Mermaid\'s language.'
complete -c sandbox -n '__sandbox_at switch graph' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at switch graph' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at switch graph' -x -a '(__sandbox_ask switches)'
complete -c sandbox -n '__sandbox_at switch features' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at switch features' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at switch features' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at chain' -a show -d 'Show the functions in order, and what has gone through each.'
complete -c sandbox -n '__sandbox_at chain' -a insert -d 'Put a function into the chain.'
complete -c sandbox -n '__sandbox_at chain' -a remove -d 'Take a function out of the chain.'
complete -c sandbox -n '__sandbox_at chain' -a replace -d 'Put another function in the place of one.'
complete -c sandbox -n '__sandbox_at chain' -a move -d 'Give a function another position.'
complete -c sandbox -n '__sandbox_at chain' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at chain' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at chain show' -l interface -x -d 'The interface, as the box calls it; the first with a port without this.'
complete -c sandbox -n '__sandbox_at chain show' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at chain show' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at chain show' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at chain show' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at chain insert' -l interface -x -d 'The interface, as the box calls it; the first with a port without this.'
complete -c sandbox -n '__sandbox_at chain insert' -l at -x -d 'Its position from 1 on, 1 being next to the application.'
complete -c sandbox -n '__sandbox_at chain insert' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at chain insert' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at chain insert' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at chain remove' -l interface -x -d 'The interface, as the box calls it; the first with a port without this.'
complete -c sandbox -n '__sandbox_at chain remove' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at chain remove' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at chain remove' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at chain replace' -l interface -x -d 'The interface, as the box calls it; the first with a port without this.'
complete -c sandbox -n '__sandbox_at chain replace' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at chain replace' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at chain replace' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at chain move' -l interface -x -d 'The interface, as the box calls it; the first with a port without this.'
complete -c sandbox -n '__sandbox_at chain move' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at chain move' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at chain move' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at profile' -a list -d 'List the profiles along the search path.'
complete -c sandbox -n '__sandbox_at profile' -a show -d 'Show profiles merged, and the file and line that each value came from.'
complete -c sandbox -n '__sandbox_at profile' -a check -d 'Say all that is wrong with profiles, or of no effect.'
complete -c sandbox -n '__sandbox_at profile' -a new -d 'Write a new profile, with every key explained in a comment.'
complete -c sandbox -n '__sandbox_at profile' -a schema -d 'Print the profile language as JSON Schema, for editors.'
complete -c sandbox -n '__sandbox_at profile' -a unit -d 'Print a systemd unit that runs a profile as a service.'
complete -c sandbox -n '__sandbox_at profile' -a desktop -d 'Print an entry for the desktop\'s menus that launches a profile.'
complete -c sandbox -n '__sandbox_at profile' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at profile' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at profile list' -s a -l all -d 'Profiles that others shadow, too.'
complete -c sandbox -n '__sandbox_at profile list' -l function -d 'Service functions for chains, instead of profiles.'
complete -c sandbox -n '__sandbox_at profile list' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at profile list' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at profile list' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at profile show' -l set -x -a '(__sandbox_ask keys)' -d 'Set any key of the profile language, as in resources.memory=512M.'
complete -c sandbox -n '__sandbox_at profile show' -l function -d 'The names are those of service functions for chains.'
complete -c sandbox -n '__sandbox_at profile show' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at profile show' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at profile show' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at profile show' -r -a '(__sandbox_ask profiles)'
complete -c sandbox -n '__sandbox_at profile check' -l function -d 'The names are those of service functions for chains.'
complete -c sandbox -n '__sandbox_at profile check' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at profile check' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at profile check' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at profile check' -r -a '(__sandbox_ask profiles)'
complete -c sandbox -n '__sandbox_at profile new' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at profile new' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at profile new' -r -F
complete -c sandbox -n '__sandbox_at profile schema' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at profile schema' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at profile unit' -s n -l name -x -d 'The name of the sandbox; the profile\'s when absent.'
complete -c sandbox -n '__sandbox_at profile unit' -l set -x -a '(__sandbox_ask keys)' -d 'Set any key of the profile language, as in resources.memory=512M.'
complete -c sandbox -n '__sandbox_at profile unit' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at profile unit' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at profile unit' -r -a '(__sandbox_ask profiles)'
complete -c sandbox -n '__sandbox_at profile desktop' -l install -d 'Write it to $XDG_DATA_HOME/applications (~/.local/share/applications) instead, and print where.'
complete -c sandbox -n '__sandbox_at profile desktop' -l title -x -d 'What the menu shows; the profile\'s name when absent.'
complete -c sandbox -n '__sandbox_at profile desktop' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at profile desktop' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at profile desktop' -r -a '(__sandbox_ask profiles)'
complete -c sandbox -n '__sandbox_at explain' -s p -l profile -r -a '(__sandbox_ask profiles)' -d 'A profile by name or file, or name?parameter=value; several are merged from left to right.'
complete -c sandbox -n '__sandbox_at explain' -l unshare -x -a '(__sandbox_ask namespaces)' -d 'New namespaces: any of user, mount, pid, net, ipc, uts, cgroup, time; or all; or none.'
complete -c sandbox -n '__sandbox_at explain' -l join -x -a '(__sandbox_ask joins)' -d 'Enter an existing namespace: a file, or sandbox:NAME.'
complete -c sandbox -n '__sandbox_at explain' -l root -x -a '(__fish_complete_directories)' -d 'The directory tree that becomes / in the box.'
complete -c sandbox -n '__sandbox_at explain' -l overlay -x -a '(__sandbox_ask overlays)' -d 'Changes to the root go to tmpfs (and are lost), or to this directory.'
complete -c sandbox -n '__sandbox_at explain' -l bind -r -F -d 'Show a file or directory of the host in the box; options as ro,nosuid,nodev,noexec.'
complete -c sandbox -n '__sandbox_at explain' -l tmpfs -x -a '(__fish_complete_directories)' -d 'A fresh, empty directory in memory; PATH:size=16M,mode=0700 limits it.'
complete -c sandbox -n '__sandbox_at explain' -l read-only -r -F -d 'Make this tree read-only, with all that is mounted under it.'
complete -c sandbox -n '__sandbox_at explain' -l writable -r -F -d 'Leave this part of a read-only tree writable.'
complete -c sandbox -n '__sandbox_at explain' -l hide -r -F -d 'Cover this path, so that the box finds nothing there.'
complete -c sandbox -n '__sandbox_at explain' -l private -x -a '(__sandbox_ask areas)' -d 'Fresh and empty areas: any of tmp, home, dev, run.'
complete -c sandbox -n '__sandbox_at explain' -l user -x -a '(__sandbox_ask users)' -d 'Run as this user of the box, by name or number.'
complete -c sandbox -n '__sandbox_at explain' -l group -x -a '(__sandbox_ask groups)' -d 'Run as this group of the box, by name or number.'
complete -c sandbox -n '__sandbox_at explain' -l workdir -x -a '(__fish_complete_directories)' -d 'The working directory, as the box sees it.'
complete -c sandbox -n '__sandbox_at explain' -l env -x -a '(__sandbox_ask environment)' -d 'Set a variable; a name alone keeps the caller\'s value when the rest is cleared.'
complete -c sandbox -n '__sandbox_at explain' -l clear-env -d 'Begin with an empty environment.'
complete -c sandbox -n '__sandbox_at explain' -l hostname -x -d 'The host name that the box sees; needs a uts namespace.'
complete -c sandbox -n '__sandbox_at explain' -l capabilities -x -a '(__sandbox_ask capabilities)' -d 'Capabilities to keep, such as NET_BIND_SERVICE; !NAME takes one away.'
complete -c sandbox -n '__sandbox_at explain' -l switch -x -a '(__sandbox_ask switches)' -d 'Attach the box to this switch; needs a net namespace.'
complete -c sandbox -n '__sandbox_at explain' -l attach -x -a '(__sandbox_ask attachments)' -d 'How: veth, macvlan, host or none.'
complete -c sandbox -n '__sandbox_at explain' -l address -x -d 'The address: auto, none, dhcp, dhcp6, or ADDRESS/LENGTH, several with commas.'
complete -c sandbox -n '__sandbox_at explain' -l publish -x -d 'A port of the host that leads to the box: [ADDRESS:]PORT[-PORT][:PORT[-PORT]][/tcp|/udp].'
complete -c sandbox -n '__sandbox_at explain' -l chain -x -a '(__sandbox_ask functions)' -d 'A service function before the switch, in order from the box: NAME[:PRESET][?PARAMETER=VALUE&...].'
complete -c sandbox -n '__sandbox_at explain' -l set -x -a '(__sandbox_ask keys)' -d 'Set any key of the profile language, as in resources.memory=512M.'
complete -c sandbox -n '__sandbox_at explain' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at explain' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at explain' -s h -l help -d 'Show help information.'
complete -c sandbox -n '__sandbox_at explain' -x -a '(__sandbox_ask sandboxes)'
complete -c sandbox -n '__sandbox_at doctor' -l json -d 'Print one JSON document instead of text.'
complete -c sandbox -n '__sandbox_at doctor' -l version -d 'Show the version.'
complete -c sandbox -n '__sandbox_at doctor' -s h -l help -d 'Show help information.'
