// Asks the kernel, from within a box, what is possible there. Each question prints one line per answer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int say(const char *what, long result) {
    printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
    fflush(stdout);
    return result < 0;
}

struct call { const char *name; long number; };
static const struct call calls[] = {
    {"open_tree", SYS_open_tree}, {"move_mount", SYS_move_mount}, {"fsopen", SYS_fsopen},
    {"fsconfig", SYS_fsconfig}, {"fsmount", SYS_fsmount}, {"fspick", SYS_fspick},
    {"mount_setattr", SYS_mount_setattr}, {"clone3", SYS_clone3}, {"mount", SYS_mount}, {"umount2", SYS_umount2},
    {"keyctl", SYS_keyctl}, {"add_key", SYS_add_key}, {"reboot", SYS_reboot}, {"swapon", SYS_swapon},
    {"init_module", SYS_init_module}, {"ptrace", SYS_ptrace}, {"personality", SYS_personality},
    {"sethostname", SYS_sethostname}, {"getpid", SYS_getpid}, {"getppid", SYS_getppid}, {"chroot", SYS_chroot},
    {"pivot_root", SYS_pivot_root}, {"setns", SYS_setns}, {"bpf", SYS_bpf}, {"clock_settime", SYS_clock_settime},
};

// System calls with arguments that no kernel accepts: the errno tells who refused.
static int ask_calls(int count, char **names) {
    for (int i = 0; i < count; i++) {
        long number = -1;
        for (size_t j = 0; j < sizeof calls / sizeof *calls; j++)
            if (!strcmp(names[i], calls[j].name)) number = calls[j].number;
        if (number < 0) { fprintf(stderr, "no call %s\n", names[i]); return 2; }
        say(names[i], syscall(number, -1L, -1L, -1L, -1L, -1L, -1L));
    }
    return 0;
}

static int child_of(long pid, const char *name) {
    if (pid == 0) _exit(0);
    int failed = say(name, pid);
    if (pid > 0) waitpid((pid_t)pid, NULL, __WALL);
    return failed;
}

static int ask_userns(void) {
    child_of(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), "clone");
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    child_of(syscall(SYS_clone3, &args, sizeof args), "clone3");
    pid_t pid = fork();
    if (pid == 0) _exit(say("unshare", syscall(SYS_unshare, CLONE_NEWUSER)));
    waitpid(pid, NULL, 0);
#ifdef __x86_64__
    // The i386 table by the old gate, and the x32 table by its bit; 310 is unshare of i386.
    pid = fork();
    if (pid == 0) {
        long result;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(310), "b"(CLONE_NEWUSER) : "memory");
        if (result < 0) { errno = (int)-result; result = -1; }
        _exit(say("unshare-i386", result));
    }
    waitpid(pid, NULL, 0);
    pid = fork();
    if (pid == 0) _exit(say("unshare-x32", syscall(SYS_unshare | 0x40000000, CLONE_NEWUSER)));
    waitpid(pid, NULL, 0);
#endif
    return 0;
}

static void ask_namespace(const char *name, int flag) {
    pid_t pid = fork();
    if (pid == 0) _exit(say(name, syscall(SYS_unshare, flag)));
    waitpid(pid, NULL, 0);
}

// What CRIU cannot save, asked for as a program would.
static int ask_unsavable(void) {
    char parameters[120] = {0};
    say("io_uring", syscall(425 /* io_uring_setup */, 4, parameters));
    say("memfd_secret", syscall(447, 0));
    say("userfaultfd", syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */));
    say("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    say("bpf", syscall(SYS_bpf, -1, NULL, 0));
    say("mq_open", syscall(SYS_mq_open, "sandbox-probe", O_RDONLY, 0, NULL));
    say("vsock", socket(40 /* AF_VSOCK */, SOCK_STREAM, 0));
    say("mptcp", socket(AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */));
    say("tcp", socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    ask_namespace("user", CLONE_NEWUSER);
    ask_namespace("pid", CLONE_NEWPID);
    ask_namespace("ipc", CLONE_NEWIPC);
    ask_namespace("uts", CLONE_NEWUTS);
    ask_namespace("cgroup", CLONE_NEWCGROUP);
    ask_namespace("time", 0x80);
    ask_namespace("mount", CLONE_NEWNS);
    ask_namespace("net", CLONE_NEWNET);
    return 0;
}

static int show_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) return say("opendir", -1);
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        char target[4096];
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir)) continue;
        ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
        printf("%s %.*s\n", entry->d_name, (int)(length < 0 ? 0 : length), target);
    }
    return 0;
}

