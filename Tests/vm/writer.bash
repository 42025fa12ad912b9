# What cases about saving memory share: an application that writes to its memory and knows what must be in it.
PATH=$PATH:/usr/sbin:/sbin
criu=/usr/local/lib/sandbox/criu/criu
[ -x $criu ] || criu=$(command -v criu)
if [ -z "$criu" ]; then
    skip_case "saving memory" "CRIU is missing"
    exit
fi

# Memory of its own and memory that it shares, in which it writes without end. When it is asked (SIGUSR1) it compares
# every page with what it knows of it, and prints how often it wrote so far and how many pages are wrong.
cat >"$scratch/writer.py" <<'PY'
import mmap, random, signal, struct, sys, time
PAGE = 4096
own, shared = bytearray(int(sys.argv[1]) << 20), mmap.mmap(-1, 1 << 20)
areas = [(own, [0] * (len(own) // PAGE)), (shared, [0] * (len(shared) // PAGE))]
def page(index, version): return struct.pack("<QQ", index, version) * (PAGE // 16)
def write(area, index):
    memory, versions = areas[area]
    versions[index] += 1
    memory[index * PAGE:(index + 1) * PAGE] = page(index, versions[index])
asked = 0
def ask(*_):
    global asked
    asked += 1
def check():
    wrong = sum(memory[i * PAGE:(i + 1) * PAGE] != page(i, v) for memory, known in areas for i, v in enumerate(known))
    print("checked", writes, "wrong", wrong, flush=True)
for area in 0, 1:
    for index in range(len(areas[area][1])): write(area, index)
writes = 0
signal.signal(signal.SIGUSR1, ask)
print("ready", flush=True)
while True:
    for _ in range(20):
        # Most of them again and again, and some anywhere.
        write(0, random.randrange(min(len(areas[0][1]), 100 if random.random() < 0.999 else 1 << 30)))
        write(1, random.randrange(20))
        writes += 1
    fresh = bytearray(random.randrange(1 << 18))
    time.sleep(0.02)
    # Here, where what it knows and what is there are the same.
    while asked:
        asked -= 1
        check()
PY

must() {
    "$SANDBOX" "$@" >"$scratch/output" 2>"$scratch/errors" || fault "$*: $(tr '\n' ' ' <"$scratch/errors")"
}

log() {
    echo "${2:-$SANDBOX_STATE}/sandboxes/$1/log"
}

# Waits 60 s for a line of the log of a sandbox that comes behind so many.
await_line() {
    local _
    for _ in $(seq 300); do
        [ "$(grep -c "$2" "$(log "$1" "${4:-}")")" -gt "$3" ] && return
        sleep 0.2
    done
    fault "$1 does not say '$2': $(tail -n 2 "$(log "$1" "${4:-}")")"
}

start() {
    must run -d -n "$1" --set checkpoint.enabled=true --unshare net,pid,mount -- python3 "$scratch/writer.py" "$2"
    await_line "$1" ready 0
}

# How often it had written when it was asked last.
written=

# Fails the test unless all memory of the sandbox is right, and it has written since it was asked last.
whole() {
    local name=$1 place=$2 state=${3:-$SANDBOX_STATE} said count
    count=$(grep -c checked "$(log "$name" "$state")")
    SANDBOX_STATE=$state must kill -s USR1 "$name"
    await_line "$name" checked "$count" "$state"
    said=$(grep checked "$(log "$name" "$state")" | tail -n 1)
    matches "$place" "$said" "checked * wrong 0"
    said=${said#checked }
    [ "${said%% *}" -gt "${written:-0}" ] || fault "$place: it stands still at $said"
    written=${said%% *}
}
