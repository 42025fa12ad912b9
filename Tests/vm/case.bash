# What every case script uses: its first argument is this folder.
#   run STATUS OPTION… -- COMMAND    `sandbox run` with these arguments: $output, $errors; fails the test when the exit
#                                    status is another
#   holds WHAT COMMAND…              fails the test unless the command succeeds
#   matches WHAT TEXT PATTERN        fails the test unless the text matches the shell pattern
#   refused STARTED WORD…            fails the test unless one line on stderr has each word and no file STARTED is there
#   nothing_left                     fails the test when a control group of ours is left after a command has swept
#   test_case NAME FUNCTION          runs one test and prints its result
#   skip_case NAME REASON
set -u
export SANDBOX_STATE=/run/sandbox-state
export LC_ALL=C.UTF-8
scratch=$(mktemp -d /run/case.XXXXXX)
chmod 777 "$scratch"
started=$scratch/started
trap 'rm -rf "$scratch"' EXIT
cgroup=/sys/fs/cgroup

# Reasons that the test in hand has failed.
reasons=

fault() {
    reasons+="${reasons:+; }$*"
}

run() {
    local expected=$1 status
    shift
    # The group keeps the shell's own "Killed" out of the results.
    { "${as[@]}" "$SANDBOX" run "$@" >"$scratch/output" 2>"$scratch/errors" </dev/null; } 2>/dev/null
    status=$?
    output=$(cat "$scratch/output")
    errors=$(cat "$scratch/errors")
    [ "$status" = "$expected" ] ||
        fault "run $*: exit status $status, not $expected (${output//$'\n'/ | } ${errors//$'\n'/ | })"
}

# The prefix that runs sandbox as somebody else.
as=()

holds() {
    local what=$1
    shift
    "$@" || fault "$what"
}

matches() {
    # shellcheck disable=SC2053
    [[ $2 == $3 ]] || fault "$1: ${2//$'\n'/ | }"
}

refused() {
    local word started=$1
    shift
    [ ! -e "$started" ] || fault "the command was started"
    [ "$(wc -l <"$scratch/errors")" = 1 ] || fault "not one line: ${errors//$'\n'/ | }"
    for word; do
        [[ $errors == *"$word"* ]] || fault "'$errors' does not say '$word'"
    done
}

test_case() {
    reasons=
    rm -f "$started"
    "$2"
    if [ -z "$reasons" ]; then echo "ok $1"; else echo "not ok $1 $reasons"; fi
}

skip_case() {
    echo "ok $1 # SKIP $2"
}

# The control groups below ours, should any be left.
leftovers() {
    find "$cgroup" -depth -name 'sandbox*' -type d
}

# Groups of applications that were run in place wait for the next command.
nothing_left() {
    run 0 --unshare pid,mount --set resources.pids=20 -- true
    [ -z "$(leftovers)" ] || fault "left: $(leftovers | tr '\n' ' ')"
}

# A shell command that prints a file of the group it runs in.
own_file() {
    # shellcheck disable=SC2016
    printf 'cat "%s$(sed -n s/^0:://p /proc/self/cgroup)/%s"' "$cgroup" "$1"
}
