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

moves() {
    whole writer "before"
    migrate "$SANDBOX_STATE" "SANDBOX_STATE=$there $SANDBOX" --pre-copy || fault "$(tr '\n' ' ' <"$scratch/errors")"
    matches "what it prints" "$(cat "$scratch/output")" "writer runs on other; it stood still for * ms"
    echo "with --pre-copy: $(cat "$scratch/output")"
    whole writer "there" $there
    [ -z "$("$SANDBOX" ps -a -q)" ] || fault "something is left here"
    [ -z "$(ls -A $there/snapshots "$SANDBOX_STATE/snapshots")" ] || fault "a snapshot is left"
    # Back, without.
    migrate $there "SANDBOX_STATE=$SANDBOX_STATE $SANDBOX" || fault "$(tr '\n' ' ' <"$scratch/errors")"
    echo "without: $(cat "$scratch/output")"
    whole writer "back"
}

# So many bytes of all that is sent get there.
stays() {
    local count
    for count in 100000 2200000; do
        cat >"$scratch/cut" <<SH
#!/bin/sh
head -c $count | SANDBOX_STATE=$there $SANDBOX "\$@"
SH
        chmod 755 "$scratch/cut"
        migrate "$SANDBOX_STATE" "$scratch/cut" --pre-copy && fault "it moved with $count bytes"
        [ "$(wc -l <"$scratch/errors")" = 1 ] || fault "not one line: $(tr '\n' '|' <"$scratch/errors")"
        whole writer "cut at $count bytes"
        [ -z "$(SANDBOX_STATE=$there "$SANDBOX" ps -a -q)" ] || fault "something is left there"
        [ -z "$(ls -A $there/snapshots "$SANDBOX_STATE/snapshots")" ] || fault "a snapshot is left"
    done
}

start writer 20
test_case "a sandbox moves whose memory has gone before it" moves
test_case "a connection that breaks at a copy lets it go on here" stays
must rm -f writer
