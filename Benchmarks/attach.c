// The floor of attaching a port: the messages that it takes, sent with nothing around them, no library, no name looked
// up. In one process a switch (a bridge in a network namespace) and then one application's namespace after the other:
//
//   attach [PORTS]      100 without a number
//
// Printed are, in microseconds for each port, the median, the mean, and the mean of the last tenth: of the whole, of
// making the application's namespace alone, and of the rest, which is the attachment:
//   switch: RTM_NEWLINK (veth, host end enslaved, in a group; the peer in the application's namespace); RTM_NEWLINK (up,
//           alias, no IPv6 address, learning off, locked), RTM_NEWNEIGH (static forwarding entry), in one datagram
//   application: a socket; RTM_NEWLINK (loopback up), RTM_NEWLINK (peer: no IPv6 address), RTM_NEWLINK (peer up), RTM_NEWADDR, RTM_NEWROUTE
//           (default), in one datagram
//
//   attach run SWITCH NUMBER COMMAND [ARGUMENT…]
//
// What `sandbox run --switch` asks of the kernel, asked by this program: a network namespace, a port on a switch that
// sandbox(1) has made (SWITCH is its namespace's file), then the command. With "usual" for "run" it says nothing of queues,
// as ip(8) does, and the kernel waits until those that it made beyond one are in nobody's use. Beyond the messages above:
// RTM_NEWLINKPROP (the lease), RTM_NEWNEIGH (the bridge's neighbour), and one transaction of nftables
// (two elements: the guard against spoofing). With "-" for SWITCH there is no port, but the loopback interface up.
//
// All of it is gone when the process ends. Needs root.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what, int code) {
    fprintf(stderr, "attach: %s: %s\n", what, strerror(code));
    exit(1);
}

// Messages for one datagram.
static _Alignas(8) char buffer[8192];
static size_t length, start;
static unsigned sequence;

static void *grow(size_t count) {
    void *place = buffer + length;
    size_t whole = (count + 3) & ~3u;
    if (length + whole > sizeof buffer) die("message", EMSGSIZE);
    memset(place, 0, whole);
    length += whole;
    return place;
}
static void *begin(int type, int flags, size_t header) {
    start = length;
    struct nlmsghdr *message = grow(sizeof *message + header);
    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    message->nlmsg_seq = ++sequence;
    return message + 1;
}
static void end(void) { ((struct nlmsghdr *)(buffer + start))->nlmsg_len = length - start; }
static void put(int type, const void *value, size_t count) {
    struct rtattr *attribute = grow(sizeof *attribute + count);
    attribute->rta_type = type;
    attribute->rta_len = sizeof *attribute + count;
    memcpy(attribute + 1, value, count);
}
static void put_u8(int type, uint8_t value) { put(type, &value, 1); }
static void put_u32(int type, uint32_t value) { put(type, &value, 4); }
static void put_text(int type, const char *text) { put(type, text, strlen(text) + 1); }
static struct rtattr *nest(int type) {
    struct rtattr *attribute = grow(sizeof *attribute);
    attribute->rta_type = type | NLA_F_NESTED;
    return attribute;
}
static void leave(struct rtattr *attribute) { attribute->rta_len = buffer + length - (char *)attribute; }
static void no_ipv6(void) {
    struct rtattr *families = nest(IFLA_AF_SPEC), *ipv6 = nest(AF_INET6);
    put_u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    leave(ipv6);
    leave(families);
}

