// The application of the measurements: `application` ends at once, `application wait` waits for a signal. Built static
// and without anything, so that what is measured is what stands around it.
#include <unistd.h>

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) pause();
    return 0;
}
