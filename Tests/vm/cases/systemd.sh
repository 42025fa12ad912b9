#!/bin/bash
# The limits of [resources] where systemd is pid 1: it is asked for a transient scope.
# shellcheck source-path=SCRIPTDIR/.. source=case.bash
. "$1/case.bash"

hungry=(dd if=/dev/zero of=/dev/null bs=96M count=1)
where='sed -n s/^0:://p /proc/self/cgroup'

no_scopes() {
    # systemd forgets a scope some moments after its last process has ended.
    for _ in $(seq 50); do
        [ -z "$(leftovers)" ] && return
        sleep 0.2
    done
    fault "left: $(leftovers)"
}

scope_of_the_system() {
    run 0 --unshare none -n web --set resources.memory=64M --set resources.cpuset='"1"' -- \
        sh -c "$(own_file memory.max); $(own_file cpuset.cpus); $where"
    matches "limits in a scope" "$output" $'67108864\n1\n/system.slice/sandbox-web-*.scope/sandbox/web-*'
    no_scopes
}

name_is_enough() {
    run 0 --unshare none -n web -- sh -c "$where; $(own_file memory.max); $(own_file pids.current)"
    matches "a leaf in a scope, with controllers" "$output" $'/system.slice/sandbox-web-*.scope/sandbox/web-*\nmax\n*'
    run 0 --unshare pid,mount -n web -- sh -c "$where"
    matches "a leaf in a scope" "$output" '/system.slice/sandbox-web-*.scope/sandbox/web-*'
    no_scopes
}

memory_kills() {
    run 137 --unshare none --set resources.memory=48M --set resources.memory-swap=0 -- "${hungry[@]}"
    run 137 --unshare pid,mount --set resources.memory=48M --set resources.memory-swap=0 -- "${hungry[@]}"
    run 0 --unshare pid,mount --set resources.memory=256M -- "${hungry[@]}"
    no_scopes
}

impossible_limit() {
    run 125 --unshare none --set resources.cpuset='"0,7"' -- touch "$started"
    refused "$started" resources.cpuset
    no_scopes
}

scope_of_a_user() {
    as=(setpriv --reuid "$uid" --regid "$uid" --clear-groups env XDG_RUNTIME_DIR="/run/user/$uid")
    run 0 --unshare none --set resources.memory=64M -- sh -c "$(own_file memory.max); $where"
    matches "limits in a scope of the user" "$output" \
        $'67108864\n'"/user.slice/user-$uid.slice/user@$uid.service/*.scope/sandbox/@-*"
    run 137 --unshare none --set resources.memory=48M --set resources.memory-swap=0 -- "${hungry[@]}"
    run 125 --unshare none --set resources.cpuset='"1"' -- touch "$started"
    refused "$started" resources.cpuset Delegate
    as=()
    no_scopes
}

name_of_a_user() {
    local own=(env SANDBOX_STATE="$scratch/state-of-user")
    as=(setpriv --reuid "$uid" --regid "$uid" --clear-groups "${own[@]}" XDG_RUNTIME_DIR="/run/user/$uid")
    run 0 --unshare none -n mine -- sh -c "$where"
    matches "a leaf in a scope of the user" "$output" \
        "/user.slice/user-$uid.slice/user@$uid.service/*sandbox-mine-*.scope/sandbox/mine-*"
    as=(setpriv --reuid 1234 --regid 1234 --clear-groups env -u XDG_RUNTIME_DIR SANDBOX_STATE="$scratch/state-of-1234")
    run 0 --unshare none -n mine -- true
    as=()
    no_scopes
}

user_without_a_manager() {
    as=(setpriv --reuid 1234 --regid 1234 --clear-groups env -u XDG_RUNTIME_DIR)
    run 125 --unshare none --set resources.memory=64M -- touch "$started"
    refused "$started" resources.memory enable-linger
    as=()
}

test_case scope-of-the-system scope_of_the_system
test_case name-is-enough-for-a-scope name_is_enough
test_case memory-kills-in-a-scope memory_kills
test_case impossible-limit-in-a-scope impossible_limit
test_case user-without-a-manager user_without_a_manager
uid=2345
groupadd -g $uid boxer && useradd -u $uid -g $uid -m boxer
if systemctl start "user@$uid.service" && [ -S "/run/user/$uid/bus" ]; then
    test_case scope-of-a-user scope_of_a_user
    test_case name-of-a-user-for-a-scope name_of_a_user
    systemctl stop "user@$uid.service"
else
    skip_case scope-of-a-user "no user manager starts here"
fi
