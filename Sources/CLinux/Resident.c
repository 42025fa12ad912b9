// The part of a launcher that outlives the launch. A static Swift executable keeps megabytes mapped; what waits for a
// command needs a page of code and a page of stack. So the process unmaps the rest of itself, without an exec, and goes
// on in the section `resident`. That is why this is C: the code must run without the C library, Swift's runtime,
// static data and thread-local storage. Functions in the section make their system calls themselves, have no constants
// that need memory, and are not optimized, lest the compiler put in calls of memcpy(3), jump tables or vector constants.
#include "RelayState.h"

#include <sys/auxv.h>
#include <sys/rseq.h>

extern char __start_resident[] __attribute__((visibility("hidden")));
extern char __stop_resident[] __attribute__((visibility("hidden")));

INLINE void send_signal(pid_t pid, int signal) { call(SYS_kill, pid, signal, 0, 0, 0, 0); }
INLINE pid_t reap(pid_t pid, int *status) {
    return (pid_t)call(SYS_wait4, pid, (long)status, WNOHANG | WUNTRACED, 0, 0, 0);
}
_Noreturn INLINE void leave(int status) {
    for (;;) call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}
INLINE int exit_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

// ---- Memory

/// Pages to give back, and the top of the stack that is still needed.
struct ballast {
    uintptr_t page;
    struct { uintptr_t start, end; } parts[4];
};

/// Unmaps the ballast and the unused part of the stack.
RESIDENT static void drop(struct ballast *ballast) {
    // The next page may hold what the calls below push.
    uintptr_t stack = ((uintptr_t)__builtin_frame_address(0) & -ballast->page) - ballast->page;
    for (unsigned i = 0; i < ARRAY_COUNT(ballast->parts); i++) {
        uintptr_t start = ballast->parts[i].start, end = ballast->parts[i].end;
        if (end == UINTPTR_MAX) end = stack;
        if (start < end) call(SYS_munmap, start, end - start, 0, 0, 0, 0);
    }
}

/// Whether the kernel has let go of the C library's restartable sequences (rseq(2)), which it else writes to: in
/// thread-local storage, about to be unmapped. Registered with 32 bytes, or with what the kernel asks for if more.
static bool unregister_rseq(void) {
    if (__rseq_size == 0) return true;
    unsigned long signature =
#if defined __x86_64__
        0x53053053;
#else
        0xd428bc00;
#endif
    char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
    unsigned long align = getauxval(28 /* AT_RSEQ_ALIGN */), size = getauxval(27 /* AT_RSEQ_FEATURE_SIZE */);
    if (align > 0) size = (size + align - 1) / align * align;
    return syscall(SYS_rseq, area, 32, 1 /* RSEQ_FLAG_UNREGISTER */, signature) == 0 ||
           syscall(SYS_rseq, area, size, 1, signature) == 0;
}

/// All but the section, the vDSO (shared by all processes, and sealed on some kernels), the stack of the caller, which
/// ends below `stack`, and the command line and environment, which ps(1) reads.
static void weigh(struct ballast *ballast, uintptr_t stack) {
    *ballast = (struct ballast){.page = (uintptr_t)sysconf(_SC_PAGESIZE)};
    if (!unregister_rseq()) return;
    uintptr_t mask = -ballast->page, words = (uintptr_t)program_invocation_name & mask;
    uintptr_t code = (uintptr_t)__start_resident & mask, rest = ((uintptr_t)__stop_resident + ~mask) & mask;
    uintptr_t vdso = getauxval(AT_SYSINFO_EHDR), before = vdso - 8 * ballast->page, after = vdso + 4 * ballast->page;
    stack = (stack + ~mask) & mask;
    ballast->parts[0].end = code;
    ballast->parts[1].start = rest;
    ballast->parts[1].end = UINTPTR_MAX;
    if (vdso > rest && vdso < stack) {
        ballast->parts[1].end = before;
        ballast->parts[2].start = after;
        ballast->parts[2].end = UINTPTR_MAX;
    }
    // Frames of functions that are never returned to.
    ballast->parts[3].start = stack;
    ballast->parts[3].end = words;
}

// ---- Terminal

/// One direction between the caller's terminal and the box's.
struct passage {
    int from, to;
    unsigned first, end;
    char last;
    char bytes[4096];
};

