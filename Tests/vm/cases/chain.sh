#!/bin/bash
# Functions that are boxes, on a kernel without tcx: their programs are filters of tc(8).
# shellcheck source-path=SCRIPTDIR/.. source=case.bash
. "$1/case.bash"

modprobe -a bridge veth nf_tables sch_ingress cls_bpf br_netfilter >/dev/null 2>&1
PATH=$PATH:/usr/sbin:/sbin
export XDG_CONFIG_HOME=$scratch/config
mkdir -p "$XDG_CONFIG_HOME/sandbox/profiles/functions"

must() {
    "$SANDBOX" "$@" >"$scratch/output" 2>"$scratch/errors" || fault "$*: $(tr '\n' ' ' <"$scratch/errors")"
}

inside() {
    nsenter "--net=$SANDBOX_STATE/switches/lab/netns" "$@"
}

# The port of the application in the switch.
port_of() {
    inside ip -o link | sed -n "s/^[0-9]*: \(p[0-9]*\)@.*alias.*$1.*/\1/p" | head -n 1
}

# What filters of tc are at the ports of the switch.
filters() {
    local link
    for link in $(inside ip -o link | sed -n 's/^[0-9]*: \([pfg][0-9]*\)@.*/\1/p'); do
        inside tc filter show dev "$link" ingress
        inside tc filter show dev "$link" egress
    done
}

pings() {
    "$SANDBOX" exec client -- ping -n -c "${2:-3}" -i 0.05 -W 2 "$1" >/dev/null 2>&1
}

start() {
    must switch create lab --subnet 10.82.0.0/24
    must run -d -n server --unshare net --switch lab --address 10.82.0.7/24 -- sleep 900
    must run -d -n client --unshare net --switch lab --address 10.82.0.9/24 -- sleep 900
}

finish() {
    "$SANDBOX" rm -f client server >/dev/null 2>&1
    must switch delete lab
}

lacks_tcx() {
    # What a kernel that has it would show.
    pings 10.82.0.7 || fault "the ports do not reach each other"
    must chain insert client bridge
    matches "the filters" "$(filters)" "*sandbox_steer direct-action*"
    pings 10.82.0.7 || fault "nothing passes the function"
    must chain show client --json
    python3 - "$scratch/output" <<'PY' || fault "the counters: $(tr '\n' ' ' <"$scratch/output")"
import json, sys
hop = json.load(open(sys.argv[1]))["interfaces"][0]["chain"][0]
sys.exit(not all(hop[way][end]["packets"] >= 3 for way in ("toSwitch", "toApplication") for end in ("in", "out")))
PY
    must chain remove client bridge
    [ -z "$(filters)" ] || fault "left: $(filters)"
    pings 10.82.0.7 || fault "the ports do not reach each other any more"
}

hitless() {
    "$SANDBOX" exec client -- ping -n -q -i 0.01 10.82.0.7 >"$scratch/flood" 2>&1 &
    local flood=$!
    sleep 1
    local _
    for _ in 1 2 3; do
        must chain insert client bridge
        must chain replace client bridge bridge
        must chain insert client capture --at 1
        must chain move client capture 2
        must chain remove client bridge
        must chain remove client capture
    done
    pkill -INT -P "$flood" ping || kill -INT "$flood"
    wait "$flood"
    matches "the flood" "$(cat "$scratch/flood")" "* 0% packet loss*"
    grep transmitted "$scratch/flood"
}

fails() {
    local policy=$1 expected=$2
    cat >"$XDG_CONFIG_HOME/sandbox/profiles/functions/$policy.toml" <<TOML
[function]
placement = "sandbox"
fail = "$policy"
TOML
    must chain insert client "$policy"
    pings 10.82.0.7 || fault "nothing passes the function"
    kill -KILL "$("$SANDBOX" ps --json | python3 -c \
        'import json, sys; print([s["pid"] for s in json.load(sys.stdin) if s["name"] == sys.argv[1]][0])' \
        "client.$policy")"
    local told=
    for _ in $(seq 50); do
        "$SANDBOX" events --no-follow 2>/dev/null | grep -q "client.$policy chain-failed" && told=1 && break
        sleep 0.1
    done
    [ -n "$told" ] || fault "no event chain-failed"
    pings 10.82.0.7 2
    [ $? = "$expected" ] || fault "fail = $policy: ping ended with another status than $expected"
    must chain remove client "$policy"
    pings 10.82.0.7 || fault "the ports do not reach each other any more"
}

closes() { fails closed 1; }
opens() { fails open 0; }

rates() {
    must run -d -n slow --unshare net --switch lab --address 10.82.0.11/24 \
        --set 'network.rate={ egress = "50mbit", ingress = "50mbit" }' --chain bridge -- sleep 900
    "$SANDBOX" exec slow -- ping -n -c 3 -i 0.05 -W 2 10.82.0.7 >/dev/null 2>&1 || fault "nothing passes"
    "$SANDBOX" rm -f slow >/dev/null 2>&1
}

proxy() {
    cat >"$XDG_CONFIG_HOME/sandbox/profiles/functions/relay.toml" <<'TOML'
[function]
placement = "proxy"
classifier = "tcp dport 80"
drain = "100ms"
[process]
command = ["python3", "-c", '''
import socket
s = socket.create_server(("", 80))
while True:
    c, _ = s.accept()
    c.sendall(("for " + c.getsockname()[0]).encode())
    c.close()
''']
TOML
    must chain insert client relay
    local said
    said=$("$SANDBOX" exec client -- python3 -c \
        'import socket; print(socket.create_connection(("10.82.0.7", 80), 20).makefile().read())' 2>&1)
    [ "$said" = "for 10.82.0.7" ] || fault "the proxy: ${said//$'\n'/ | }"
    pings 10.82.0.7 || fault "what is none of the proxy's does not pass"
    must chain remove client relay
}

translation() {
    must run -d -n two --unshare net --switch lab --address 10.82.0.21/24 --address 10.82.0.22/24 \
        --chain 'nat?from=10.82.0.21&to=10.82.0.22' -- sleep 900
    local said
    "$SANDBOX" exec server -- timeout 60 python3 -c '
import socket
s = socket.create_server(("", 81)); c, who = s.accept(); c.sendall(who[0].encode()); c.close()' >/dev/null 2>&1 &
    sleep 3
    said=$("$SANDBOX" exec two -- python3 -c \
        'import socket; print(socket.create_connection(("10.82.0.7", 81), 20).makefile().read())' 2>&1)
    [ "$said" = 10.82.0.22 ] || fault "taken for ${said//$'\n'/ | }"
    "$SANDBOX" rm -f two >/dev/null 2>&1
}

if ! command -v nft >/dev/null; then
    skip_case "functions that are boxes" "nft is missing"
    exit
fi
start
test_case "a box in the way passes all by filters of tc, and leaves none" lacks_tcx
test_case "no ping is lost while boxes are put in, replaced, moved and taken out" hitless
test_case "traffic stops when a function ends" closes
test_case "traffic goes past a function that ends with fail = open" opens
test_case "a port with a rate of its own has a chain" rates
test_case "a proxy takes what begins" proxy
test_case "addresses are translated" translation
test_case "nothing is left" finish
