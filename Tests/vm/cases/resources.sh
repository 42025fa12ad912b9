#!/bin/bash
# The limits of [resources] through control groups version 2, as root, without systemd.
# shellcheck source-path=SCRIPTDIR/.. source=case.bash
. "$1/case.bash"

# Touches 96 MiB in one process.
hungry=(dd if=/dev/zero of=/dev/null bs=96M count=1)
# shellcheck disable=SC2016
forking='i=0; while [ $i -lt 6 ]; do sleep 0.2 & i=$((i + 1)); done; wait'

memory_kills() {
    run 137 --unshare pid,mount --set resources.memory=48M --set resources.memory-swap=0 -- "${hungry[@]}"
    run 0 --unshare pid,mount --set resources.memory=256M -- "${hungry[@]}"
}

memory_kills_in_place() {
    run 137 --unshare none --set resources.memory=48M --set resources.memory-swap=0 -- "${hungry[@]}"
    run 0 --unshare none --set resources.memory=256M -- "${hungry[@]}"
}

memory_files() {
    run 0 --unshare none --set resources.memory=64M --set resources.memory-high=32M --set resources.memory-swap=8M -- \
        sh -c "$(own_file memory.max); $(own_file memory.high); $(own_file memory.swap.max)"
    holds "memory files hold: $output" [ "$output" = $'67108864\n33554432\n8388608' ]
}

pids_stop_forks() {
    run 2 --unshare none --set resources.pids=3 -- sh -c "$forking"
    matches "fork is refused" "$errors" "*ork*"
    run 0 --unshare none --set resources.pids=50 -- sh -c "$forking"
}

cpu_is_written() {
    run 0 --unshare none --set resources.cpu=0.5 --set resources.cpu-weight=50 -- \
        sh -c "$(own_file cpu.max); $(own_file cpu.weight)"
    holds "cpu.max and cpu.weight hold: $output" [ "$output" = $'50000 100000\n50' ]
}

