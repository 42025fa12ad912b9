// What Swift cannot import from the C library: variadic system calls (syscall, prctl, fcntl's kin), macros that are not
// plain constants, and calls or structures too new for Debian 12's headers. Header-only; one function per call, each
// named after it. All return what the call returns, with errno set.
#ifndef CLINUX_H
#define CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/if_packet.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

// clone(2), user_namespaces(7)

/// clone3(2): the child goes on in a copy of the caller, which must have one thread.
static inline pid_t linux_clone3(uint64_t flags, int *pidfd, int cgroup) {
    struct clone_args args = {0};
    args.flags = flags;
    // A sibling's is the caller's own.
    args.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD;
    if (pidfd) { args.flags |= CLONE_PIDFD; args.pidfd = (uint64_t)(uintptr_t)pidfd; }
    if (cgroup >= 0) { args.flags |= CLONE_INTO_CGROUP; args.cgroup = (uint64_t)cgroup; }
    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}
static inline int linux_pidfd_open(pid_t pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }
static inline int linux_pidfd_send_signal(int fd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
}
static inline int linux_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return prctl(option, a, b, c, d);
}
static inline int linux_pivot_root(const char *new_root, const char *put_old) {
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

// mount_setattr(2), open_tree(2), fsopen(2)

static inline int linux_open_tree(int dir, const char *path, unsigned flags) {
    return (int)syscall(SYS_open_tree, dir, path, flags);
}
static inline int linux_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags) {
    return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}
static inline int linux_mount_setattr(int dir, const char *path, unsigned flags, uint64_t set, uint64_t clear,
                                      uint64_t propagation, uint64_t userns) {
    struct { uint64_t set, clear, propagation, userns; } attr = {set, clear, propagation, userns};
    return (int)syscall(SYS_mount_setattr, dir, path, flags, &attr, sizeof attr);
}
static inline int linux_fsopen(const char *type, unsigned flags) { return (int)syscall(SYS_fsopen, type, flags); }
static inline int linux_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux) {
    return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}
static inline int linux_fsmount(int fd, unsigned flags, unsigned attributes) {
    return (int)syscall(SYS_fsmount, fd, flags, attributes);
}
static inline int linux_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

/// The mount that a descriptor's file lies on (statx(2), STATX_MNT_ID), 0 with errno when it cannot be told.
static inline uint64_t linux_mount_id(int fd) {
    struct statx status;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) < 0) return 0;
    return status.stx_mnt_id;
}

// Processes

static inline int linux_close_range(unsigned first, unsigned last, unsigned flags) {
    return (int)syscall(SYS_close_range, first, last, flags);
}
static inline int linux_ioprio_set(int which, int who, int priority) {
    return (int)syscall(SYS_ioprio_set, which, who, priority);
}
static inline int linux_keyctl(int operation, unsigned long a, unsigned long b) {
    return (int)syscall(SYS_keyctl, operation, a, b);
}
static inline int linux_bpf(int command, void *attributes, unsigned size) {
    return (int)syscall(SYS_bpf, command, attributes, size);
}
static inline int linux_seccomp(unsigned operation, unsigned flags, void *args) {
    return (int)syscall(SYS_seccomp, operation, flags, args);
}
static inline int linux_setgroups(size_t count, const gid_t *groups) {
    return (int)syscall(SYS_setgroups, count, groups);
}

// Wait status macros, wait(2)

static inline int linux_exited(int status) { return WIFEXITED(status); }
static inline int linux_exit_status(int status) { return WEXITSTATUS(status); }
static inline int linux_signaled(int status) { return WIFSIGNALED(status); }
static inline int linux_term_signal(int status) { return WTERMSIG(status); }
static inline int linux_stopped(int status) { return WIFSTOPPED(status); }
static inline int linux_stop_signal(int status) { return WSTOPSIG(status); }
static inline int linux_continued(int status) { return WIFCONTINUED(status); }

// landlock(7); structures through ABI 6, which Debian 12's header lacks

