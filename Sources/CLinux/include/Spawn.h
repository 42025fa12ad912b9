// Starting the command from process 1 of a box without copying that process: the child borrows its memory until it
// executes (clone(2), CLONE_VM and CLONE_VFORK), as posix_spawn(3) does. Only C that touches nothing but its own stack
// may run in between.
#ifndef SPAWN_H
#define SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/types.h>

struct linux_spawn {
    const char *path;
    char *const *arguments, *const *environment;
    /// The signal mask that the command begins with.
    sigset_t mask;
    /// `struct sock_filter` after `struct sock_filter`, or NULL.
    const void *filter;
    unsigned short filter_count;
    /// Whether the command becomes the foreground job of the terminal on descriptor 0.
    bool foreground;
    /// What become descriptors 0, 1, … of the command, which gets no other; NULL: it inherits the caller's.
    const int *streams;
    int stream_count;
    /// Whether the command begins a session of its own, without a terminal.
    bool session;
    /// Whether the command becomes the caller's sibling, its parent's child (CLONE_PARENT): that parent waits for it,
    /// after a failure too.
    bool sibling;
    /// Sent to the command when its parent ends, whose id in the command's pid namespace is `parent`; 0 for none.
    int death_signal;
    pid_t parent;
    /// What failed, 0 for nothing, and its errno(3) value.
    int failed, code;
};

enum { LINUX_SPAWN_FILTER = 1, LINUX_SPAWN_EXECUTE = 2 };

/// Returns when the command executes or has failed to: its process id, or -1 with errno. A child that failed is gone.
pid_t linux_spawn(struct linux_spawn *spawn);

/// Its clone(2) with the flags, for who must know whether a filter lets it pass.
enum { LINUX_SPAWN_CLONE = SYS_clone };
unsigned long linux_spawn_flags(const struct linux_spawn *spawn);
/// What the caller, its parts in Swift and the command's process call from the start of the command on, by number, -1
/// behind the last; with `stays`, what linux_init_stay takes too.
int linux_spawn_call(unsigned index, bool stays);

#endif
