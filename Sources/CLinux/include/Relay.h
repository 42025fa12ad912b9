// What a resident process does with a detached command's output: it keeps the newest in log files, and serves those who
// look at the command's pseudo-terminal (Relay.c). Descriptors are -1 where there is none.
#ifndef RELAY_H
#define RELAY_H

#include <stdint.h>

struct linux_relay {
    /// The controlling side of the command's pseudo-terminal; does not block.
    int controller;
    /// Without a terminal: a pipe that the command's output and errors come from; does not block.
    int output;
    /// A listening socket for viewers of the terminal (unix(7), SOCK_SEQPACKET); does not block.
    int listener;
    /// Files open for appending, the second only with a limit: then log TURN % 2 is written to until it is full, and
    /// what the other one held is forgotten for the next turn.
    int logs[2];
    /// A file open for appending, which gets lines "MILLISECONDS TURN OFFSET": what follows that place in a log was
    /// written after that time since the epoch. One at the beginning of each turn, and one a second while output comes.
    int marks;
    /// Bytes that each log holds at most; 0 is without end.
    uint64_t limit;
    /// Where the next output goes: the log's size is the offset.
    uint64_t turn, offset;
};

enum { LINUX_RELAY_VIEWERS = 8, LINUX_RELAY_INPUT = 1024, LINUX_RELAY_OUTPUT = 4096 };

/// One message each between viewer and relay: a byte that says what it is, and numbers in the machine's own order.
enum {
    /// The viewer's first message: to look on, or to type as well. With rows and columns, 16 bits each.
    LINUX_RELAY_VIEW = 'v', LINUX_RELAY_ATTACH = 'a',
    /// With rows and columns: the viewer's new size.
    LINUX_RELAY_RESIZE = 'w',
    /// With bytes: input, at most LINUX_RELAY_INPUT with the first, or output, at most LINUX_RELAY_OUTPUT.
    LINUX_RELAY_DATA = 'd',
    /// With turn and offset, 64 bits each: the place in the log where the output begins that follows. First of all, at a
    /// new turn, and when a viewer had been too slow: it finds in the logs what it missed.
    LINUX_RELAY_PLACE = 'p',
    /// With the command's exit status, 8 bits: it has ended.
    LINUX_RELAY_END = 'e',
    /// Somebody else types already; there are as many viewers as there can be.
    LINUX_RELAY_BUSY = 'b', LINUX_RELAY_FULL = 'f',
};

#endif
