// What stays beside a box while its command runs: the waiter in the caller's place and the box's init, as loops that
// need nothing but their own code and a little stack (Resident.c). Descriptors are -1 where there is none.
#ifndef RESIDENT_H
#define RESIDENT_H

#include "Relay.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// A call through a table would leave the section.
#pragma GCC visibility push(hidden)

/// `struct termios2` (ioctl_tty(2)), whose header cannot be included beside the C library's own.
struct linux_terminal_modes {
    uint32_t input, output, control, local;
    uint8_t line, characters[19];
    uint32_t input_speed, output_speed;
};

struct linux_waiter {
    /// Process 1 of the box, or the command itself.
    pid_t child;
    /// Another child, which ends with that one, 0 for none, and a pipe to it whose end it takes for its own.
    pid_t companion;
    int line;
    /// A signalfd(2) that does not block.
    int signals;
    /// The waiter's end of the report channel.
    int reports;
    /// A pipe that is at its end once the command has begun.
    int begin;
    /// The controlling side of the box's pseudo-terminal.
    int controller;
    /// Whether descriptor 0 is a terminal, whose own modes and raw ones these are.
    bool has_modes;
    struct linux_terminal_modes modes, raw;
    /// Whether something is to be done with the command's output, and what.
    bool relays;
    struct linux_relay relay;
    /// Milliseconds between errands once the waiter stays; 0 for none.
    int64_t period;
    /// The words of an errand, for the executable that the waiter becomes in the end.
    char *const *errand;
    /// The waiter's own: that executable, when the next errand is due (CLOCK_MONOTONIC, milliseconds), and the process
    /// of the last one while it runs.
    int executable;
    int64_t due;
    pid_t messenger;
};

/// What ended a wait, where it is no exit status.
enum { LINUX_WAITER_REPORT = -1, LINUX_WAITER_BEGUN = -2 };

/// Takes descriptor 0's terminal over for the box's pseudo-terminal `controller`: raw modes, the same window size.
void linux_waiter_take_terminal(struct linux_waiter *waiter, int controller);
/// Gives the caller's terminal the modes back that it had.
void linux_waiter_give_terminal(const struct linux_waiter *waiter);
/// Stops as the command has, for the caller's shell to see.
void linux_waiter_stop(const struct linux_waiter *waiter);

/// Waits for the child's end: its exit status, 128 + N for signal N. Signals are passed on meanwhile.
///
/// Before the command has `begun` it comes back earlier: LINUX_WAITER_REPORT when a report can be received,
/// LINUX_WAITER_BEGUN at the end of `begin`. From then on it answers reports itself and serves the terminal.
int linux_waiter_wait(struct linux_waiter *waiter, bool begun);

/// Waits as above with all memory given back but some pages, and ends with the command's status.
///
/// With an `executable` it ends as that instead (execveat(2)), with `words` and no environment, the status in place of
/// the word number `status`; where that fails, with the line `complaint` on standard error and status 125. Errands are
/// processes of the executable too, one at a time, which nobody waits for.
_Noreturn void linux_waiter_stay(const struct linux_waiter *waiter, int executable, char *const *words, int status,
                                 const char *complaint);

/// Process 1 of a box, or the leader of its terminal's session. What is not used is -1.
struct linux_init {
    pid_t command;
    /// A signalfd(2) that does not block.
    int signals;
    /// The box's end of the report channel.
    int reports;
    /// Gets the command's exit status, three digits and a line feed, before this process ends: for a detached box, whose
    /// launcher is gone by then.
    int record;
    /// Whether the command leads the foreground job of a session that this process leads.
    bool owns_terminal;
    /// Whether something is to be done with the command's output and terminal, and what.
    bool relays;
    struct linux_relay relay;
};

/// Reaps, passes signals on to the command, reports its stops, and ends as it ends, with all memory given back but some
/// pages and no system call left but those that this takes.
_Noreturn void linux_init_stay(const struct linux_init *init);

#pragma GCC visibility pop

#endif
