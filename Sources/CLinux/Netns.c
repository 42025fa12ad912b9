#include "CLinux.h"

#include <linux/netlink.h>
#include <sched.h>

struct visit {
    int process;
    int socket;
    int code;
};

// A user namespace can be joined by its owner, and only by who is not in it yet.
static int enter(int process) {
    if (setns(process, CLONE_NEWNET) == 0) return 0;
    return errno == EPERM ? setns(process, CLONE_NEWUSER | CLONE_NEWNET) : -1;
}

static int open_there(void *argument) {
    struct visit *visit = argument;
    struct sockaddr_nl own = {.nl_family = AF_NETLINK};
    if (enter(visit->process) == 0) visit->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    // The kernel chooses the port.
    if (visit->socket >= 0) bind(visit->socket, (struct sockaddr *)&own, sizeof own);
    visit->code = errno;
    _exit(0);
}

int linux_route_socket(int process) {
    // The caller waits meanwhile, so its stack is free to lend; no handler of its may run in the child.
    _Alignas(16) char stack[32768];
    struct visit visit = {process, -1, 0};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    // Without a signal at its end nobody else's wait(2) takes it.
    pid_t pid = clone(open_there, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES, &visit);
    int code = pid < 0 ? errno : visit.code;
    while (pid > 0 && waitpid(pid, NULL, __WALL) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = code;
    return visit.socket;
}