struct linux_landlock_ruleset { uint64_t handled_fs, handled_net, scoped; };
struct linux_landlock_net_port { uint64_t allowed, port; };
static inline int linux_landlock_abi(void) {
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}
static inline int linux_landlock_create_ruleset(const struct linux_landlock_ruleset *attr, size_t size) {
    return (int)syscall(SYS_landlock_create_ruleset, attr, size, 0);
}
static inline int linux_landlock_add_path(int ruleset, uint64_t allowed, int fd) {
    struct landlock_path_beneath_attr attr = {.allowed_access = allowed, .parent_fd = fd};
    return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
}
static inline int linux_landlock_add_port(int ruleset, uint64_t allowed, uint64_t port) {
    struct linux_landlock_net_port attr = {.allowed = allowed, .port = port};
    return (int)syscall(SYS_landlock_add_rule, ruleset, 2 /* LANDLOCK_RULE_NET_PORT */, &attr, 0);
}
static inline int linux_landlock_restrict_self(int ruleset) {
    return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

// netdevice(7): struct ifreq is a union that Swift does not import

static inline int linux_loopback_up(int socket) {
    struct ifreq request = {.ifr_name = "lo"};
    if (ioctl(socket, SIOCGIFFLAGS, &request) < 0) return -1;
    request.ifr_flags |= IFF_UP;
    return ioctl(socket, SIOCSIFFLAGS, &request);
}

// unix(7): an address holds 107 bytes of path; a longer one is refused with ENAMETOOLONG

static inline int linux_unix_address(struct sockaddr_un *address, const char *path) {
    if (strlen(path) >= sizeof address->sun_path) { errno = ENAMETOOLONG; return -1; }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(address->sun_path, path);
    return 0;
}
static inline int linux_unix_bind(int socket, const char *path) {
    struct sockaddr_un address;
    if (linux_unix_address(&address, path) < 0) return -1;
    return bind(socket, (struct sockaddr *)&address, sizeof address);
}
/// connect(2) to an IPv4 or IPv6 address of 4 or 16 bytes in network order, and a port in the order of the machine.
static inline int linux_connect_ip(int socket, int family, const unsigned char *bytes, unsigned short port) {
    if (family == AF_INET) {
        struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&place.sin_addr, bytes, 4);
        return connect(socket, (struct sockaddr *)&place, sizeof place);
    }
    struct sockaddr_in6 place = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&place.sin6_addr, bytes, 16);
    return connect(socket, (struct sockaddr *)&place, sizeof place);
}
/// bind(2) of a TCP socket to 127.0.0.1 and a port in the order of the machine, 0 for a free one, which `port` becomes; and
/// listen(2).
static inline int linux_listen_loopback(int socket, unsigned short *port) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(*port)};
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    if (bind(socket, (struct sockaddr *)&place, size) < 0 || listen(socket, 16) < 0) return -1;
    if (getsockname(socket, (struct sockaddr *)&place, &size) < 0) return -1;
    *port = ntohs(place.sin_port);
    return 0;
}
/// bind(2) of a UDP socket to one interface and a port, for broadcasts, too.
static inline int linux_dhcp_bind(int socket, const char *interface, unsigned short port) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    if (setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface) + 1) < 0) return -1;
    if (setsockopt(socket, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) < 0) return -1;
    if (setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return -1;
    return bind(socket, (struct sockaddr *)&place, sizeof place);
}
/// sendto(2) to an IPv4 address of 4 bytes in network order, and a port in the order of the machine.
static inline ssize_t linux_send_ip4(
    int socket, const unsigned char *address, unsigned short port, const void *bytes, size_t count) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&place.sin_addr, address, 4);
    return sendto(socket, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&place, sizeof place);
}
/// bind(2) of a socket of packet(7) to an interface and a protocol in the order of the machine.
static inline int linux_packet_bind(int socket, int link, unsigned short protocol) {
    struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = link};
    return bind(socket, (struct sockaddr *)&place, sizeof place);
}
/// sendto(2) to a station, or a group of them, of an Ethernet: 6 bytes.
static inline ssize_t linux_packet_send(
    int socket, int link, unsigned short protocol, const unsigned char *station, const void *bytes, size_t count) {
    struct sockaddr_ll place = {
        .sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = link, .sll_halen = 6};
    memcpy(place.sll_addr, station, 6);
    return sendto(socket, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&place, sizeof place);
}
/// A socket of packet(7) is to see all frames of an interface but those that came in with a bit of `mark`: promiscuous,
/// with times and with the tags of VLANs that are no longer in a frame. To be made for protocol 0.
static inline int linux_capture_start(int socket, int link, unsigned mark) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 2, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(SKF_AD_OFF + SKF_AD_MARK)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mark, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 262144),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    struct packet_mreq all = {.mr_ifindex = link, .mr_type = PACKET_MR_PROMISC};
    int on = 1, room = 16 << 20;
    if (setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) return -1;
    if (setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0) return -1;
    if (setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0) return -1;
    if (setsockopt(socket, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0) return -1;
    if (setsockopt(socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) < 0) return -1;
    return linux_packet_bind(socket, link, 0x0003);
}
struct linux_frame {
    uint32_t seconds;
    uint32_t microseconds;
    /// Where it begins.
    uint32_t offset;
    uint32_t length;
};
/// The next frame of such a socket, its VLAN's tag put back, somewhere in `bytes`. EAGAIN where none is waiting.
static inline int linux_capture_take(int socket, unsigned char *bytes, size_t size, struct linux_frame *frame) {
    char control[256];
    struct iovec place = {.iov_base = bytes + 4, .iov_len = size - 4};
    struct msghdr message = {
        .msg_iov = &place, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(socket, &message, MSG_DONTWAIT);
    if (length < 0) return -1;
    *frame = (struct linux_frame){.offset = 4, .length = (uint32_t)length};
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(part), sizeof time);
            frame->seconds = (uint32_t)time.tv_sec;
            frame->microseconds = (uint32_t)(time.tv_nsec / 1000);
        } else if (part->cmsg_level == SOL_PACKET && part->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata known;
            memcpy(&known, CMSG_DATA(part), sizeof known);
            if (!(known.tp_status & TP_STATUS_VLAN_VALID) || length < 12) continue;
            uint16_t type = known.tp_status & TP_STATUS_VLAN_TPID_VALID ? known.tp_vlan_tpid : 0x8100;
            uint16_t tag[2] = {htons(type), htons(known.tp_vlan_tci)};
            memmove(bytes, bytes + 4, 12);
            memcpy(bytes + 12, tag, 4);
            frame->offset = 0;
            frame->length = (uint32_t)length + 4;
        }
    }
    return 0;
}
/// Frames that such a socket has lost since it was asked last.
static inline unsigned linux_capture_lost(int socket) {
    struct tpacket_stats lost = {0};
    socklen_t size = sizeof lost;
    return getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &lost, &size) < 0 ? 0 : lost.tp_drops;
}
/// bind(2) of an IPv6 UDP socket to one interface and a port.
static inline int linux_dhcp6_bind(int socket, const char *interface, unsigned short port) {
    struct sockaddr_in6 place = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int on = 1;
    if (setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface) + 1) < 0) return -1;
    if (setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return -1;
    if (setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) return -1;
    return bind(socket, (struct sockaddr *)&place, sizeof place);
}
/// sendto(2) to an IPv6 address of 16 bytes in network order on one interface, and a port in the order of the machine.
static inline ssize_t linux_send_ip6(
    int socket, int link, const unsigned char *address, unsigned short port, const void *bytes, size_t count) {
    struct sockaddr_in6 place = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = (unsigned)link};
    memcpy(&place.sin6_addr, address, 16);
    return sendto(socket, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&place, sizeof place);
}
static inline int linux_unix_connect(int socket, const char *path) {
    struct sockaddr_un address;
    if (linux_unix_address(&address, path) < 0) return -1;
    return connect(socket, (struct sockaddr *)&address, sizeof address);
}

