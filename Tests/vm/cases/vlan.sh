#!/bin/bash
# VLANs on a switch: access ports and a trunk port.
# shellcheck source-path=SCRIPTDIR/.. source=case.bash
. "$1/case.bash"

modprobe -a bridge veth 8021q nf_tables >/dev/null 2>&1
PATH=$PATH:/usr/sbin:/sbin

port() {
    local name=$1 address=$2
    shift 2
    "$SANDBOX" run -d -n "$name" --unshare net --switch lab --address "$address" "$@" -- sleep 600 \
        >"$scratch/output" 2>"$scratch/errors" || fault "$name: $(cat "$scratch/errors")"
}

pings() {
    "$SANDBOX" exec "$1" -- ping -c 2 -W 5 "$2" >/dev/null 2>&1
}

access_and_trunk() {
    "$SANDBOX" switch create lab --subnet 10.81.0.0/24 --vlan-filtering 2>"$scratch/errors" ||
        { fault "$(cat "$scratch/errors")"; return; }
    port red1 10.81.0.11/24 --set network.vlan=10
    port red2 10.81.0.12/24 --set network.vlan=10
    port blue 10.81.0.13/24 --set network.vlan=20
    port both 10.81.0.14/24 --set 'network.trunk=[10,20]' --set 'network.spoofing="allow"'
    holds "two access ports of one VLAN" pings red1 10.81.0.12
    pings red1 10.81.0.13 && fault "an access port of another VLAN is reached"
    # The trunk's station tells them apart by their tags.
    for vlan in 10 20; do
        "$SANDBOX" exec both -- sh -c "ip link add link eth0 name v$vlan type vlan id $vlan &&
            ip address add 10.81.0.1$((vlan / 10 + 4))/32 dev v$vlan && ip link set v$vlan up" >/dev/null 2>"$scratch/errors" ||
            fault "VLAN $vlan in the box: $(cat "$scratch/errors")"
    done
    "$SANDBOX" exec both -- sh -c 'ip address flush dev eth0; ip route add 10.81.0.11 dev v10; ip route add 10.81.0.13 dev v20'
    holds "the trunk reaches VLAN 10" pings both 10.81.0.11
    holds "the trunk reaches VLAN 20" pings both 10.81.0.13
    "$SANDBOX" rm -f red1 red2 blue both >/dev/null 2>&1
    "$SANDBOX" switch delete lab || fault "the switch cannot be deleted"
}

if command -v nft >/dev/null; then
    test_case "access ports and a trunk port of VLANs" access_and_trunk
else
    skip_case "access ports and a trunk port of VLANs" "nft is missing"
fi
