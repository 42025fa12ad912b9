// What a packet of one byte needs there and back: roundtrip serve PORT | roundtrip ADDRESS PORT SECONDS
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **words) {
    if (count < 3) return 2;
    int isServer = strcmp(words[1], "serve") == 0;
    int place = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
    char byte[64];
    if (isServer) {
        if (bind(place, (void *)&address, sizeof address) != 0) return 1;
        for (;;) {
            socklen_t size = sizeof address;
            ssize_t read = recvfrom(place, byte, sizeof byte, 0, (void *)&address, &size);
            if (read > 0) sendto(place, byte, read, 0, (void *)&address, size);
        }
    }
    inet_pton(AF_INET, words[1], &address.sin_addr);
    if (connect(place, (void *)&address, sizeof address) != 0) return 1;
    double begin = now(), end = begin + atof(words[3]);
    long trips = 0, lost = 0;
    while (now() < end) {
        send(place, "x", 1, 0);
        struct pollfd wait = {.fd = place, .events = POLLIN};
        if (recv(place, byte, sizeof byte, MSG_DONTWAIT) > 0) trips++;
        else if (poll(&wait, 1, 200) == 1 && recv(place, byte, sizeof byte, 0) > 0) trips++;
        else lost++;
    }
    printf("%.3f %ld\n", (now() - begin) * 1e6 / (trips ? trips : 1), lost);
    return 0;
}