// Sends what is there and waits for the last one's acknowledgement, failures being told unasked; `link` and `peer` become
// the indices of an interface's echo.
static void transact(int socket, const char *what, int *link, int *peer) {
    static _Alignas(8) char answer[32768];
    for (size_t at = 0; at < start; at += NLMSG_ALIGN(((struct nlmsghdr *)(buffer + at))->nlmsg_len))
        ((struct nlmsghdr *)(buffer + at))->nlmsg_flags &= ~NLM_F_ACK;
    if (send(socket, buffer, length, 0) < 0) die(what, errno);
    length = 0;
    for (int is_done = 0; !is_done;) {
        ssize_t count = recv(socket, answer, sizeof answer, 0);
        if (count < 0) die(what, errno);
        for (struct nlmsghdr *m = (void *)answer; NLMSG_OK(m, count); m = NLMSG_NEXT(m, count)) {
            if (m->nlmsg_type == NLMSG_ERROR) {
                int code = ((struct nlmsgerr *)NLMSG_DATA(m))->error;
                if (code) die(what, -code);
                is_done = m->nlmsg_seq == sequence;
            } else if (m->nlmsg_type == RTM_NEWLINK && link) {
                struct ifinfomsg *info = NLMSG_DATA(m);
                int rest = IFLA_PAYLOAD(m);
                *link = info->ifi_index;
                for (struct rtattr *a = IFLA_RTA(info); RTA_OK(a, rest); a = RTA_NEXT(a, rest))
                    if (a->rta_type == IFLA_LINK) *peer = *(int *)RTA_DATA(a);
            }
        }
    }
}

static int netlink_socket(int family) {
    int number = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family), on = 1;
    if (number < 0) die("socket", errno);
    setsockopt(number, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    setsockopt(number, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    return number;
}

static int route_socket(void) { return netlink_socket(NETLINK_ROUTE); }

static void up(struct ifinfomsg *info, int index) {
    info->ifi_index = index;
    info->ifi_flags = info->ifi_change = IFF_UP;
}

static int make_bridge(int socket) {
    int bridge = 0, none;
    up(begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO, sizeof(struct ifinfomsg)), 0);
    put_text(IFLA_IFNAME, "br0");
    struct rtattr *information = nest(IFLA_LINKINFO);
    put_text(IFLA_INFO_KIND, "bridge");
    leave(information);
    end();
    transact(socket, "bridge", &bridge, &none);
    return bridge;
}

// Whether a pair has one queue each way from the start.
static int has_one_queue = 1;

static void put_queues(void) {
    if (!has_one_queue) return;
    put_u32(IFLA_NUM_TX_QUEUES, 1);
    put_u32(IFLA_NUM_RX_QUEUES, 1);
}

static void make_pair(int socket, int bridge, int place, int number, int *link, int *peer) {
    char name[16];
    unsigned char mac[6] = {2, 0, 0, 0, number >> 8, number};
    snprintf(name, sizeof name, "f%d", number);
    begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO, sizeof(struct ifinfomsg));
    put_text(IFLA_IFNAME, name);
    put_u32(IFLA_GROUP, 7);
    put_u32(IFLA_MASTER, bridge);
    put_queues();
    struct rtattr *information = nest(IFLA_LINKINFO);
    put_text(IFLA_INFO_KIND, "veth");
    struct rtattr *data = nest(IFLA_INFO_DATA), *other = nest(VETH_INFO_PEER);
    grow(sizeof(struct ifinfomsg));
    put_text(IFLA_IFNAME, "eth0");
    put(IFLA_ADDRESS, mac, sizeof mac);
    put_u32(IFLA_NET_NS_FD, place);
    put_queues();
    leave(other);
    leave(data);
    leave(information);
    end();
    transact(socket, "port", link, peer);
}

// Left in the buffer: what a switch need not learn, and a static forwarding entry.
static void tell_switch(int link, int number, const unsigned char *mac) {
    char alias[64];
    snprintf(alias, sizeof alias, "sandbox-%d eth0 10.1.%d.%d", number, (number + 2) >> 8, (number + 2) & 255);
    // Up from its making on, and its other end not yet, the kernel would wait until nobody can be sending.
    up(begin(RTM_NEWLINK, 0, sizeof(struct ifinfomsg)), link);
    put_text(IFLA_IFALIAS, alias);
    no_ipv6();
    struct rtattr *information = nest(IFLA_LINKINFO);
    put_text(IFLA_INFO_SLAVE_KIND, "bridge");
    struct rtattr *data = nest(IFLA_INFO_SLAVE_DATA);
    put_u8(IFLA_BRPORT_LEARNING, 0);
    put_u8(IFLA_BRPORT_LOCKED, 1);
    leave(data);
    leave(information);
    end();
    struct ndmsg *entry = begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof *entry);
    entry->ndm_family = AF_BRIDGE;
    entry->ndm_ifindex = link;
    entry->ndm_state = NUD_NOARP;
    entry->ndm_flags = NTF_MASTER;
    put(NDA_LLADDR, mac, 6);
    end();
}

