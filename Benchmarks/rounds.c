// The timing loop. Reads commands from standard input, one a line: words separated by tabs, the first being a file that
// the command finds open for reading as descriptor 9, or "-". Runs each once per round, in an order shuffled anew every
// round, so that what else the machine does falls on all alike. Prints per command one line of wall times in
// nanoseconds, from before posix_spawn to after wait4.
//   rounds COUNT WARM-UP
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
enum { most_commands = 64, most_words = 256 };
static struct { char *file, *words[most_words + 1]; } commands[most_commands];

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int64_t run(int index) {
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    pid_t child;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (strcmp(commands[index].file, "-") != 0)
        posix_spawn_file_actions_addopen(&actions, 9, commands[index].file, O_RDONLY, 0);
    int64_t start = now();
    int code = posix_spawn(&child, commands[index].words[0], &actions, NULL, commands[index].words, environ);
    if (code == 0 && wait4(child, &status, 0, &usage) < 0) code = errno;
    int64_t end = now();
    posix_spawn_file_actions_destroy(&actions);
    if (code || status) {
        fprintf(stderr, "rounds: %s: %s %d\n", commands[index].words[0], code ? strerror(code) : "wait status", status);
        exit(1);
    }
    return end - start;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int rounds = atoi(argv[1]), warm_up = atoi(argv[2]), count = 0;
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while (count < most_commands && (length = getline(&line, &size, stdin)) > 0) {
        if (line[length - 1] == '\n') line[length - 1] = 0;
        char *rest = strdup(line);
        int words = 0;
        commands[count].file = strsep(&rest, "\t");
        while (rest && words < most_words) commands[count].words[words++] = strsep(&rest, "\t");
        count += words > 0;
    }
    int64_t *times = calloc((size_t)rounds * (size_t)count + 1, sizeof *times);
    int order[most_commands];
    if (!times || !count) return 2;
    for (int i = 0; i < count; i++) order[i] = i;
    srandom((unsigned)getpid());
    for (int round = -warm_up; round < rounds; round++) {
        for (int i = count - 1; i > 0; i--) {
            int other = (int)(random() % (i + 1)), kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        for (int i = 0; i < count; i++) {
            int64_t time = run(order[i]);
            if (round >= 0) times[order[i] * rounds + round] = time;
        }
    }
    for (int i = 0; i < count; i++) {
        for (int round = 0; round < rounds; round++) printf(round ? "\t%lld" : "%lld", (long long)times[i * rounds + round]);
        putchar('\n');
    }
    return 0;
}
