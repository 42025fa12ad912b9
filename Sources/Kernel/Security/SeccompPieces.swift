extension SeccompFilter {
    /// Keeps input from being pushed into a terminal that is shared with the caller (CVE-2017-5226, CVE-2023-28100).
    public static let terminalInjectionRules: [Rule] = [
        Rule(["ioctl"], .errno(1), [Condition(1, .equal, 0x5412)]),  // TIOCSTI, EPERM
        Rule(["ioctl"], .errno(1), [Condition(1, .equal, 0x541c)]),  // TIOCLINUX
    ]

    /// Keeps a program from making or joining a user namespace (user_namespaces(7)).
    ///
    /// clone3(2) hides its flags behind a pointer, so it answers ENOSYS and programs fall back to clone(2); setns(2)
    /// with 0 may join a namespace of any kind. The calls that configure a filesystem go too (CVE-2022-0185).
    public static let noUserNamespacesRules: [Rule] = [
        Rule(["clone", "unshare"], .errno(1), [Condition(0, .maskedEqual, newUser, mask: newUser)]),
        Rule(["setns"], .errno(1), [Condition(1, .maskedEqual, newUser, mask: newUser)]),
        Rule(["setns"], .errno(1), [Condition(1, .equal, 0)]),
        Rule(["clone3", "fsopen", "fspick", "fsconfig", "fsmount"], .errno(38)),  // ENOSYS
    ]

    /// Keeps a program with CAP_NET_RAW from sending frames that pass no rule at its interface: those of AF_XDP sockets
    /// (EAFNOSUPPORT), which io_uring could make in the program's place (ENOSYS).
    public static let noHiddenFramesRules: [Rule] = [
        Rule(["socket"], .errno(97), [Condition(0, .equal, 44)]),
        Rule(["io_uring_setup"], .errno(38)),
    ]

    /// Keeps a program from what CRIU cannot save, in the way in which a kernel without it would, so that the program
    /// does without: io_uring, secret memory, userfaultfd, performance counters, BPF, POSIX message queues, vsock, MPTCP,
    /// and namespaces within the box other than of mounts and networks.
    public static let checkpointRules: [Rule] =
        [
            Rule(
                [
                    "io_uring_setup", "io_uring_enter", "io_uring_register", "memfd_secret", "userfaultfd",
                    "perf_event_open", "mq_open",
                ], .errno(38)),  // ENOSYS
            Rule(["bpf"], .errno(1)),
            // AF_VSOCK: EAFNOSUPPORT; IPPROTO_MPTCP: EPROTONOSUPPORT.
            Rule(["socket"], .errno(97), [Condition(0, .equal, 40)], isAdvice: true),
            Rule(["socket"], .errno(93), [Condition(2, .equal, 262)], isAdvice: true),
            Rule(["clone3"], .errno(38)),
        ]
        + nestable.map { flag in
            Rule(["clone", "unshare"], .errno(1), [Condition(0, .maskedEqual, flag, mask: flag)])
        }
        // CLONE_NEWTIME, which is a signal's bit for clone(2).
        + [Rule(["unshare"], .errno(1), [Condition(0, .maskedEqual, 0x80, mask: 0x80)])]

    /// CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID.
    private static let nestable: [UInt64] = [0x0200_0000, 0x0400_0000, 0x0800_0000, newUser, 0x2000_0000]

    /// CLONE_NEWUSER.
    private static let newUser: UInt64 = 0x1000_0000
}