cpuset_holds() {
    local allowed=(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
    run 0 --unshare none --set resources.cpuset='"1"' -- "${allowed[@]}"
    holds "only CPU 1: $output" [ "$output" = 1 ]
    run 0 --unshare none -- "${allowed[@]}"
    holds "without it both: $output" [ "$output" = 0-1 ]
}

cpuset_of_absent_cpus() {
    run 125 --unshare none --set resources.cpuset='"0,7"' -- touch "$started"
    refused "$started" resources.cpuset cpuset.cpus
    nothing_left
}

io_weight() {
    run 0 --unshare none --set resources.io-weight=200 -- sh -c "$(own_file io.weight)"
    holds "io.weight holds: $output" [ "$output" = "default 200" ]
}

# A group handed to a user without the io controller, as an administrator would.
delegate() {
    local group=$cgroup/delegated
    nothing_left
    mkdir -p "$group"
    echo "+memory +pids -io" >$cgroup/cgroup.subtree_control
    chown 1000 "$group" "$group"/cgroup.{procs,subtree_control,threads}
    as=(sh -c "echo \$\$ >$group/cgroup.procs; exec setpriv --reuid 1000 --regid 1000 --clear-groups \"\$@\"" sh)
}

undelegate() {
    as=()
    find $cgroup/delegated -mindepth 1 -depth -type d -exec rmdir {} +
    rmdir $cgroup/delegated || fault "the delegated group stays"
}

io_weight_without_controller() {
    delegate
    run 125 --unshare none --set resources.io-weight=200 -- touch "$started"
    as=()
    refused "$started" resources.io-weight "io controller" delegated
    rmdir $cgroup/delegated || fault "something is left in the delegated group"
}

user_in_a_delegated_group() {
    delegate
    run 0 --unshare none --set resources.memory=64M --set resources.pids=20 -- \
        sh -c "$(own_file memory.max); $(own_file pids.max); sed -n s/^0:://p /proc/self/cgroup"
    matches "both limits hold" "$output" $'67108864\n20\n/delegated/sandbox/*'
    undelegate
    # A group that hands out controllers takes no processes any more: a fresh one.
    delegate
    run 137 --unshare none --set resources.memory=48M --set resources.memory-swap=0 -- "${hungry[@]}"
    undelegate
}

user_without_a_group() {
    as=(setpriv --reuid 1000 --regid 1000 --clear-groups)
    run 125 --unshare none --set resources.memory=64M -- touch "$started"
    as=()
    refused "$started" resources.memory systemd-run
    nothing_left
}

occupied_group() {
    delegate
    sh -c "echo \$\$ >$cgroup/delegated/cgroup.procs; exec sleep 100" &
    local sleeper=$!
    until grep -q delegated /proc/$sleeper/cgroup; do sleep 0.05; done
    run 125 --unshare none --set resources.memory=64M -- touch "$started"
    refused "$started" resources.memory "$sleeper" systemd-run
    # This one the kernel would hand down, to groups that then take no processes.
    run 125 --unshare none --set resources.pids=20 -- touch "$started"
    as=()
    refused "$started" resources.pids "$sleeper" systemd-run
    kill $sleeper
    wait $sleeper 2>/dev/null
    rmdir $cgroup/delegated || fault "something is left in the delegated group"
}

# A shell command that prints the path of the group it runs in, and which of these files it has.
own_leaf() {
    # shellcheck disable=SC2016
    printf 'g=$(sed -n s/^0:://p /proc/self/cgroup); echo "$g"; cd "%s$g" && for f in %s; do if [ -e "$f" ]; then echo "$f"; fi; done' \
        "$cgroup" "$*"
}

served='cgroup.freeze cgroup.kill memory.peak memory.reclaim cpu.max cpuset.cpus pids.current io.stat'

name_is_enough() {
    run 0 --unshare none -n web -- sh -c "$(own_leaf $served)"
    matches "a leaf with all controllers" "$output" "/sandbox/web-*
cgroup.freeze
cgroup.kill
memory.peak
memory.reclaim
cpu.max
cpuset.cpus
pids.current
io.stat"
    local leaf=${output%%$'\n'*}
    run 0 --unshare pid,mount --set resources.pids=20 -- true
    holds "what others run leaves it alone" [ -d "$cgroup$leaf" ]
    run 0 --unshare pid,mount -n web -- sh -c "$(own_leaf memory.current)"
    matches "an own leaf in a pid namespace" "$output" $'/sandbox/web-*\nmemory.current'
    holds "both leaves are gone: $(leftovers)" [ -z "$(leftovers)" ]
}

no_name_no_group() {
    run 0 --unshare none -- sed -n s/^0:://p /proc/self/cgroup
    holds "no leaf: $output" [ "$output" = / ]
}

name_of_a_user() {
    local own=(env SANDBOX_STATE="$scratch/state-of-user")
    as=(setpriv --reuid 1000 --regid 1000 --clear-groups "${own[@]}")
    run 0 --unshare none -n mine -- sed -n s/^0:://p /proc/self/cgroup
    holds "without a group: $output" [ "$output" = / ]
    as=()
    delegate
    as+=("${own[@]}")
    run 0 --unshare user,pid,mount -n mine -- sh -c "$(own_leaf cgroup.freeze memory.current pids.current io.stat)"
    matches "a leaf with what was delegated" "$output" \
        $'/delegated/sandbox/mine-*\ncgroup.freeze\nmemory.current\npids.current'
    undelegate
}

name_in_an_occupied_group() {
    delegate
    sh -c "echo \$\$ >$cgroup/delegated/cgroup.procs; exec sleep 100" &
    local sleeper=$!
    until grep -q delegated /proc/$sleeper/cgroup; do sleep 0.05; done
    as+=(env SANDBOX_STATE="$scratch/state-of-user")
    run 0 --unshare user,pid,mount -n mine -- sh -c "$(own_leaf cgroup.freeze cpu.stat memory.current)"
    as=()
    matches "a leaf without controllers" "$output" $'/delegated/sandbox/mine-*\ncgroup.freeze\ncpu.stat'
    kill $sleeper
    wait $sleeper 2>/dev/null
    rmdir $cgroup/delegated || fault "something is left in the delegated group"
}

name_in_a_read_only_tree() {
    as=(unshare -m sh -c "mount -o remount,ro,bind $cgroup && exec \"\$@\"" sh)
    run 0 --unshare none -n still -- sed -n s/^0:://p /proc/self/cgroup
    as=()
    holds "without a group: $output" [ "$output" = / ]
}

read_only_tree() {
    as=(unshare -m sh -c "mount -o remount,ro,bind $cgroup && exec \"\$@\"" sh)
    run 125 --unshare none --set resources.pids=20 -- touch "$started"
    as=()
    refused "$started" resources.pids "read-only"
}

groups_go() {
    run 0 --unshare none --set resources.pids=20 -- true
    holds "the group of an application run in place waits for the next command" [ -n "$(leftovers)" ]
    nothing_left
}

test_case memory-kills memory_kills
test_case memory-kills-in-place memory_kills_in_place
test_case memory-files memory_files
test_case pids-stop-forks pids_stop_forks
test_case cpu-is-written cpu_is_written
test_case cpuset-holds cpuset_holds
test_case groups-go groups_go
test_case cpuset-of-absent-cpus cpuset_of_absent_cpus
test_case io-weight io_weight
test_case io-weight-without-controller io_weight_without_controller
test_case user-in-a-delegated-group user_in_a_delegated_group
test_case user-without-a-group user_without_a_group
test_case occupied-group occupied_group
test_case read-only-tree read_only_tree
test_case name-is-enough name_is_enough
test_case no-name-no-group no_name_no_group
test_case name-of-a-user name_of_a_user
test_case name-in-an-occupied-group name_in_an_occupied_group
test_case name-in-a-read-only-tree name_in_a_read_only_tree
test_case nothing-left-at-the-end nothing_left
