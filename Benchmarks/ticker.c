/* Tells for how long it did not run: adds a line with milliseconds to FILE for each pause that is longer than two.

   ticker FILE
*/
#include <stdio.h>
#include <time.h>

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1e3 + at.tv_nsec / 1e6;
}

int main(int count, char **words) {
    FILE *file = count == 2 ? fopen(words[1], "a") : NULL;
    if (!file) return 2;
    struct timespec pause = {0, 200000};
    for (double before = now(), after;; before = after) {
        nanosleep(&pause, NULL);
        after = now();
        if (after - before > 2) {
            fprintf(file, "%.3f\n", after - before);
            fflush(file);
        }
    }
}
