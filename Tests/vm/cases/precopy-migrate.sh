#!/bin/bash
# A move of an application whose memory goes before it, for which the kernel must tell what is written to (soft-dirty).
# shellcheck source-path=SCRIPTDIR/.. source=case.bash
. "$1/case.bash"
# shellcheck source-path=SCRIPTDIR/.. source=writer.bash
. "$1/writer.bash"

if ! command -v sshd >/dev/null; then
    skip_case "moving with memory gone before" "sshd is missing"
    exit
fi

# Another host is another state directory, which a real sshd(8) leads to.
there=/run/other-state
mkdir -m 700 $there
mkdir -p /run/sshd
ip link set lo up
for key in host user; do ssh-keygen -q -t ed25519 -N '' -f "$scratch/$key"; done
cat >"$scratch/sshd_config" <<END
ListenAddress 127.0.0.1:2222
HostKey $scratch/host
AuthorizedKeysFile $scratch/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
END
$(command -v sshd) -D -e -f "$scratch/sshd_config" 2>"$scratch/sshd.errors" &
daemon=$!
trap 'kill $daemon; rm -rf "$scratch"' EXIT
for _ in $(seq 300); do
    grep -q listening "$scratch/sshd.errors" && break
    sleep 0.1
done
# Keys are agreed upon with least effort: this machine may be an emulated one.
ssh="ssh -q -F none -p 2222 -i $scratch/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes \
-o KexAlgorithms=curve25519-sha256 -o Ciphers=aes128-gcm@openssh.com"

migrate() {
    SANDBOX_STATE=$1 "$SANDBOX" migrate writer root@127.0.0.1 --ssh "$ssh" --remote-command "$2" "${@:3}" \
        >"$scratch/output" 2>"$scratch/errors"
}

# Of both, hidden ones too.
snapshots() {
    find $there/snapshots "$SANDBOX_STATE/snapshots" -mindepth 1 -maxdepth 1
}

moves() {
    whole writer "before"
    migrate "$SANDBOX_STATE" "SANDBOX_STATE=$there $SANDBOX" --pre-copy || fault "$(tr '\n' ' ' <"$scratch/errors")"
    matches "what it prints" "$(cat "$scratch/output")" "writer runs on root@127.0.0.1; it stood still for * ms"
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