// cmsg(3): macros

/// Sends bytes and, when `descriptor` is not negative, a descriptor along with them (unix(7), SCM_RIGHTS).
static inline ssize_t linux_send_message(int socket, const void *bytes, size_t count, int descriptor) {
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = {0};
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}
/// Sends bytes with up to eight descriptors.
static inline ssize_t linux_send_descriptors(int socket, const void *bytes, size_t count, const int *descriptors,
                                             unsigned descriptor_count) {
    union { char bytes[CMSG_SPACE(8 * sizeof(int))]; struct cmsghdr align; } control = {0};
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count > 8) {
        errno = EINVAL;
        return -1;
    }
    if (descriptor_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(descriptor_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptor_count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, descriptor_count * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}
/// Receives one message; `*descriptor` is the close-on-exec descriptor that came with it, or -1.
static inline ssize_t linux_receive_message(int socket, void *bytes, size_t count, int *descriptor) {
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    struct iovec part = {bytes, count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    *descriptor = -1;
    if (received < 0) return received;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return received;
}

// ioctl_nsfs(2)

/// Who made a user namespace.
static inline int linux_namespace_owner(int fd, uid_t *owner) { return ioctl(fd, NS_GET_OWNER_UID, owner); }
/// Which kind a namespace is, as a flag of clone(2); -1 for what is none.
static inline int linux_namespace_type(int fd) { return ioctl(fd, NS_GET_NSTYPE); }

// ioctl_tty(2): request numbers that are no plain constants

static inline int linux_pty_unlock(int controller) {
    int locked = 0;
    return ioctl(controller, TIOCSPTLCK, &locked);
}
static inline int linux_pty_peer(int controller, int flags) { return ioctl(controller, TIOCGPTPEER, flags); }

// ioctl(2) is variadic

static inline int linux_ioctl_int(int fd, unsigned long request, int value) { return ioctl(fd, request, value); }
static inline int linux_ioctl_ptr(int fd, unsigned long request, void *value) { return ioctl(fd, request, value); }
static inline int linux_fcntl(int fd, int command, int value) { return fcntl(fd, command, value); }
/// Takes (`F_WRLCK`) or gives back (`F_UNLCK`) one byte of a file for this open file description; does not wait.
static inline int linux_lock_byte(int fd, int type, off_t offset) {
    struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock);
}
static inline int linux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
static inline int linux_openat(int dir, const char *path, int flags, mode_t mode) {
    return openat(dir, path, flags, mode);
}
static inline dev_t linux_makedev(unsigned major, unsigned minor) { return makedev(major, minor); }

#include "Arguments.h"
#include "Epoll.h"
#include "Foreign.h"
#include "Netns.h"
#include "Resident.h"
#include "Spawn.h"

#endif
