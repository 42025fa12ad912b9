#include "Epoll.h"

#include <errno.h>
#include <sys/epoll.h>

int linux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int linux_epoll_add(int epoll, int file) {
    struct epoll_event event = {0};
    event.events = EPOLLIN;
    event.data.fd = file;
    int result = epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event);
    return result < 0 && errno == EEXIST ? 0 : result;
}
