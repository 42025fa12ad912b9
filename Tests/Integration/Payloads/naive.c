// What a careless launcher does: the negative controls of cases for which `sandbox` has no key to switch a protection
// off.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what) {
    fprintf(stderr, "naive: %s: %s\n", what, strerror(errno));
    return 125;
}

// Enters a root directory, then a working directory by a name that may lead out of it.
static int enter(const char *root, const char *directory, char **command) {
    if (chroot(root) || chdir(directory)) return fail(directory);
    execv(command[0], command);
    return fail(command[0]);
}

// The same, chosen before the new root: what was open stays open.
static int enter_first(const char *root, const char *directory, char **command) {
    if (chdir(directory) || chroot(root)) return fail(directory);
    execv(command[0], command);
    return fail(command[0]);
}

// Writes what it takes for a file of procfs, after the root was changed.
static int adjust(const char *root, const char *file, const char *text) {
    if (chroot(root) || chdir("/")) return fail(root);
    int fd = open(file, O_WRONLY);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) return fail(file);
    return 0;
}

// Mounts by path, below a root, following whatever is there.
static int cover(const char *source, const char *target, char **command) {
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return fail("unshare");
    if (mount(source, target, NULL, MS_BIND, NULL)) return fail(target);
    execvp(command[0], command);
    return fail(command[0]);
}

// Makes a directory and a file under it, and mounts on them, by path.
static int populate(const char *directory) {
    char file[4096];
    mkdir(directory, 0755);
    snprintf(file, sizeof file, "%s/file", directory);
    int fd = open(file, O_WRONLY | O_CREAT, 0644);
    if (fd >= 0) close(fd);
    return fd < 0;
}

// Waits for its child and holds its own executable for all to see.
static int supervise(char **command) {
    pid_t pid = fork();
    if (pid == 0) { execvp(command[0], command); _exit(127); }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Enters a process's mount and pid namespaces, and takes its time before it executes the command; without capabilities
// where it is to be `harmless`, but open to all of the same user.
static int join(const char *pid, char **command, int harmless) {
    char path[64];
    const char *kinds[] = {"mnt", "pid"};
    int fds[2];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, kinds[i]);
        fds[i] = open(path, O_RDONLY);
    }
    for (int i = 1; i >= 0; i--) if (setns(fds[i], 0)) return fail(kinds[i]);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {0};
    if (harmless && syscall(SYS_capset, &header, none)) return fail("capset");
    pid_t child = fork();
    if (child == 0) { usleep(300000); execvp(command[0], command); _exit(127); }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Keeps privileges and stays readable for others of the same user: waits until it is told to end.
static int linger(void) {
    printf("lingering\n");
    fflush(stdout);
    pause();
    return 0;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "enter") && argc > 4) return enter(argv[2], argv[3], argv + 4);
    if (!strcmp(what, "enter-first") && argc > 4) return enter_first(argv[2], argv[3], argv + 4);
    if (!strcmp(what, "adjust") && argc > 4) return adjust(argv[2], argv[3], argv[4]);
    if (!strcmp(what, "cover") && argc > 4) return cover(argv[2], argv[3], argv + 4);
    if (!strcmp(what, "populate") && argc > 2) return populate(argv[2]);
    if (!strcmp(what, "supervise") && argc > 2) return supervise(argv + 2);
    if (!strcmp(what, "join") && argc > 3) return join(argv[2], argv + 3, 0);
    if (!strcmp(what, "join-harmless") && argc > 3) return join(argv[2], argv + 3, 1);
    if (!strcmp(what, "linger")) return linger();
    fprintf(stderr, "naive: no way %s\n", what);
    return 2;
}
