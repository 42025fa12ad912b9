// The words that this program was started with. Swift's CommandLine finds them by reading /proc/self/maps at every start:
// not where /proc is missing, and not for nothing. It gets them from here, too.
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

int linux_argument_count(void);
/// As main(3) gets them: pointers to the words, then a null pointer.
char **linux_arguments(void);

#endif