RESIDENT static void open_passage(struct passage *passage, int from, int to) {
    passage->from = from;
    passage->to = to;
    passage->first = passage->end = 0;
    passage->last = '\n';
}

/// One read or one write, whichever is due.
RESIDENT static void pass(struct passage *passage) {
    long count;
    if (passage->first < passage->end) {
        count = write_some(passage->to, passage->bytes + passage->first, passage->end - passage->first);
        if (count == -EINTR || count == -EAGAIN) return;
        // Where nobody takes it, it is lost, as it would be for the command.
        passage->first = count > 0 ? passage->first + (unsigned)count : passage->end;
        return;
    }
    count = read_some(passage->from, passage->bytes, sizeof passage->bytes);
    if (count == -EINTR || count == -EAGAIN) return;
    passage->first = 0;
    passage->end = count > 0 ? (unsigned)count : 0;
    if (count > 0) passage->last = passage->bytes[count - 1];
    if (count > 0) return;
    // The end of a file or pipe is what a person would type for it: EOT, twice where a line is not complete. From the
    // box it is EIO: nobody has the terminal open any more.
    passage->from = -1;
    if (passage->to == STDOUT_FILENO) return;
    passage->bytes[0] = passage->bytes[1] = 4;
    passage->end = passage->last == '\n' ? 1 : 2;
}

RESIDENT static void watch_passage(struct pollfd *waits, const struct passage *passage) {
    bool full = passage->first < passage->end;
    watch(&waits[0], full ? -1 : passage->from, POLLIN);
    watch(&waits[1], full ? passage->to : -1, POLLOUT);
}

/// Passes on what the box last wrote.
RESIDENT static void drain(struct passage *passage) {
    struct timespec now;
    now.tv_sec = now.tv_nsec = 0;
    for (;;) {
        struct pollfd waits[2];
        watch_passage(waits, passage);
        await(waits, 2, waits[1].fd >= 0 ? NULL : &now);
        if (waits[1].revents == 0 && !(waits[0].revents & POLLIN)) return;
        pass(passage);
    }
}

// TCGETS2 and TCSETSW2 of the header that cannot be included.
#define GET_MODES _IOR('T', 0x2a, struct linux_terminal_modes)
#define SET_MODES _IOW('T', 0x2c, struct linux_terminal_modes)

RESIDENT static void resize(const struct linux_waiter *waiter) {
    struct winsize size;
    size.ws_row = size.ws_col = 0;
    int terminal = waiter->has_modes ? STDIN_FILENO : STDOUT_FILENO;
    if (control(terminal, TIOCGWINSZ, &size) == 0) control(waiter->controller, TIOCSWINSZ, &size);
}

RESIDENT static void resume(const struct linux_waiter *waiter) {
    if (waiter->controller < 0) return;
    if (waiter->has_modes) control(STDIN_FILENO, SET_MODES, &waiter->raw);
    resize(waiter);
}

RESIDENT void linux_waiter_give_terminal(const struct linux_waiter *waiter) {
    if (waiter->has_modes) control(STDIN_FILENO, SET_MODES, &waiter->modes);
}