static void attach_switch(int socket, int bridge, int place, int number, int *peer) {
    unsigned char mac[6] = {2, 0, 0, 0, number >> 8, number};
    int link = 0;
    make_pair(socket, bridge, place, number, &link, peer);
    tell_switch(link, number, mac);
    transact(socket, "what the switch knows", NULL, NULL);
}

static void set_up_application(uint32_t address, uint32_t router, int peer) {
    int socket = route_socket();
    up(begin(RTM_NEWLINK, 0, sizeof(struct ifinfomsg)), 1);
    end();
    ((struct ifinfomsg *)begin(RTM_NEWLINK, 0, sizeof(struct ifinfomsg)))->ifi_index = peer;
    no_ipv6();
    end();
    up(begin(RTM_NEWLINK, 0, sizeof(struct ifinfomsg)), peer);
    end();
    struct ifaddrmsg *own = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *own);
    own->ifa_family = AF_INET;
    own->ifa_prefixlen = 16;
    own->ifa_index = peer;
    put(IFA_LOCAL, &address, 4);
    put(IFA_ADDRESS, &address, 4);
    end();
    struct rtmsg *route = begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof *route);
    route->rtm_family = AF_INET;
    route->rtm_table = RT_TABLE_MAIN;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_type = RTN_UNICAST;
    put(RTA_GATEWAY, &router, 4);
    end();
    transact(socket, "address and route", NULL, NULL);
    close(socket);
}

// The index of the first bridge of a switch that sandbox(1) has made.
enum { FIRST_BRIDGE = 1000000 };

static void lease(int socket, int link, int number) {
    char name[128];
    snprintf(name, sizeof name, "10.250.%d.%d", 128 + (number >> 8), number & 255);
    ((struct ifinfomsg *)begin(RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, sizeof(struct ifinfomsg)))->ifi_index = link;
    struct rtattr *list = nest(IFLA_PROP_LIST);
    put_text(IFLA_ALT_IFNAME, name);
    leave(list);
    end();
    transact(socket, "lease", NULL, NULL);
}

static void *begin_nft(int type, int flags, int acknowledged) {
    struct nfgenmsg *header = begin(type, flags, sizeof *header);
    struct nlmsghdr *message = (struct nlmsghdr *)header - 1;
    if (!acknowledged) message->nlmsg_flags &= ~NLM_F_ACK;
    return header;
}

static void element(const char *set, const void *key, size_t count, int acknowledged) {
    struct nfgenmsg *header = begin_nft(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, NLM_F_CREATE, acknowledged);
    header->nfgen_family = NFPROTO_BRIDGE;
    put_text(NFTA_SET_ELEM_LIST_TABLE, "switch");
    put_text(NFTA_SET_ELEM_LIST_SET, set);
    struct rtattr *list = nest(NFTA_SET_ELEM_LIST_ELEMENTS), *one = nest(NFTA_LIST_ELEM), *place = nest(NFTA_SET_ELEM_KEY);
    put(NFTA_DATA_VALUE, key, count);
    leave(place);
    leave(one);
    leave(list);
    end();
}

static void guard(int socket, int link, const unsigned char *mac, const void *address) {
    static _Alignas(8) char answer[4096];
    unsigned char key[16] = {0};
    memcpy(key, &link, 4);
    memcpy(key + 4, mac, 6);
    memcpy(key + 12, address, 4);
    ((struct nfgenmsg *)begin_nft(NFNL_MSG_BATCH_BEGIN, 0, 0))->res_id = htons(NFNL_SUBSYS_NFTABLES);
    end();
    element("guarded", key, 4, 0);
    element("source4", key, sizeof key, 1);
    ((struct nfgenmsg *)begin_nft(NFNL_MSG_BATCH_END, 0, 0))->res_id = htons(NFNL_SUBSYS_NFTABLES);
    end();
    if (send(socket, buffer, length, 0) < 0) die("guard", errno);
    length = 0;
    // The first that fails, or the last.
    ssize_t count = recv(socket, answer, sizeof answer, 0);
    if (count < 0) die("guard", errno);
    struct nlmsghdr *message = (void *)answer;
    int code = ((struct nlmsgerr *)NLMSG_DATA(message))->error;
    if (message->nlmsg_type != NLMSG_ERROR || code) die("guard", -code);
}

