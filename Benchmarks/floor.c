// The floor: the system calls that a launch needs, in a row, with nothing around them. No options are read, no profile,
// no name is looked up, no string is built; the filter is compiled beforehand. What a launcher takes beyond this is its
// own doing.
//
//   floor none COMMAND ARG...        no_new_privs, exec
//   floor net+mount COMMAND ARG...   net (loopback up) and mount namespaces, no_new_privs, exec in place
//   floor full COMMAND ARG...        user, mount, pid, net, ipc and uts namespaces; the host's root read-only; private
//                                    /tmp, /var/tmp, /dev, /proc; no capabilities; no_new_privs; a filter of 40 rules;
//                                    a pid 1 that reaps
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h"

int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);

extern char **environ;

static void die(const char *what) {
    dprintf(2, "floor: %s: %s\n", what, strerror(errno));
    _exit(125);
}
#define TRY(call) ({ long result_ = (long)(call); if (result_ < 0) die(#call); result_; })

static void loopback_up(void) {
    struct { struct nlmsghdr header; struct ifinfomsg link; } request = {
        .header = {sizeof request, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
        .link = {.ifi_family = AF_UNSPEC, .ifi_index = 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP},
    };
    struct { struct nlmsghdr header; struct nlmsgerr error; char rest[256]; } answer;
    int socket_ = TRY(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    TRY(send(socket_, &request, sizeof request, 0));
    TRY(recv(socket_, &answer, sizeof answer, 0));
    if (answer.header.nlmsg_type == NLMSG_ERROR && answer.error.error) {
        errno = -answer.error.error;
        die("loopback");
    }
    close(socket_);
}

static void write_file(const char *path, const char *text, size_t size) {
    int file = TRY(open(path, O_WRONLY | O_CLOEXEC));
    TRY(write(file, text, size));
    close(file);
}

static int file_system(const char *type, const char *key, const char *value, unsigned attributes) {
    int context = TRY(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
    if (key) TRY(syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0));
    TRY(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
    int mount_ = TRY(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
    close(context);
    return mount_;
}

static int clone_tree(int directory, const char *path, unsigned flags) {
    return TRY(syscall(SYS_open_tree, directory, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags));
}

static void attach(int mount_, int directory, const char *path) {
    TRY(syscall(SYS_move_mount, mount_, "", directory, path, MOVE_MOUNT_F_EMPTY_PATH));
}

static void fresh_dev(int root) {
    static const char *nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
    char path[32];
    int dev = file_system("tmpfs", "mode", "0755", MOUNT_ATTR_NOSUID);
    attach(dev, root, "dev");
    for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        snprintf(path, sizeof path, "/dev/%s", nodes[i]);
        int node = clone_tree(AT_FDCWD, path, 0);
        close(TRY(openat(dev, nodes[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0644)));
        attach(node, dev, nodes[i]);
        close(node);
    }
    TRY(symlinkat("/proc/self/fd", dev, "fd"));
    TRY(symlinkat("/proc/self/fd/0", dev, "stdin"));
    TRY(symlinkat("/proc/self/fd/1", dev, "stdout"));
    TRY(symlinkat("/proc/self/fd/2", dev, "stderr"));
    TRY(symlinkat("pts/ptmx", dev, "ptmx"));
    TRY(mkdirat(dev, "shm", 01777));
    TRY(mkdirat(dev, "pts", 0755));
    int pts = file_system("devpts", "ptmxmode", "0666", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    attach(pts, dev, "pts");
    close(pts);
    close(dev);
}

static void fresh_root(void) {
    struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    int root = clone_tree(AT_FDCWD, "/", AT_RECURSIVE);
    TRY(syscall(SYS_mount_setattr, root, "", AT_EMPTY_PATH | AT_RECURSIVE, &read_only, sizeof read_only));
    attach(root, AT_FDCWD, "/tmp");
    fresh_dev(root);
    for (int i = 0; i < 2; i++) {
        int tmp = file_system("tmpfs", "mode", "1777", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        attach(tmp, root, i ? "var/tmp" : "tmp");
        close(tmp);
    }
    int proc = file_system("proc", NULL, NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    attach(proc, root, "proc");
    close(proc);
    TRY(fchdir(root));
    TRY(syscall(SYS_pivot_root, ".", "."));
    TRY(umount2(".", 2 /* MNT_DETACH */));
    TRY(chdir("/"));
    close(root);
}

static void confine(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    for (int i = 0; prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0; i++) {}
    TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    TRY(syscall(SYS_capset, &header, none));
    TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    TRY(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

static int wait_for(pid_t child) {
    int status;
    TRY(waitpid(child, &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void become(char **command) {
    TRY(syscall(SYS_close_range, 3, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */));
    execve(command[0], command, environ);
    die(command[0]);
}

static int full(char **command) {
    char map[64];
    struct clone_args arguments = {
        .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
        .exit_signal = SIGCHLD,
    };
    unsigned uid = geteuid(), gid = getegid();
    pid_t init = TRY(syscall(SYS_clone3, &arguments, sizeof arguments));
    if (init) return wait_for(init);

    write_file("/proc/self/setgroups", "deny", 4);
    write_file("/proc/self/uid_map", map, (size_t)snprintf(map, sizeof map, "%u %u 1", uid, uid));
    write_file("/proc/self/gid_map", map, (size_t)snprintf(map, sizeof map, "%u %u 1", gid, gid));
    loopback_up();
    fresh_root();
    pid_t application = TRY(fork());
    if (application == 0) {
        confine();
        become(command);
    }
    for (;;) {
        int status;
        pid_t ended = TRY(waitpid(-1, &status, 0));
        if (ended == application) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

int main(int argc, char **argv) {
    if (argc < 3) return 125;
    if (strcmp(argv[1], "full") == 0) _exit(full(argv + 2));
    if (strcmp(argv[1], "net+mount") == 0) {
        TRY(unshare(CLONE_NEWNET | CLONE_NEWNS));
        TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        loopback_up();
    } else if (strcmp(argv[1], "none") != 0) {
        return 125;
    }
    TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    become(argv + 2);
}
