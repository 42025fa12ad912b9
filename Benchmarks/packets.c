// How many packets of 64 bytes get from one network namespace into another: packets SERVER CLIENT ADDRESS MILLISECONDS
// (files of namespaces). Prints thousands a second received, and sent. The sender has the first processor, the receiver
// the second.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 9999, SIZE = 64, ROUND = 64 };

static struct {
    volatile long received;
    volatile int ready;
} *shared;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int begin(const char *namespace, int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
    int place = open(namespace, O_RDONLY | O_CLOEXEC);
    if (place < 0 || setns(place, CLONE_NEWNET) != 0) fail(namespace);
    close(place);
    int end = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (end < 0) fail("socket");
    return end;
}

static void receive(const char *namespace) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int end = begin(namespace, 1), room = 4 << 20;
    setsockopt(end, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    if (bind(end, (void *)&address, sizeof address) != 0) fail("bind");
    char bytes[SIZE];
    shared->ready = 1;
    for (;;)
        if (recv(end, bytes, sizeof bytes, 0) > 0) shared->received++;
}

int main(int count, char **words) {
    if (count != 5) return 2;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t receiver = fork();
    if (receiver == 0) receive(words[1]);
    while (!shared->ready && waitpid(receiver, NULL, WNOHANG) == 0) usleep(500);
    int end = begin(words[2], 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    if (inet_pton(AF_INET, words[3], &address.sin_addr) != 1) return 2;
    if (connect(end, (void *)&address, sizeof address) != 0) fail("connect");
    char bytes[SIZE] = {0};
    // Neighbours are asked for now.
    for (int tries = 0; shared->received == 0 && tries < 200; tries++) {
        send(end, bytes, sizeof bytes, 0);
        usleep(10000);
    }
    if (shared->received == 0) return fprintf(stderr, "nothing arrives\n"), 1;
    shared->received = 0;
    long sent = 0;
    double start = now(), passed;
    do {
        for (int number = 0; number < ROUND; number++) sent += send(end, bytes, sizeof bytes, 0) == SIZE;
        passed = now() - start;
    } while (passed < atoi(words[4]) / 1000.0);
    usleep(20000);
    printf("%.1f %.1f\n", shared->received / passed / 1000, sent / passed / 1000);
    kill(receiver, SIGKILL);
    waitpid(receiver, NULL, 0);
    return 0;
}
