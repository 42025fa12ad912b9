// The words that this program was started with. Swift's CommandLine finds them through /proc/self/maps: not where /proc
// is missing, and not for nothing.
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

int linux_argument_count(void);
/// As main(3) gets them: pointers to the words, then a null pointer.
char **linux_arguments(void);

#endif
