// epoll(7), which Swift's Glibc module lacks.
#ifndef EPOLL_H
#define EPOLL_H

int linux_epoll_create(void);
/// Makes `epoll` readable while `file` is; one that is there already is no error.
int linux_epoll_add(int epoll, int file);

#endif
