#!/bin/bash
# A move of an application whose memory goes before it, for which the kernel must tell what is written to (soft-dirty).
# shellcheck source-path=SCRIPTDIR/.. source=case.bash
. "$1/case.bash"
# shellcheck source-path=SCRIPTDIR/.. source=writer.bash
. "$1/writer.bash"

# Another host is another state directory; what reaches it does no more than ssh would.
there=/run/other-state
cat >"$scratch/ssh" <<'SH'
#!/bin/sh
[ "$1" = -- ] && shift 2
exec sh -c "$*"
SH
chmod 755 "$scratch/ssh"
mkdir -m 700 $there

migrate() {
    SANDBOX_STATE=$1 "$SANDBOX" migrate writer other --ssh "$scratch/ssh" --remote-command "$2" "${@:3}" \
        >"$scratch/output" 2>"$scratch/errors"
}

# Of both, hidden ones too.
snapshots() {
    find $there/snapshots "$SANDBOX_STATE/snapshots" -mindepth 1 -maxdepth 1
}

moves() {
    whole writer "before"
    migrate "$SANDBOX_STATE" "SANDBOX_STATE=$there $SANDBOX" --pre-copy || fault "$(tr '\n' ' ' <"$scratch/errors")"
    matches "what it prints" "$(cat "$scratch/output")" "writer runs on other; it stood still for * ms"
    echo "with --pre-copy: $(cat "$scratch/output")"
    whole writer "there" $there
    [ -z "$("$SANDBOX" ps -a -q)" ] || fault "something is left here"
    [ -z "$(snapshots)" ] || fault "left: $(snapshots)"
    # Back, without.
    migrate $there "SANDBOX_STATE=$SANDBOX_STATE $SANDBOX" || fault "$(tr '\n' ' ' <"$scratch/errors")"
    echo "without: $(cat "$scratch/output")"
    whole writer "back"
}

# Passes on all parts of what is sent before one, and of that one no more than its beginning: the first part is a copy
# of all memory, the last one the snapshot.
cat >"$scratch/cut.py" <<'PY'
import os, sys
def take(count):
    bytes = b""
    while len(bytes) < count:
        more = os.read(0, count - len(bytes))
        if not more: sys.exit()
        bytes += more
    return bytes
def give(bytes):
    while bytes: bytes = bytes[os.write(1, bytes):]
part = 0
while True:
    kind = take(1)
    last = str(part) == sys.argv[1] or kind == b"s" and sys.argv[1] == "snapshot"
    give(kind)
    while True:
        head = take(4)
        body = take(int.from_bytes(head, "big"))
        give((head + body)[:100 if last else None])
        if last: sys.exit()
        if not body: break
    part += 1
PY

stays() {
    local part
    for part in 0 1 snapshot; do
        cat >"$scratch/cut" <<SH
#!/bin/sh
python3 "$scratch/cut.py" $part | SANDBOX_STATE=$there $SANDBOX "\$@"
SH
        chmod 755 "$scratch/cut"
        migrate "$SANDBOX_STATE" "$scratch/cut" --pre-copy && fault "it moved with part $part cut off"
        [ "$(wc -l <"$scratch/errors")" = 1 ] || fault "not one line: $(tr '\n' '|' <"$scratch/errors")"
        whole writer "part $part cut off"
        [ -z "$(SANDBOX_STATE=$there "$SANDBOX" ps -a -q)" ] || fault "something is left there"
        [ -z "$(snapshots)" ] || fault "left: $(snapshots)"
    done
}

start writer 20
test_case "a sandbox moves whose memory has gone before it" moves
test_case "a connection that breaks at a copy lets it go on here" stays
must rm -f writer