void linux_waiter_take_terminal(struct linux_waiter *waiter, int controller) {
    waiter->controller = controller;
    (void)fcntl(controller, F_SETFL, O_RDWR | O_NONBLOCK);
    waiter->has_modes = ioctl(STDIN_FILENO, GET_MODES, &waiter->modes) == 0;
    // cfmakeraw(3)
    waiter->raw = waiter->modes;
    waiter->raw.input &= ~(uint32_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    waiter->raw.output &= ~(uint32_t)OPOST;
    waiter->raw.local &= ~(uint32_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    waiter->raw.control = (waiter->raw.control & ~(uint32_t)(CSIZE | PARENB)) | CS8;
    waiter->raw.characters[VMIN] = 1;
    waiter->raw.characters[VTIME] = 0;
    resume(waiter);
}

// ---- Waiter

RESIDENT void linux_waiter_stop(const struct linux_waiter *waiter) {
    linux_waiter_give_terminal(waiter);
    send_signal((pid_t)call(SYS_getpid, 0, 0, 0, 0, 0, 0), SIGSTOP);
}

/// Answers the only report that comes once the command has begun (ReportChannel): it was stopped.
RESIDENT static void hear(struct linux_waiter *waiter) {
    char report[64];
    long count = read_some(waiter->reports, report, sizeof report);
    if (count == 0 || (count < 0 && count != -EINTR && count != -EAGAIN)) waiter->reports = -1;
    if (count >= 5 && report[0] == 1) linux_waiter_stop(waiter);
}

// ---- Errands

RESIDENT static int64_t monotonic(void) {
    struct timespec time;
    call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0, 0);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/// Starts one, unless the last is still under way.
RESIDENT static void send_messenger(struct linux_waiter *waiter) {
    char *none[1], empty[1];
    uint64_t signals = 0;
    none[0] = NULL;
    empty[0] = 0;
    if (waiter->messenger > 0) return;
    long pid = call(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
    // For want of memory or processes it is left out this time.
    if (pid != 0) waiter->messenger = pid > 0 ? (pid_t)pid : 0;
    if (pid != 0) return;
    call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&signals, 0, sizeof signals, 0, 0);
    // What is sent to the waiter's session is not for it.
    call(SYS_setsid, 0, 0, 0, 0, 0, 0);
    call(SYS_execveat, waiter->executable, (long)empty, (long)waiter->errand, (long)none, AT_EMPTY_PATH, 0);
    leave(127);
}

/// Does what is due. Returns how long to wait at most: `limit`, or until the next errand, which `own` holds then.
RESIDENT static const struct timespec *attend(struct linux_waiter *waiter, const struct timespec *limit,
                                              struct timespec *own) {
    if (waiter->period <= 0) return limit;
    int64_t now = monotonic();
    if (now >= waiter->due) {
        send_messenger(waiter);
        waiter->due = now + waiter->period;
    }
    own->tv_sec = (waiter->due - now) / 1000;
    own->tv_nsec = (waiter->due - now) % 1000 * 1000000;
    if (limit == NULL || own->tv_sec < limit->tv_sec) return own;
    return own->tv_sec == limit->tv_sec && own->tv_nsec < limit->tv_nsec ? own : limit;
}

/// The child's exit status when it has ended, else -1.
RESIDENT static int look(struct linux_waiter *waiter) {
    int status;
    if (waiter->messenger > 0) {
        pid_t ended = reap(waiter->messenger, &status);
        if (ended < 0 || (ended > 0 && !WIFSTOPPED(status))) waiter->messenger = 0;
    }
    if (waiter->companion > 0 && reap(waiter->companion, &status) > 0 && !WIFSTOPPED(status)) waiter->companion = 0;
    while (reap(waiter->child, &status) > 0) {
        if (!WIFSTOPPED(status)) return exit_status(status);
        linux_waiter_stop(waiter);
    }
    return -1;
}

/// The child's exit status when it has ended, else -1.
RESIDENT static int answer(struct linux_waiter *waiter, int signal, bool from_kernel) {
    if (signal == SIGCHLD) return look(waiter);
    if (signal == SIGCONT) resume(waiter);
    // A log that may not grow any more is no concern of the child.
    if (signal == SIGXFSZ && waiter->relays) return -1;
    bool resized = signal == SIGWINCH && waiter->controller >= 0;
    if (resized) resize(waiter);
    // What the terminal sent, it sent to the command too, unless a pseudo-terminal lies between.
    bool known = from_kernel && waiter->controller < 0 && signal != SIGCONT;
    if (!resized && !known) send_signal(waiter->child, signal);
    return -1;
}

RESIDENT int linux_waiter_wait(struct linux_waiter *waiter, bool begun) {
    struct passage in, out;
    struct relay_state relay;
    relay_begin(&relay, begun && waiter->relays ? &waiter->relay : NULL);
    open_passage(&in, begun && waiter->controller >= 0 ? STDIN_FILENO : -1, waiter->controller);
    open_passage(&out, begun ? waiter->controller : -1, STDOUT_FILENO);
    for (;;) {
        struct pollfd waits[7 + RELAY_WAITS];
        struct signalfd_siginfo info;
        struct timespec limit, own;
        watch(&waits[0], waiter->signals, POLLIN);
        watch(&waits[1], waiter->reports, POLLIN);
        // Its end alone (POLLHUP), not what is in it.
        watch(&waits[2], begun ? -1 : waiter->begin, 0);
        watch_passage(&waits[3], &in);
        watch_passage(&waits[5], &out);
        await(waits, ARRAY_COUNT(waits), attend(waiter, relay_watch(&relay, &waits[7], &limit), &own));
        relay_answer(&relay, &waits[7]);
        if (waits[5].revents != 0 || waits[6].revents != 0) pass(&out);
        if (waits[3].revents != 0 || waits[4].revents != 0) pass(&in);
        if (waits[1].revents != 0 && !begun) return LINUX_WAITER_REPORT;
        if (waits[2].revents != 0) return LINUX_WAITER_BEGUN;
        if (waits[1].revents != 0) hear(waiter);
        while (read_some(waiter->signals, &info, sizeof info) == sizeof info) {
            int status = answer(waiter, (int)info.ssi_signo, info.ssi_code == SI_KERNEL);
            if (status < 0) continue;
            drain(&out);
            relay_finish(&relay, status);
            return status;
        }
    }
}

/// What the waiter becomes in the end.
struct sequel {
    int executable;
    char **words;
    char *status, *complaint;
    size_t complaint_length;
};

_Noreturn RESIDENT static void stay(struct linux_waiter *waiter, struct ballast *ballast, struct sequel *sequel) {
    char *none[1];
    none[0] = NULL;
    drop(ballast);
    int status = linux_waiter_wait(waiter, true);
    linux_waiter_give_terminal(waiter);
    if (waiter->companion > 0) {
        // Another user's, seen from a user namespace, hears no signal.
        call(SYS_close, waiter->line, 0, 0, 0, 0, 0);
        send_signal(waiter->companion, SIGKILL);
        call(SYS_wait4, waiter->companion, 0, 0, 0, 0, 0);
    }
    if (sequel->executable < 0) leave(status);
    sequel->status[0] = (char)('0' + status / 100);
    sequel->status[1] = (char)('0' + status / 10 % 10);
    sequel->status[2] = (char)('0' + status % 10);
    sequel->status[3] = 0;
    call(SYS_execveat, sequel->executable, (long)&sequel->status[3], (long)sequel->words, (long)none, AT_EMPTY_PATH, 0);
    write_some(STDERR_FILENO, sequel->complaint, sequel->complaint_length);
    leave(125);
}

/// A copy of words on the stack of the caller, which does not return.
#define COPY_WORDS(copy, words) \
    do { \
        size_t count_ = 0; \
        while ((words)[count_]) count_++; \
        (copy) = __builtin_alloca((count_ + 1) * sizeof(char *)); \
        for (size_t i_ = 0; i_ < count_; i_++) { \
            (copy)[i_] = __builtin_alloca(strlen((words)[i_]) + 1); \
            strcpy((copy)[i_], (words)[i_]); \
        } \
        (copy)[count_] = NULL; \
    } while (0)

void linux_waiter_stay(const struct linux_waiter *waiter, int executable, char *const *words, int status,
                       const char *complaint) {
    struct linux_waiter own = *waiter;
    char **errand = NULL;
    if (own.period > 0) {
        COPY_WORDS(errand, own.errand);
        own.due = monotonic() + own.period;
    }
    own.errand = errand;
    own.executable = executable;
    struct ballast ballast;
    char number[4];
    struct sequel sequel = {executable, NULL, number, NULL, strlen(complaint)};
    COPY_WORDS(sequel.words, words);
    sequel.words[status] = number;
    sequel.complaint = __builtin_alloca(sequel.complaint_length + 1);
    strcpy(sequel.complaint, complaint);
    weigh(&ballast, (uintptr_t)__builtin_frame_address(0) + 2 * sizeof(void *));
    stay(&own, &ballast, &sequel);
}

// ---- Init

RESIDENT static void record(int file, int status) {
    char text[4];
    text[0] = (char)('0' + status / 100);
    text[1] = (char)('0' + status / 10 % 10);
    text[2] = (char)('0' + status % 10);
    text[3] = '\n';
    write_some(file, text, sizeof text);
}

/// Answers a signal that is not the end or stop of a child.
RESIDENT static void forward(const struct linux_init *init, int signal, bool from_kernel) {
    // A log that may not grow any more is no concern of the command.
    if (signal == SIGXFSZ && init->relays) return;
    // Of a terminal that is gone the kernel tells its session's leader alone.
    bool gone = init->owns_terminal && signal == SIGHUP;
    if (from_kernel && !gone) return;
    // A stopped job is continued, and hung up, as a whole.
    send_signal(gone || (init->owns_terminal && signal == SIGCONT) ? -init->command : init->command, signal);
}

/// Reaps all that have ended, and reports the command's stops.
RESIDENT static void reap_all(const struct linux_init *init, struct relay_state *relay) {
    int status;
    for (pid_t pid = reap(-1, &status); pid > 0; pid = reap(-1, &status)) {
        if (pid != init->command) continue;
        if (!WIFSTOPPED(status)) {
            if (init->record >= 0) record(init->record, exit_status(status));
            relay_finish(relay, exit_status(status));
            leave(exit_status(status));
        }
        char report[5];
        report[0] = 1;
        report[1] = (char)WSTOPSIG(status);
        report[2] = report[3] = report[4] = 0;
        // A waiter that is gone is no error, nor is one that does not listen: it is stopped itself.
        send_some(init->reports, report, sizeof report);
    }
}

_Noreturn RESIDENT static void live(struct linux_init *init, struct ballast *ballast, struct sock_fprog *filter) {
    struct relay_state relay;
    drop(ballast);
    // A second line behind PR_SET_DUMPABLE. A kernel without filters runs boxes too.
    call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)filter, 0, 0, 0);
    relay_begin(&relay, init->relays ? &init->relay : NULL);
    for (;;) {
        struct pollfd waits[1 + RELAY_WAITS];
        struct signalfd_siginfo info;
        struct timespec limit;
        watch(&waits[0], init->signals, POLLIN);
        await(waits, ARRAY_COUNT(waits), relay_watch(&relay, &waits[1], &limit));
        relay_answer(&relay, &waits[1]);
        while (read_some(init->signals, &info, sizeof info) == sizeof info) {
            if (info.ssi_signo == SIGCHLD) reap_all(init, &relay);
            else forward(init, (int)info.ssi_signo, info.ssi_code == SI_KERNEL);
        }
    }
}

