// The part of a resident process that keeps a command's output and serves viewers of its terminal (Resident.c has the
// rules for code in this section). It never waits for a file, the terminal or a viewer: a viewer that takes too little
// is told later where to read on in the log.
#include "RelayState.h"

// ---- Marks

RESIDENT static unsigned put_number(char *text, unsigned length, uint64_t number) {
    char digits[20];
    unsigned count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) text[length++] = digits[--count];
    return length;
}

/// Whether a mark is due: a second after the last one, or when the clock was set back; but beyond some 2000 marks they
/// may not grow faster than a sixteenth of the output.
RESIDENT static bool is_due(const struct relay_state *state, uint64_t now) {
    if (now - state->marked < 1000) return false;
    return state->mark_bytes <= 65536 + state->logged / 16;
}

RESIDENT static void mark(struct relay_state *state, bool is_new_turn) {
    struct timespec time;
    char line[64];
    if (state->relay->marks < 0) return;
    call(SYS_clock_gettime, CLOCK_REALTIME, (long)&time, 0, 0, 0, 0);
    uint64_t now = (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
    if (!is_new_turn && !is_due(state, now)) return;
    unsigned length = put_number(line, 0, now);
    line[length++] = ' ';
    length = put_number(line, length, state->relay->turn);
    line[length++] = ' ';
    length = put_number(line, length, state->relay->offset);
    line[length++] = '\n';
    write_some(state->relay->marks, line, length);
    state->marked = now;
    state->mark_bytes += length;
}

// ---- Viewers

RESIDENT static void dismiss(struct viewer *viewer) {
    if (viewer->socket >= 0) close_file(viewer->socket);
    viewer->socket = -1;
    viewer->role = 0;
    viewer->is_behind = viewer->is_gone = false;
}

/// Sends a viewer one message; one that cannot take it now is behind.
RESIDENT static void tell(struct viewer *viewer, void *message, size_t count) {
    long sent;
    do sent = send_some(viewer->socket, message, count);
    while (sent == -EINTR);
    if (sent == -EAGAIN || sent == -ENOBUFS || sent == -ENOMEM) viewer->is_behind = true;
    else if (sent < 0) dismiss(viewer);
}

RESIDENT static void tell_place(struct relay_state *state, struct viewer *viewer) {
    struct __attribute__((packed)) { char kind; uint64_t turn, offset; } message;
    message.kind = LINUX_RELAY_PLACE;
    message.turn = state->relay->turn;
    message.offset = state->relay->offset;
    viewer->is_behind = false;
    tell(viewer, &message, sizeof message);
}

/// Whether a viewer hears what goes on.
RESIDENT static bool listens(const struct viewer *viewer) {
    return viewer->socket >= 0 && viewer->role != 0 && !viewer->is_behind && !viewer->is_gone;
}

// ---- Output

/// Goes on in the other log.
RESIDENT static void turn(struct relay_state *state) {
    struct linux_relay *relay = state->relay;
    relay->turn++;
    relay->offset = 0;
    call(SYS_ftruncate, relay->logs[relay->turn & 1], 0, 0, 0, 0, 0);
    // Marks of what is forgotten go as well, if not at once.
    if ((relay->turn & 3) == 0 && relay->marks >= 0) {
        call(SYS_ftruncate, relay->marks, 0, 0, 0, 0, 0);
        state->mark_bytes = 0;
    }
    // Before there is anything in the log: who reads the other one learns from it that it is not to be trusted.
    mark(state, true);
    for (unsigned i = 0; i < LINUX_RELAY_VIEWERS; i++) {
        if (listens(&state->viewers[i])) tell_place(state, &state->viewers[i]);
    }
}

/// Writes output to the log. What does not go there (a full disk) is lost for it.
RESIDENT static void keep(struct relay_state *state, char *bytes, size_t count) {
    struct linux_relay *relay = state->relay;
    if (relay->limit > 0 && relay->offset > 0 && relay->offset + count > relay->limit) turn(state);
    mark(state, false);
    state->logged += count;
    size_t first = 0;
    while (first < count) {
        long written = write_some(relay->logs[relay->limit > 0 ? relay->turn & 1 : 0], bytes + first, count - first);
        if (written == -EINTR) continue;
        if (written <= 0) break;
        first += (size_t)written;
    }
    relay->offset += first;
}

/// Passes one piece of output on; false when there is none now.
RESIDENT static bool pass_on(struct relay_state *state) {
    char message[LINUX_RELAY_OUTPUT];
    size_t room = sizeof message - 1;
    if (state->source < 0) return false;
    if (state->relay->limit > 0 && state->relay->limit < room) room = state->relay->limit;
    long count = read_some(state->source, message + 1, room);
    if (count <= 0) {
        // The end of a pipe, or EIO: nobody has the terminal open any more.
        if (!is_early(count)) state->source = -1;
        return false;
    }
    keep(state, message + 1, (size_t)count);
    message[0] = LINUX_RELAY_DATA;
    for (unsigned i = 0; i < LINUX_RELAY_VIEWERS; i++) {
        if (listens(&state->viewers[i])) tell(&state->viewers[i], message, (size_t)count + 1);
    }
    return true;
}

// ---- Input

RESIDENT static bool has_input(const struct relay_state *state) { return state->first < state->end; }

RESIDENT static void type(struct relay_state *state) {
    if (!has_input(state)) return;
    long count = write_some(state->relay->controller, state->input + state->first, state->end - state->first);
    if (is_early(count)) return;
    // Where nobody takes it, it is lost, as on any terminal that was hung up.
    state->first = count > 0 ? state->first + (unsigned)count : state->end;
}

struct __attribute__((packed)) numbers {
    char kind;
    uint16_t rows, columns;
};

RESIDENT static void resize(const struct relay_state *state, const void *message, int fewer_rows) {
    const struct numbers *numbers = message;
    struct winsize size;
    if (numbers->rows <= fewer_rows || numbers->columns == 0) return;
    size.ws_row = (unsigned short)(numbers->rows - fewer_rows);
    size.ws_col = numbers->columns;
    size.ws_xpixel = size.ws_ypixel = 0;
    control(state->relay->controller, TIOCSWINSZ, &size);
}

/// Whether somebody else types; one who is gone makes way.
RESIDENT static bool is_busy(struct relay_state *state) {
    for (unsigned i = 0; i < LINUX_RELAY_VIEWERS; i++) {
        struct viewer *other = &state->viewers[i];
        if (other->socket < 0 || other->role != LINUX_RELAY_ATTACH) continue;
        if (!other->is_gone) return true;
        dismiss(other);
    }
    return false;
}

RESIDENT static void refuse(struct viewer *viewer, char reason) {
    char message[1];
    message[0] = reason;
    send_some(viewer->socket, message, 1);
    dismiss(viewer);
}

/// Hears a viewer's first message, or what one says who only looks on: nothing but its size.
RESIDENT static void hear_viewer(struct relay_state *state, struct viewer *viewer) {
    char message[8];
    long count = read_some(viewer->socket, message, sizeof message);
    if (is_early(count)) return;
    char kind = count == 5 ? message[0] : 0;
    if (viewer->role != 0) {
        if (kind != LINUX_RELAY_RESIZE) dismiss(viewer);
        return;
    }
    if (kind != LINUX_RELAY_VIEW && kind != LINUX_RELAY_ATTACH) return dismiss(viewer);
    if (kind == LINUX_RELAY_ATTACH) {
        if (is_busy(state)) return refuse(viewer, LINUX_RELAY_BUSY);
        // A change, so that a full-screen program draws itself anew (SIGWINCH).
        resize(state, message, 1);
        resize(state, message, 0);
    }
    viewer->role = kind;
    tell_place(state, viewer);
}

RESIDENT static void hear_typist(struct relay_state *state, struct viewer *viewer) {
    long count = read_some(viewer->socket, state->input, sizeof state->input);
    if (is_early(count)) return;
    if (count > 0 && state->input[0] == LINUX_RELAY_DATA) {
        state->first = 1;
        state->end = (unsigned)count;
        type(state);
    } else if (count == 5 && state->input[0] == LINUX_RELAY_RESIZE) {
        resize(state, state->input, 0);
    } else {
        dismiss(viewer);
    }
}

RESIDENT static void attend(struct relay_state *state, struct viewer *viewer, short events) {
    if (events == 0 || viewer->socket < 0) return;
    if (viewer->is_behind && (events & POLLOUT)) tell_place(state, viewer);
    if (viewer->role != LINUX_RELAY_ATTACH) {
        if (events & (POLLIN | POLLHUP | POLLERR)) hear_viewer(state, viewer);
    } else if (has_input(state)) {
        if (events & (POLLHUP | POLLERR)) viewer->is_gone = true;
    } else if (events & (POLLIN | POLLHUP | POLLERR)) {
        hear_typist(state, viewer);
    }
}

// ---- Connections

/// Whether a socket's other end is a process of the one who made the listener, or of root. Both as this process's user
/// namespace sees them.
RESIDENT static bool is_trusted(const struct relay_state *state, int socket) {
    struct ucred own, other;
    socklen_t size = sizeof own, other_size = sizeof other;
    if (call(SYS_getsockopt, state->relay->listener, SOL_SOCKET, SO_PEERCRED, (long)&own, (long)&size, 0) < 0) return false;
    if (call(SYS_getsockopt, socket, SOL_SOCKET, SO_PEERCRED, (long)&other, (long)&other_size, 0) < 0) return false;
    return other.uid == own.uid || other.uid == 0;
}

RESIDENT static void admit(struct relay_state *state) {
    struct viewer stranger;
    int socket = (int)call(SYS_accept4, state->relay->listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0);
    if (socket < 0) {
        state->is_deaf = !is_early(socket) && socket != -ECONNABORTED;
        return;
    }
    stranger.socket = socket;
    if (!is_trusted(state, socket)) return dismiss(&stranger);
    for (unsigned i = 0; i < LINUX_RELAY_VIEWERS; i++) {
        if (state->viewers[i].socket >= 0) continue;
        state->viewers[i].socket = socket;
        return;
    }
    refuse(&stranger, LINUX_RELAY_FULL);
}

// ---- The whole

RESIDENT void relay_begin(struct relay_state *state, struct linux_relay *relay) {
    state->relay = relay;
    state->source = -1;
    state->is_deaf = false;
    state->marked = state->mark_bytes = state->logged = 0;
    state->first = state->end = 0;
    for (unsigned i = 0; i < LINUX_RELAY_VIEWERS; i++) {
        state->viewers[i].socket = -1;
        dismiss(&state->viewers[i]);
    }
    if (relay) state->source = relay->controller >= 0 ? relay->controller : relay->output;
}

RESIDENT const struct timespec *relay_watch(struct relay_state *state, struct pollfd *waits, struct timespec *limit) {
    bool is_full = has_input(state), was_deaf = state->is_deaf;
    int controller = state->relay ? state->relay->controller : -1, listener = state->relay ? state->relay->listener : -1;
    watch(&waits[0], state->source, POLLIN);
    watch(&waits[1], is_full ? controller : -1, POLLOUT);
    watch(&waits[2], was_deaf ? -1 : listener, POLLIN);
    for (unsigned i = 0; i < LINUX_RELAY_VIEWERS; i++) {
        struct viewer *viewer = &state->viewers[i];
        bool is_held = is_full && viewer->role == LINUX_RELAY_ATTACH;
        short events = is_held ? 0 : POLLIN;
        if (viewer->is_behind) events |= POLLOUT;
        watch(&waits[3 + i], is_held && viewer->is_gone ? -1 : viewer->socket, events);
    }
    state->is_deaf = false;
    limit->tv_sec = 1;
    limit->tv_nsec = 0;
    return was_deaf ? limit : NULL;
}

RESIDENT void relay_answer(struct relay_state *state, const struct pollfd *waits) {
    for (unsigned i = 0; i < LINUX_RELAY_VIEWERS; i++) attend(state, &state->viewers[i], waits[3 + i].revents);
    if (waits[0].revents != 0) pass_on(state);
    if (waits[1].revents != 0) type(state);
    if (waits[2].revents != 0) admit(state);
}

/// Whether some viewer could not be told yet.
RESIDENT static bool bid_farewell(struct relay_state *state, struct pollfd *waits, int status) {
    bool is_left = false;
    for (unsigned i = 0; i < LINUX_RELAY_VIEWERS; i++) {
        struct viewer *viewer = &state->viewers[i];
        if (viewer->role == 0) dismiss(viewer);
        if (viewer->is_behind) tell_place(state, viewer);
        if (listens(viewer)) {
            char message[2];
            message[0] = LINUX_RELAY_END;
            message[1] = (char)status;
            tell(viewer, message, sizeof message);
        }
        if (!viewer->is_behind) dismiss(viewer);
        watch(&waits[i], viewer->socket, POLLOUT);
        if (viewer->socket >= 0) is_left = true;
    }
    return is_left;
}

RESIDENT void relay_finish(struct relay_state *state, int status) {
    struct pollfd waits[LINUX_RELAY_VIEWERS];
    struct timespec limit;
    limit.tv_sec = 0;
    limit.tv_nsec = 50000000;
    // Not without end: others than the command may go on writing. A pipe or terminal never holds as much.
    for (unsigned i = 0; i < 1024; i++) {
        if (!pass_on(state)) break;
    }
    // Half a second at most; who is slower than that reads the rest and the status from the files.
    for (unsigned i = 0; i < 10; i++) {
        if (!bid_farewell(state, waits, status)) break;
        await(waits, ARRAY_COUNT(waits), &limit);
    }
}
