// Compiles the system call filter of the measurements: the calls named as arguments fail with EPERM, all others pass.
//   filter bpf CALL...    writes struct sock_filter[] to standard output, for `bwrap --seccomp FD`
//   filter c CALL...      writes it as C, for floor.c
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int fail(const char *what, int code) {
    fprintf(stderr, "filter: %s: %s\n", what, strerror(code));
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 3) return fail("usage: filter bpf|c CALL...", EINVAL);
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    if (!context) return fail("seccomp_init", ENOMEM);
    for (int i = 2; i < argc; i++) {
        int call = seccomp_syscall_resolve_name(argv[i]);
        if (call == __NR_SCMP_ERROR) return fail(argv[i], ENOSYS);
        int result = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), call, 0);
        if (result < 0) return fail(argv[i], -result);
    }
    if (strcmp(argv[1], "bpf") == 0) return seccomp_export_bpf(context, STDOUT_FILENO) < 0;

    int file = memfd_create("filter", 0);
    if (file < 0 || seccomp_export_bpf(context, file) < 0) return fail("export", errno);
    struct sock_filter instruction;
    lseek(file, 0, SEEK_SET);
    puts("static struct sock_filter filter[] = {");
    while (read(file, &instruction, sizeof instruction) == sizeof instruction)
        printf("    {0x%x, %u, %u, 0x%x},\n", instruction.code, instruction.jt, instruction.jf, instruction.k);
    puts("};");
    return 0;
}
