// A socket or a file in another network namespace, opened by a child that borrows the caller's memory and descriptors
// (clone(2)), so that the caller, whatever threads it has, stays where it is.
//
// `place` is a descriptor of the namespace (/proc/PID/ns/net, namespaces(7)) or of a process in it (pidfd_open(2)),
// whose user namespace is then entered first where that is needed. All return a close-on-exec descriptor, or -1 with
// errno.
#ifndef NETNS_H
#define NETNS_H

/// socket(2). `home` is the namespace that the calling thread is in and has come back to before, -1 where nobody has it
/// open.
int linux_socket_in(int place, int home, int family, int type, int protocol);
/// open(2) of what depends on the network namespace of who opens it: /proc/sys/net/....
int linux_open_in(int place, const char *path, int flags);
/// bpf(2) about interfaces, which it knows by their number. Not every command returns a descriptor.
int linux_bpf_in(int place, int command, void *attributes, unsigned size);
/// A descriptor of the network namespace that the calling thread is in: a socket's own (SIOCGSKNS), which is found in a
/// third of the time that /proc/thread-self/ns/net takes.
int linux_own_network(void);

#endif