// Without /proc: which of the numbers 0 to 1023 are open.
static int show_open(void) {
    for (int i = 0; i < 1024; i++) if (fcntl(i, F_GETFD) >= 0) printf("%d\n", i);
    return 0;
}

static int use_memory(long megabytes) {
    for (long i = 0; i < megabytes; i++) {
        char *block = malloc(1 << 20);
        if (!block) return say("malloc", -1);
        memset(block, 1, 1 << 20);
    }
    return say("memory", 0);
}

static int make_processes(int wanted) {
    pid_t *made = calloc(wanted, sizeof *made);
    int count = 0;
    while (count < wanted) {
        pid_t pid = fork();
        if (pid < 0) break;
        if (pid == 0) { pause(); _exit(0); }
        made[count++] = pid;
    }
    printf("%d %s\n", count, count == wanted ? "ok" : strerrorname_np(errno));
    fflush(stdout);
    for (int i = 0; i < count; i++) kill(made[i], SIGKILL);
    while (wait(NULL) > 0) {}
    return count < wanted;
}

static int abstract_socket(const char *name, int listening) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
    strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (!listening) return say("connect", connect(fd, (struct sockaddr *)&address, size));
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 8)) return say("listen", -1);
    say("listen", 0);
    pause();
    return 0;
}

static int tcp(const char *what, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int binding = !strcmp(what, "bind");
    return say(what, binding ? bind(fd, (struct sockaddr *)&address, sizeof address)
                             : connect(fd, (struct sockaddr *)&address, sizeof address));
}

static int show_clocks(void) {
    struct timespec monotonic, boottime;
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    clock_gettime(CLOCK_BOOTTIME, &boottime);
    printf("%ld %ld\n", (long)monotonic.tv_sec, (long)boottime.tv_sec);
    return 0;
}

// Executes a command with a new session keyring that holds a key.
static int with_key(char **command) {
    if (syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL) < 0) return say("keyring", -1);
    if (syscall(SYS_add_key, "user", "sandbox-test", "secret", 6L, -3L /* KEY_SPEC_SESSION_KEYRING */) < 0)
        return say("key", -1);
    execvp(command[0], command);
    return say("exec", -1);
}

static int find_key(void) {
    return say("key", syscall(SYS_keyctl, 10 /* KEYCTL_SEARCH */, -3L, "user", "sandbox-test", 0L));
}

// Executes a command for which the listed system calls do not exist, as on an older kernel.
static int without(char *list, char **command) {
    struct sock_filter filter[64];
    unsigned short n = 0;
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (char *name = strtok(list, ","); name && n < 60; name = strtok(NULL, ",")) {
        filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(name), 0, 1);
        filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    }
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = n, .filter = filter};
    if (geteuid() != 0) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return say("seccomp", -1);
    execvp(command[0], command);
    return say("exec", -1);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "calls")) return ask_calls(argc - 2, argv + 2);
    if (!strcmp(what, "userns")) return ask_userns();
    if (!strcmp(what, "unsavable")) return ask_unsavable();
    if (!strcmp(what, "descriptors")) return show_descriptors();
    if (!strcmp(what, "open")) return show_open();
    if (!strcmp(what, "clocks")) return show_clocks();
    if (!strcmp(what, "memory") && argc > 2) return use_memory(atol(argv[2]));
    if (!strcmp(what, "processes") && argc > 2) return make_processes(atoi(argv[2]));
    if (!strcmp(what, "abstract-connect") && argc > 2) return abstract_socket(argv[2], 0);
    if (!strcmp(what, "abstract-listen") && argc > 2) return abstract_socket(argv[2], 1);
    if ((!strcmp(what, "bind") || !strcmp(what, "connect")) && argc > 2) return tcp(what, atoi(argv[2]));
    if (!strcmp(what, "kill") && argc > 2) return say("kill", kill(atoi(argv[2]), 0));
    if (!strcmp(what, "write") && argc > 2) return say("write", open(argv[2], O_WRONLY));
    if (!strcmp(what, "with-key") && argc > 2) return with_key(argv + 2);
    if (!strcmp(what, "find-key")) return find_key();
    if (!strcmp(what, "without") && argc > 3) return without(argv[2], argv + 3);
    fprintf(stderr, "probe: no question %s\n", what);
    return 2;
}
