#!/bin/bash
# Named and detached sandboxes on control groups version 2: frozen, limited, measured, killed, and how their ends are told.
# shellcheck source-path=SCRIPTDIR/.. source=case.bash
. "$1/case.bash"

# box WORD…: any command of ours, its output in $output, its exit status in $status.
box() {
    output=$("$SANDBOX" "$@" 2>&1 </dev/null)
    status=$?
}

must() {
    box "$@"
    [ "$status" = 0 ] || fault "$*: exit status $status: ${output//$'\n'/ | }"
}

state_of() {
    must ps -a --json
    python3 -c 'import json, sys; print([b for b in json.load(sys.stdin) if b["name"] == sys.argv[1]][0][sys.argv[2]])' \
        "$1" "${2:-state}" <<<"$output"
}

counter="i=0; while :; do i=\$((i+1)); echo \$i > $scratch/count; done"

frozen() {
    local before
    must run -d -n one --unshare pid -- sh -c "$counter"
    holds "it counts" timeout 20 sh -c "until [ -s $scratch/count ]; do sleep 0.1; done"
    must pause one
    matches "paused" "$(state_of one)" paused
    before=$(cat "$scratch/count")
    sleep 1
    [ "$before" = "$(cat "$scratch/count")" ] || fault "it goes on while it is paused"
    must resume one
    holds "it goes on" timeout 20 sh -c "until [ \"\$(cat $scratch/count)\" != '$before' ]; do sleep 0.1; done"
    must pause one
    must stop -t 1 one
    matches "stopped from its pause" "$(state_of one)" stopped
    must rm one
    nothing_left
}

limited() {
    local group
    must run -d -n two --unshare pid --set resources.memory=64M -- sleep 1000
    group=$(find $cgroup -type d -name 'two-*' | head -n 1)
    must update two --set resources.memory=32M --set resources.pids=10 --set resources.cpu=0.5
    matches "memory.max" "$(cat "$group/memory.max")" 33554432
    matches "pids.max" "$(cat "$group/pids.max")" 10
    matches "cpu.max" "$(cat "$group/cpu.max")" '50000 100000'
    must stats two --json --no-stream
    matches "statistics" "$output" '*control-group*33554432*'
    must exec two -- sh -c "cat /proc/self/cgroup"
    matches "a further command is in the group" "$output" "*$(basename "$group")*"
    must rm -f two
    nothing_left
}

killed_for_memory() {
    must run -d -n three --unshare pid --set resources.memory=16M --set resources.memory-swap=0 -- \
        python3 -c 'x = bytearray(200 << 20)'
    box wait three
    [ "$status" = 137 ] || fault "wait: exit status $status"
    must ps -a
    matches "why it ended" "$output" '*killed for want of memory*'
    must events --since 1h --no-follow --json
    matches "an event tells" "$output" '*"event":"oom","name":"three"*'
    must rm three
    nothing_left
}

swept() {
    local waiter
    must run -d -n four --unshare net -- sleep 1000
    for waiter in $(python3 - <<'PYTHON'
import re
text = open("/run/sandbox-state/sandboxes/four/state.toml").read()
print(re.search(r"launcher = \[(\d+)", text)[1], re.search(r"process = \[(\d+)", text)[1])
PYTHON
    ); do kill -9 "$waiter"; done
    must gc
    matches "its end is told" "$(state_of four)" stopped
    must rm four
    nothing_left
}

test_case lifecycle-pause-and-resume frozen
test_case lifecycle-update-and-exec limited
test_case lifecycle-killed-for-memory killed_for_memory
test_case lifecycle-swept-after-kill swept
