#!/bin/bash
# Memory that is copied while the application runs, for which the kernel must tell what is written to (soft-dirty).
# shellcheck source-path=SCRIPTDIR/.. source=case.bash
. "$1/case.bash"
# shellcheck source-path=SCRIPTDIR/.. source=writer.bash
. "$1/writer.bash"

# A figure of a snapshot, in milliseconds.
still() {
    "$SANDBOX" snapshot show --json "$1" |
        python3 -c 'import json, sys; m = json.load(sys.stdin)[0]; print(m["frozen"] // 1000, [r["frozen"] // 1000 for r in m.get("rounds", [])], [r["copied"] >> 10 for r in m.get("rounds", [])])'
}

saves() {
    start writer 100
    whole writer "before"
    must checkpoint writer --leave-running --snapshot plain
    must checkpoint writer --leave-running --snapshot copied --pre-copy
    whole writer "after two saves"
    echo "stood still, ms, [for copies before], [KiB of them]: $(still plain) without --pre-copy, $(still copied) with"
    [ -d "$SANDBOX_STATE/snapshots/copied/round-2" ] || fault "there are no two copies"
    [ -z "$(find "$SANDBOX_STATE/snapshots" -type l)" ] || fault "there are links in a snapshot"
    must snapshot verify plain copied
    must rm -f writer
    must restore copied -d
    written=
    whole writer "after a restore"
    # Memory comes in late from all copies; none of them is taken unseen.
    must restore copied -d -n late --lazy
    local before=$written
    written=
    whole late "while its memory comes in"
    for _ in $(seq 300); do grep -q '"loaded","name":"late"' "$SANDBOX_STATE/events" && break; sleep 0.2; done
    grep -q '"loaded","name":"late"' "$SANDBOX_STATE/events" || fault "its memory is not all there"
    whole late "with all of its memory"
    must rm -f late
    written=$before
    # One that has come back is saved as any other.
    must checkpoint writer --snapshot again --pre-copy --rounds 1
    must restore again -d
    whole writer "after another"
    [ "$(still again | grep -o , | wc -l)" = 0 ] || fault "there is more than one copy: $(still again)"
    must snapshot delete plain again
}

travels() {
    must rm -f writer
    must snapshot compress copied
    must restore copied -d
    written=
    whole writer "compressed"
    must rm -f writer
    must snapshot export copied -o "$scratch/archive"
    must snapshot delete copied
    must snapshot import "$scratch/archive"
    must restore copied -d
    written=
    whole writer "imported"
    "$SANDBOX" restore copied -d -n late --lazy >/dev/null 2>"$scratch/errors" && fault "it came back lazily"
    matches "--lazy" "$(cat "$scratch/errors")" "*copies of it were made before*they are compressed*"
    must restore copied --count 2 -n clone
    for name in clone-1 clone-2; do
        must kill -s USR1 $name
        [ "$("$SANDBOX" ps --json | python3 -c 'import json, sys; print(sum(s["state"] == "running" and s["name"].startswith("clone") for s in json.load(sys.stdin)))')" = 2 ] ||
            fault "not two clones run"
    done
    must rm -f clone-1 clone-2
    # Every byte of a copy counts.
    local file=$SANDBOX_STATE/snapshots/copied/round-1/pagemap-1.img.zst
    [ -f "$file" ] || file=${file%.zst}
    printf x | dd of="$file" bs=1 seek=20 conv=notrunc 2>/dev/null
    "$SANDBOX" snapshot verify copied >/dev/null 2>&1 && fault "an altered copy is taken for whole"
    "$SANDBOX" restore copied -d -n altered >/dev/null 2>"$scratch/errors" && fault "an altered copy is restored"
    matches "an altered copy" "$(cat "$scratch/errors")" "*has been altered*"
    must snapshot delete copied
    must rm -f writer
}

# The engine, which counts the copies that it is asked for (a request begins with its kind, 13), and at the one of that
# number does what else is said.
meddle() {
    rm -f "$scratch/copies"
    cat >"$scratch/criu" <<PY
#!/usr/bin/python3
import os, socket, subprocess, sys
copies = "$scratch/copies"
if socket.socket(fileno=os.dup(int(sys.argv[2]))).recv(2, socket.MSG_PEEK) == b"\x08\x0d":
    with open(copies, "a") as file: file.write("x")
    if os.path.getsize(copies) == $1:
        $2
os.execv("$criu", ["criu", *sys.argv[1:]])
PY
    chmod 755 "$scratch/criu"
}

# Arguments: the number of the copy that was meddled with, and the exit status that is due.
saves_in_vain() {
    local status
    SANDBOX_CRIU=$scratch/criu "$SANDBOX" checkpoint writer --snapshot s --pre-copy >/dev/null 2>"$scratch/errors"
    status=$?
    [ $status = "$2" ] || fault "copy $1: exit status $status"
    [ "$(wc -c <"$scratch/copies")" = "$1" ] || fault "copy $1 was not the last"
}

fails() {
    local number
    for number in 1 2; do
        meddle $number "sys.exit(1)"
        saves_in_vain $number 125
        [ "$(wc -l <"$scratch/errors")" = 1 ] || fault "not one line: $(tr '\n' '|' <"$scratch/errors")"
        [ -z "$(ls -A "$SANDBOX_STATE/snapshots")" ] || fault "left: $(ls -A "$SANDBOX_STATE/snapshots")"
        whole writer "copy $number failed"
    done
}

killed() {
    local number _
    for number in 1 2; do
        meddle $number 'subprocess.Popen(["sh", "-c", f"sleep 0.1; kill -KILL {os.getppid()}"])'
        saves_in_vain $number 137
        for _ in $(seq 100); do [ -z "$(ls -A "$SANDBOX_STATE/snapshots")" ] && break; sleep 0.1; done
        must gc
        [ -z "$(ls -A "$SANDBOX_STATE/snapshots")" ] || fault "left: $(ls -A "$SANDBOX_STATE/snapshots")"
        whole writer "killed at copy $number"
    done 2>/dev/null
}

test_case "memory that is copied before a save is whole after a restore" saves
test_case "a snapshot with copies is compressed, exported, imported and cloned, and refused when it was altered" travels
start writer 20
written=
test_case "a copy that fails lets the application go on and leaves nothing" fails
test_case "a save that is killed at a copy lets the application go on and leaves nothing" killed
must rm -f writer
