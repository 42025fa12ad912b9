// A socket in another network namespace, opened by a child that borrows the caller's memory and descriptors (clone(2)),
// so that the caller, whatever threads it has, stays where it is.
#ifndef NETNS_H
#define NETNS_H

/// A netlink(7) socket for rtnetlink(7) in the network namespace of the process behind a pidfd_open(2) descriptor; its
/// user namespace is entered first where that is needed. -1 with errno when that is refused.
int linux_route_socket(int process);

#endif
