#include "Arguments.h"

static int count;
static char **words;

// The C library passes main's arguments to every constructor.
__attribute__((constructor)) static void keep(int argument_count, char **arguments) {
    count = argument_count;
    words = arguments;
}

int linux_argument_count(void) { return count; }
char **linux_arguments(void) { return words; }

// In the place of the runtime's own in a static executable, whose constructor is then left out with it.
char **_swift_stdlib_getUnsafeArgvArgc(int *argument_count) {
    *argument_count = count;
    return words;
}
