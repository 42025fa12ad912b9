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
    if (spawn->session) setsid();
    if (spawn->streams) {
        // Each comes from behind all of these numbers, so that none is overwritten before its turn.
        for (int i = 0; i < spawn->stream_count; i++) dup2(spawn->streams[i], i);
        linux_close_range((unsigned)spawn->stream_count, ~0u, 0);
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

unsigned long linux_spawn_flags(const struct linux_spawn *spawn) {
    return CLONE_VM | CLONE_VFORK | (spawn->sibling ? CLONE_PARENT : 0) | SIGCHLD;
}

int linux_spawn_call(unsigned index, bool stays) {
    static const int calls[] = {
        SYS_prctl, SYS_getppid, SYS_rt_sigprocmask, SYS_execve, SYS_exit, SYS_exit_group, SYS_wait4, SYS_sendmsg,
        SYS_mmap, SYS_munmap, SYS_mremap, SYS_brk, SYS_madvise, SYS_futex,
    };
    static const int more[] = {
        SYS_setpgid, SYS_getpid, SYS_ioctl, SYS_close_range, SYS_seccomp, SYS_ppoll, SYS_read, SYS_write, SYS_kill,
        SYS_sendto, SYS_rt_sigreturn, SYS_restart_syscall, SYS_rseq,
    };
    unsigned count = sizeof calls / sizeof *calls;
    if (index < count) return calls[index];
    if (stays && index - count < sizeof more / sizeof *more) return more[index - count];
    return -1;
}

pid_t linux_spawn(struct linux_spawn *spawn) {
    // The parent waits meanwhile, so its stack is free to lend.
    _Alignas(16) char stack[32768];
    spawn->failed = 0;
    pid_t pid = clone(run, stack + sizeof stack, (int)linux_spawn_flags(spawn), spawn);
    if (pid > 0 && spawn->failed && !spawn->sibling) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    return pid;
}
