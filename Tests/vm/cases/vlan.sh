#!/bin/bash
# VLANs on a switch: access ports and a trunk port.
# shellcheck source-path=SCRIPTDIR/.. source=case.bash
. "$1/case.bash"

modprobe -a bridge veth 8021q vxlan nf_tables >/dev/null 2>&1
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

# A network beyond the switch, with a DHCP server in VLAN 1, which is untagged, and in VLANs 10 and 20.
outside() {
    ip netns add lan
    ip link add u0 type veth peer name u1 netns lan
    # A router out there is none for this host.
    echo 1 >/proc/sys/net/ipv6/conf/u0/disable_ipv6
    ip link set u0 up
    ip -n lan link set u1 up
    local vlan link servers=()
    for vlan in 1 10 20; do
        link=u1
        if [ "$vlan" != 1 ]; then
            link=u1.$vlan
            ip -n lan link add link u1 name "$link" type vlan id "$vlan" && ip -n lan link set "$link" up
        fi
        ip -n lan address add "10.82.$vlan.1/24" dev "$link"
        ip -n lan address add "fd82:$vlan::1/64" dev "$link" nodad
        servers+=("--dhcp-range=10.82.$vlan.100,10.82.$vlan.199" "--dhcp-range=fd82:$vlan::100,fd82:$vlan::1ff,64")
    done
    ip netns exec lan dnsmasq --keep-in-foreground --port=0 --bind-dynamic --enable-ra --user=root \
        --leasefile-ro --conf-file=/dev/null --pid-file= "${servers[@]}" >"$scratch/dnsmasq" 2>&1 &
    server=$!
}

# The addresses of a box whose port is as these options say.
asked() {
    # shellcheck disable=SC2016
    "$SANDBOX" run --unshare net --switch office "$@" -- \
        sh -c 'ip -o address show dev eth0 scope global; ping -c 1 -W 5 "$(ip route | sed -n "s/^default via \([0-9.]*\).*/\1/p")"' 2>&1
}

dynamic() {
    outside
    "$SANDBOX" switch create office --subnet none --uplink u0 --vlan-filtering 2>"$scratch/errors" ||
        { fault "$(cat "$scratch/errors")"; return; }
    matches "without a VLAN" "$(asked --address dhcp)" "*10.82.1.1[0-9][0-9]/24*1 received*"
    matches "an access port" "$(asked --address dhcp --set network.vlan=10)" "*10.82.10.1[0-9][0-9]/24*1 received*"
    matches "another VLAN" "$(asked --address dhcp,dhcp6 --set network.vlan=20)" \
        "*10.82.20.1[0-9][0-9]/24*fd82:20::1*1 received*"
    matches "a trunk with a VLAN of its own" \
        "$(asked --address dhcp --set network.vlan=10 --set 'network.trunk=[20]')" "*10.82.10.1[0-9][0-9]/24*1 received*"
    matches "a trunk alone" "$(asked --address dhcp --set 'network.trunk=[10,20]')" "*network.address*trunk alone*"
    "$SANDBOX" switch delete office || fault "the switch cannot be deleted"
    kill "$server"
    wait "$server" 2>/dev/null
    ip netns delete lan
}

# `sandbox` on one of two hosts that a wire joins.
on() {
    local host=$1
    shift
    SANDBOX_STATE=/run/state-$host nsenter --net="/run/netns/$host" "$SANDBOX" "$@"
}

spanning() {
    local number
    for number in 1 2; do
        ip netns add h$number
        mkdir -m 700 /run/state-h$number
    done
    ip link add w1 netns h1 type veth peer name w2 netns h2
    for number in 1 2; do
        ip -n h$number address add 10.83.0.$number/24 dev w$number
        ip -n h$number link set w$number up
        on h$number switch create wide --subnet 10.83.1.25$number/24 --vlan-filtering --vxlan 83 \
            --peer 10.83.0.$((3 - number)) 2>"$scratch/errors" || fault "$(cat "$scratch/errors")"
    done
    while read -r host name address vlan; do
        on "$host" run -d -n "$name" --unshare net --switch wide --address "$address/24" --set "network.vlan=$vlan" -- \
            sleep 600 >/dev/null 2>"$scratch/errors" || fault "$name: $(cat "$scratch/errors")"
    done <<<"h1 red1 10.83.1.11 10
h2 red2 10.83.1.12 10
h2 blue 10.83.1.13 20"
    holds "a VLAN's port at the other host" on h1 exec red1 -- ping -c 2 -W 5 10.83.1.12 >/dev/null 2>&1
    on h1 exec red1 -- ping -c 2 -W 2 10.83.1.13 >/dev/null 2>&1 && fault "another VLAN's port at the other host is reached"
    on h1 rm -f red1 >/dev/null 2>&1
    on h2 rm -f red2 blue >/dev/null 2>&1
    for number in 1 2; do
        on h$number switch delete wide || fault "the switch cannot be deleted"
        ip netns delete h$number
    done
}

# A trunk's own addresses are held in its VLANs, too.
guarded_trunk() {
    "$SANDBOX" switch create lab --subnet 10.81.0.0/24 --vlan-filtering 2>"$scratch/errors" ||
        { fault "$(cat "$scratch/errors")"; return; }
    port red 10.81.0.11/24 --set network.vlan=10
    port both 10.81.0.14/24 --set 'network.trunk=[10]'
    "$SANDBOX" exec both -- sh -c "ip link add link eth0 name v10 type vlan id 10 && ip address flush dev eth0 &&
        ip address add 10.81.0.14/24 dev v10 && ip link set v10 up" >"$scratch/output" 2>&1 ||
        fault "VLAN 10 in the box: $(cat "$scratch/output")"
    holds "the trunk's own address" pings both 10.81.0.11
    "$SANDBOX" exec both -- sh -c "ip address flush dev v10 && ip address add 10.81.0.99/24 dev v10"
    pings both 10.81.0.11 && fault "a trunk sends from another's address"
    "$SANDBOX" rm -f red both >/dev/null 2>&1
    "$SANDBOX" switch delete lab || fault "the switch cannot be deleted"
}

if command -v nft >/dev/null; then
    test_case "access ports and a trunk port of VLANs" access_and_trunk
    test_case "a trunk port sends from its own address alone" guarded_trunk
    test_case "VLANs of a switch of two hosts" spanning
else
    skip_case "access ports and a trunk port of VLANs" "nft is missing"
    skip_case "a trunk port sends from its own address alone" "nft is missing"
    skip_case "VLANs of a switch of two hosts" "nft is missing"
fi
if command -v nft >/dev/null && command -v dnsmasq >/dev/null; then
    test_case "addresses by DHCP in VLANs" dynamic
else
    skip_case "addresses by DHCP in VLANs" "nft or dnsmasq is missing"
fi
