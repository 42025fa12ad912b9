// What is done to another process: its descriptors (pidfd_getfd(2)), its TCP sockets (tcp(7)), what it was given.
#ifndef FOREIGN_H
#define FOREIGN_H

#include <netinet/tcp.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int linux_pidfd_getfd(int process, int descriptor) {
    return (int)syscall(438 /* SYS_pidfd_getfd */, process, descriptor, 0);
}
/// tee(2) without waiting.
static inline ssize_t linux_tee(int from, int to, size_t count) {
    return tee(from, to, count, SPLICE_F_NONBLOCK);
}
/// Takes a TCP socket out of repair mode, in which it neither sends nor hears. 0 for what is no such socket or is not
/// in that mode.
static inline int linux_end_tcp_repair(int socket) {
    int protocol = 0, repair = 0;
    socklen_t size = sizeof protocol;
    if (getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) < 0 || protocol != IPPROTO_TCP) return 0;
    size = sizeof repair;
    if (getsockopt(socket, IPPROTO_TCP, TCP_REPAIR, &repair, &size) < 0) return -1;
    if (repair != 1) return 0;
    repair = 0;
    return setsockopt(socket, IPPROTO_TCP, TCP_REPAIR, &repair, sizeof repair);
}
static inline int linux_ioprio_get(int process) { return (int)syscall(SYS_ioprio_get, 1 /* PROCESS */, process); }
/* Has a file's new bytes be written to the disk, without waiting for that: no more than a hint. */
static inline int linux_begin_writing(int file, long long start, long long count) {
    return sync_file_range(file, start, count, SYNC_FILE_RANGE_WRITE);
}
static inline int linux_personality(unsigned long persona) { return personality(persona); }

#endif
