#include "CLinux.h"

#include <sched.h>

static int fail(struct linux_spawn *spawn, int failed) {
    spawn->failed = failed;
    spawn->code = errno;
    _exit(125);
}

static int run(void *argument) {
    struct linux_spawn *spawn = argument;
    if (spawn->death_signal) {
        prctl(PR_SET_PDEATHSIG, spawn->death_signal, 0, 0, 0);
        if (getppid() != spawn->parent) _exit(128 + spawn->death_signal);
    }
    if (spawn->foreground) {
        setpgid(0, 0);
        // In the background still, it would be stopped for this; the mask is set just below.
        sigset_t blocked;
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGTTOU);
        sigprocmask(SIG_BLOCK, &blocked, NULL);
        tcsetpgrp(0, getpid());
    }
    sigprocmask(SIG_SETMASK, &spawn->mask, NULL);
    if (spawn->filter) {
        struct sock_fprog program = {spawn->filter_count, (struct sock_filter *)spawn->filter};
        if (linux_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) < 0) return fail(spawn, LINUX_SPAWN_FILTER);
    }
    execve(spawn->path, spawn->arguments, spawn->environment);
    return fail(spawn, LINUX_SPAWN_EXECUTE);
}

pid_t linux_spawn(struct linux_spawn *spawn) {
    // The parent waits meanwhile, so its stack is free to lend.
    _Alignas(16) char stack[32768];
    spawn->failed = 0;
    int parent = spawn->sibling ? CLONE_PARENT : 0;
    pid_t pid = clone(run, stack + sizeof stack, CLONE_VM | CLONE_VFORK | parent | SIGCHLD, spawn);
    if (pid > 0 && spawn->failed && !spawn->sibling) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    return pid;
}