static void neighbour(int bridge, const unsigned char *mac, const void *address) {
    struct ndmsg *entry = begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof *entry);
    entry->ndm_family = AF_INET;
    entry->ndm_ifindex = bridge;
    entry->ndm_state = NUD_PERMANENT;
    put(NDA_DST, address, 4);
    put(NDA_LLADDR, mac, 6);
    end();
}

static int run(char **words) {
    int number = atoi(words[1]), has_port = strcmp(words[0], "-") != 0, link = 0, peer = 0;
    int route = -1, filter = -1;
    if (has_port) {
        int place = open(words[0], O_RDONLY | O_CLOEXEC);
        if (place < 0 || setns(place, CLONE_NEWNET) < 0) die(words[0], errno);
        route = route_socket();
        filter = netlink_socket(NETLINK_NETFILTER);
    }
    if (unshare(CLONE_NEWNET) < 0) die("network namespace", errno);
    if (has_port) {
        unsigned char mac[6] = {2, 0, 0, 0, number >> 8, number};
        uint32_t address = htonl(0x0AFA8000 + number);
        int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        make_pair(route, FIRST_BRIDGE, own, number, &link, &peer);
        lease(route, link, number);
        tell_switch(link, number, mac);
        neighbour(FIRST_BRIDGE, mac, &address);
        transact(route, "what the switch knows", NULL, NULL);
        guard(filter, link, mac, &address);
        set_up_application(address, htonl(0x0AFAFFFE), peer);
    } else {
        int socket = route_socket();
        up(begin(RTM_NEWLINK, 0, sizeof(struct ifinfomsg)), 1);
        end();
        transact(socket, "loopback", NULL, NULL);
        close(socket);
    }
    execvp(words[2], words + 2);
    die(words[2], errno);
    return 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, double *times, int count) {
    double sum = 0, last = 0;
    int tail = count / 10 ? count / 10 : 1;
    for (int i = 0; i < count; i++) sum += times[i];
    for (int i = count - tail; i < count; i++) last += times[i];
    qsort(times, count, sizeof *times, by_size);
    printf("%-10s median %7.1f  mean %7.1f  last tenth %7.1f us\n", what, times[count / 2], sum / count, last / tail);
}

int main(int argc, char **argv) {
    if (argc > 4 && strcmp(argv[1], "run") == 0) return run(argv + 2);
    if (argc > 4 && strcmp(argv[1], "usual") == 0) return has_one_queue = 0, run(argv + 2);
    int count = argc > 1 ? atoi(argv[1]) : 100;
    if (count < 1 || count > 1023) die("1 to 1023 ports", EINVAL);
    double *whole = calloc(count, sizeof *whole), *place = calloc(count, sizeof *place);
    double *rest = calloc(count, sizeof *rest);
    if (!whole || !place || !rest) die("memory", errno);
    if (unshare(CLONE_NEWNET) < 0) die("network namespace", errno);
    int socket = route_socket(), bridge = make_bridge(socket);
    int *kept = calloc(count, sizeof *kept);
    if (!kept) die("memory", errno);
    for (int i = 0; i < count; i++) {
        int peer = 0;
        double first = now();
        if (unshare(CLONE_NEWNET) < 0) die("network namespace", errno);
        kept[i] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (kept[i] < 0) die("/proc/self/ns/net", errno);
        double second = now();
        attach_switch(socket, bridge, kept[i], i, &peer);
        set_up_application(htonl(0x0A010002 + i), htonl(0x0A010001), peer);
        double third = now();
        whole[i] = third - first;
        place[i] = second - first;
        rest[i] = third - second;
    }
    report("whole", whole, count);
    report("namespace", place, count);
    report("attachment", rest, count);
    return 0;
}
