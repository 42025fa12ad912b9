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

    /// CLONE_NEWUSER.
    private static let newUser: UInt64 = 0x1000_0000
}