// What init may still do. Without it, who traces this process has a process that the command's filter is not on.
#define ALLOW(name) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ALLOW_WITH(name, index, value) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[index])), \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
enum { FILTER_LENGTH = 64 };

/// Both architectures are little-endian: an argument's lower half comes first.
static unsigned short write_filter(struct sock_filter *program, const struct linux_relay *relay) {
    const struct sock_filter first[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(ppoll), ALLOW(read), ALLOW(write), ALLOW(wait4), ALLOW(kill), ALLOW(sendto), ALLOW(exit_group),
        ALLOW(rt_sigreturn), ALLOW(restart_syscall),
    };
    const struct sock_filter more[] = {
        ALLOW(close),
        ALLOW_WITH(clock_gettime, 0, CLOCK_REALTIME),
        ALLOW_WITH(ftruncate, 1, 0),
        ALLOW_WITH(ioctl, 1, TIOCSWINSZ),
        ALLOW_WITH(getsockopt, 2, SO_PEERCRED),
        ALLOW_WITH(accept4, 0, relay && relay->listener >= 0 ? (unsigned)relay->listener : UINT32_MAX),
    };
    _Static_assert(ARRAY_COUNT(first) + ARRAY_COUNT(more) < FILTER_LENGTH, "the filter's last instruction");
    unsigned short length = 0;
    for (size_t i = 0; i < ARRAY_COUNT(first); i++) program[length++] = first[i];
    for (size_t i = 0; relay && i < ARRAY_COUNT(more); i++) program[length++] = more[i];
    program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    return length;
}

void linux_init_stay(const struct linux_init *init) {
    prctl(PR_SET_NAME, "sandbox-init", 0, 0, 0);
    // The command has its own setting already; here it lets the filter in without a privilege.
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    struct linux_init own = *init;
    struct sock_filter program[FILTER_LENGTH];
    struct sock_fprog filter = {write_filter(program, own.relays ? &own.relay : NULL), program};
    struct ballast ballast;
    weigh(&ballast, (uintptr_t)__builtin_frame_address(0) + 2 * sizeof(void *));
    live(&own, &ballast, &filter);
}
