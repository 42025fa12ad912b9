// A relay at work, for the loops of Resident.c.
#ifndef RELAY_STATE_H
#define RELAY_STATE_H

#include "Calls.h"

#pragma GCC visibility push(hidden)

struct viewer {
    int socket;
    /// LINUX_RELAY_VIEW or LINUX_RELAY_ATTACH, 0 before it has said which.
    char role;
    /// Whether it has missed output.
    bool is_behind;
    /// Whether it is gone, with input that was not read yet.
    bool is_gone;
};

struct relay_state {
    struct linux_relay *relay;
    /// Where output comes from.
    int source;
    /// Whether a connection could not be taken for want of descriptors or memory.
    bool is_deaf;
    struct viewer viewers[LINUX_RELAY_VIEWERS];
    /// When the last mark was set, in milliseconds since the epoch; bytes of marks, and of output.
    uint64_t marked, mark_bytes, logged;
    /// Input that the terminal has not taken yet.
    unsigned first, end;
    char input[LINUX_RELAY_INPUT];
};

enum { RELAY_WAITS = 3 + LINUX_RELAY_VIEWERS };

/// `relay` may be NULL: nothing is done then.
void relay_begin(struct relay_state *state, struct linux_relay *relay);
/// Fills RELAY_WAITS entries for ppoll(2). Returns how long to wait at most, NULL for without end.
const struct timespec *relay_watch(struct relay_state *state, struct pollfd *waits, struct timespec *limit);
/// Does what can be done without waiting.
void relay_answer(struct relay_state *state, const struct pollfd *waits);
/// Passes on the last output and tells the viewers that the command has ended.
void relay_finish(struct relay_state *state, int status);

#pragma GCC visibility pop

#endif
