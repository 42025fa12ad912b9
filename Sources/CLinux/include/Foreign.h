// What is done to another process: its descriptors (pidfd_getfd(2)), its TCP sockets (tcp(7)), what it was given.
#ifndef FOREIGN_H
#define FOREIGN_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
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
/// Whether the other end of a connection is reached through the loopback: the same box's own.
static inline int linux_has_own_peer(int socket) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (getpeername(socket, (struct sockaddr *)&peer, &size) < 0) return 0;
    if (peer.ss_family == AF_INET) return ntohl(((struct sockaddr_in *)&peer)->sin_addr.s_addr) >> 24 == 127;
    if (peer.ss_family != AF_INET6) return 0;
    const struct in6_addr *address = &((struct sockaddr_in6 *)&peer)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(address)) return address->s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(address);
}
/// Ends a TCP connection with another host at once, as a reset from there would. 0 for what is none.
static inline int linux_end_connection(int socket) {
    int protocol = 0;
    socklen_t size = sizeof protocol;
    if (getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) < 0 || protocol != IPPROTO_TCP) return 0;
    struct tcp_info info;
    size = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return -1;
    if (info.tcpi_state == TCP_LISTEN || info.tcpi_state == TCP_CLOSE || linux_has_own_peer(socket)) return 0;
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    return connect(socket, &none, sizeof none);
}
/// Whether memory can be brought in after a process has begun (userfaultfd(2)), with the events that CRIU wants of it.
/// 0, or -1 with errno.
static inline int linux_check_user_faults(void) {
    int descriptor = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return -1;
    struct uffdio_api api = {.api = UFFD_API};
    api.features = UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_UNMAP
        | UFFD_FEATURE_EVENT_REMOVE;
    int result = ioctl(descriptor, UFFDIO_API, &api);
    int code = errno;
    close(descriptor);
    errno = code;
    return result;
}
static inline int linux_ioprio_get(int process) { return (int)syscall(SYS_ioprio_get, 1 /* PROCESS */, process); }
/* Has a file's new bytes be written to the disk, without waiting for that: no more than a hint. */
static inline int linux_begin_writing(int file, long long start, long long count) {
    return sync_file_range(file, start, count, SYNC_FILE_RANGE_WRITE);
}
static inline int linux_personality(unsigned long persona) { return personality(persona); }

#endif
