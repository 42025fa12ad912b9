// What code in the section `resident` is written with (Resident.c): system calls made without the C library.
#ifndef CALLS_H
#define CALLS_H

#include "CLinux.h"

#include <linux/audit.h>
#include <time.h>

#define RESIDENT __attribute__((section("resident"), noinline, optnone))
#define INLINE static inline __attribute__((always_inline))
#define ARRAY_COUNT(array) (sizeof(array) / sizeof *(array))

// syscall(2): -errno where the C library's functions return -1.

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
INLINE long call(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
INLINE long call(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "system calls of this architecture are not written yet"
#endif

INLINE long read_some(int fd, void *bytes, size_t count) { return call(SYS_read, fd, (long)bytes, count, 0, 0, 0); }
INLINE long write_some(int fd, void *bytes, size_t count) { return call(SYS_write, fd, (long)bytes, count, 0, 0, 0); }
INLINE long send_some(int fd, void *bytes, size_t count) {
    return call(SYS_sendto, fd, (long)bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
}
INLINE void close_file(int fd) { call(SYS_close, fd, 0, 0, 0, 0, 0); }
INLINE long control(int fd, unsigned long request, const void *value) {
    return call(SYS_ioctl, fd, request, (long)value, 0, 0, 0);
}
/// Whether what failed so need only be tried again.
INLINE bool is_early(long result) { return result == -EINTR || result == -EAGAIN; }
INLINE void await(struct pollfd *waits, unsigned count, const struct timespec *limit) {
    call(SYS_ppoll, (long)waits, count, (long)limit, 0, 0, 0);
}
INLINE void watch(struct pollfd *wait, int fd, short events) {
    wait->fd = fd;
    wait->events = events;
    wait->revents = 0;
}

#endif
