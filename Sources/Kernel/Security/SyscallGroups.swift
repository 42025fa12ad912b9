/// The groups of system calls that systemd.exec(5) names, with their members as `systemd-analyze syscall-filter` lists
/// them, and the calls of newer kernels added where they belong by what they do. A member that begins with `@` is a group.
///
/// `ipc` and `socketcall` stand first: once they are decided, what they multiplex needs no comparison of its own.
/// Literals in read-only memory: nothing is built at start-up, and a name is met only when a filter needs it.
struct SyscallGroup {
    let name: StaticString
    /// Names with one white-space character between them.
    let members: StaticString

    static let all: [SyscallGroup] = [
        SyscallGroup(
            name: "@aio",
            members: """
                io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit io_uring_enter
                io_uring_register io_uring_setup
                """),
        SyscallGroup(
            name: "@basic-io",
            members: """
                _llseek close close_range dup dup2 dup3 lseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv
                write writev
                """),
        SyscallGroup(
            name: "@chown",
            members: """
                chown chown32 fchown fchown32 fchownat lchown lchown32
                """),
        SyscallGroup(
            name: "@clock",
            members: """
                adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday
                """),
        SyscallGroup(
            name: "@cpu-emulation",
            members: """
                modify_ldt subpage_prot switch_endian vm86 vm86old
                """),
        SyscallGroup(
            name: "@debug",
            members: """
                lookup_dcookie perf_event_open pidfd_getfd ptrace rtas s390_runtime_instr sys_debug_setcontext
                """),
        SyscallGroup(
            name: "@default",
            members: """
                arch_prctl brk cacheflush clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
                clock_nanosleep_time64 execve exit exit_group futex futex_requeue futex_time64 futex_wait futex_waitv
                futex_wake get_robust_list get_thread_area getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups
                getgroups32 getpgid getpgrp getpid getppid getrandom getresgid getresgid32 getresuid getresuid32 getrlimit
                getsid gettid gettimeofday getuid getuid32 map_shadow_stack membarrier mmap mmap2 mprotect mseal munmap
                nanosleep pause prlimit64 restart_syscall riscv_flush_icache riscv_hwprobe rseq rseq_slice_yield
                rt_sigreturn sched_getaffinity sched_yield set_robust_list set_thread_area set_tid_address set_tls
                sigreturn time ugetrlimit uprobe uretprobe
                """),
        SyscallGroup(
            name: "@file-system",
            members: """
                access cachestat chdir chmod close creat faccessat faccessat2 fallocate fchdir fchmod fchmodat fchmodat2
                fcntl fcntl64 fgetxattr file_getattr file_setattr flistxattr fremovexattr fsetxattr fstat fstat64
                fstatat64 fstatfs fstatfs64 ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr getxattrat
                inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lgetxattr link linkat listmount listxattr
                listxattrat llistxattr lremovexattr lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat newfstatat
                oldfstat oldlstat oldstat open openat openat2 readlink readlinkat removexattr removexattrat rename
                renameat renameat2 rmdir setxattr setxattrat stat stat64 statfs statfs64 statmount statx symlink symlinkat
                truncate truncate64 unlink unlinkat utime utimensat utimensat_time64 utimes
                """),
        SyscallGroup(
            name: "@io-event",
            members: """
                _newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
                epoll_wait_old eventfd eventfd2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select
                """),
        SyscallGroup(
            name: "@ipc",
            members: """
                ipc memfd_create memfd_secret mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64
                mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 process_madvise
                process_vm_readv process_vm_writev semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt
                shmget
                """),
        SyscallGroup(
            name: "@keyring",
            members: """
                add_key keyctl request_key
                """),
        SyscallGroup(
            name: "@known",
            members: """
                @aio @basic-io @chown @clock @cpu-emulation @debug @default @file-system @io-event @ipc @keyring @memlock
                @module @mount @network-io @obsolete @pkey @privileged @process @raw-io @reboot @resources @sandbox
                @setuid @signal @swap @sync @system-service @timer atomic_barrier atomic_cmpxchg_32 cachectl dipc
                exec_with_loader execv getdomainname getdtablesize gethostname getpagesize getxgid getxpid getxuid
                kern_features listns lsm_set_self_attr memory_ordering multiplexer old_adjtimex oldumount or1k_atomic
                perfctr process_mrelease s390_guarded_storage s390_sthyi sched_get_affinity sched_set_affinity sethae
                setpgrp spu_create spu_run syscall syslog sysmips timerfd utrap_install
                """),
        SyscallGroup(
            name: "@memlock",
            members: """
                mlock mlock2 mlockall munlock munlockall
                """),
        SyscallGroup(
            name: "@module",
            members: """
                delete_module finit_module init_module
                """),
        SyscallGroup(
            name: "@mount",
            members: """
                chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree open_tree_attr pivot_root
                umount umount2
                """),
        SyscallGroup(
            name: "@network-io",
            members: """
                socketcall accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg
                recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socket socketpair
                """),
        SyscallGroup(
            name: "@obsolete",
            members: """
                _sysctl afs_syscall bdflush break create_module ftime get_kernel_syms getpmsg gtty idle lock mpx prof
                profil putpmsg query_module security sgetmask ssetmask stime stty sysfs tuxcall ulimit uselib ustat
                vserver
                """),
        SyscallGroup(
            name: "@pkey",
            members: """
                pkey_alloc pkey_free pkey_mprotect
                """),
        SyscallGroup(
            name: "@privileged",
            members: """
                @chown @clock @module @raw-io @reboot @swap _sysctl acct bpf capset chroot fanotify_init fanotify_mark
                nfsservctl open_by_handle_at pivot_root quotactl quotactl_fd setdomainname setfsuid setfsuid32 setgroups
                setgroups32 sethostname setresuid setresuid32 setreuid setreuid32 setuid setuid32 vhangup
                """),
        SyscallGroup(
            name: "@process",
            members: """
                capget clone clone3 execveat fork getrusage kill pidfd_open pidfd_send_signal prctl rt_sigqueueinfo
                rt_tgsigqueueinfo setns swapcontext tgkill times tkill unshare vfork wait4 waitid waitpid
                """),
        SyscallGroup(
            name: "@raw-io",
            members: """
                ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write s390_pci_mmio_read s390_pci_mmio_write
                """),
        SyscallGroup(
            name: "@reboot",
            members: """
                kexec_file_load kexec_load reboot
                """),
        SyscallGroup(
            name: "@resources",
            members: """
                ioprio_set mbind migrate_pages move_pages nice sched_setaffinity sched_setattr sched_setparam
                sched_setscheduler set_mempolicy set_mempolicy_home_node setpriority setrlimit
                """),
        SyscallGroup(
            name: "@sandbox",
            members: """
                landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp
                """),
        SyscallGroup(
            name: "@setuid",
            members: """
                setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32
                setreuid setreuid32 setuid setuid32
                """),
        SyscallGroup(
            name: "@signal",
            members: """
                rt_sigaction rt_sigpending rt_sigprocmask rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 sigaction
                sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigsuspend
                """),
        SyscallGroup(
            name: "@swap",
            members: """
                swapoff swapon
                """),
        SyscallGroup(
            name: "@sync",
            members: """
                fdatasync fsync msync sync sync_file_range sync_file_range2 syncfs
                """),
        SyscallGroup(
            name: "@system-service",
            members: """
                @aio @basic-io @chown @default @file-system @io-event @ipc @keyring @memlock @network-io @process
                @resources @sandbox @setuid @signal @sync @timer arm_fadvise64_64 capget capset copy_file_range fadvise64
                fadvise64_64 flock get_mempolicy getcpu getpriority ioctl ioprio_get kcmp lsm_get_self_attr
                lsm_list_modules madvise mincore mremap name_to_handle_at oldolduname olduname personality readahead
                readdir remap_file_pages sched_get_priority_max sched_get_priority_min sched_getattr sched_getparam
                sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_yield sendfile sendfile64
                setfsgid setfsgid32 setfsuid setfsuid32 setpgid setsid splice sysinfo tee umask uname userfaultfd vmsplice
                """),
        SyscallGroup(
            name: "@timer",
            members: """
                alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
                timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
                timerfd_settime64 times
                """),
    ]
}
