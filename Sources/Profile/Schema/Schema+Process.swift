extension Schema {
    static let process: [Key] = [
        Key(
            "command", .vector(.string(.text)), "The command and its arguments, when the command line gives none",
            example: "[\"nginx\", \"-g\", \"daemon off;\"]", basis: "execve(2)"),
        Key(
            "user", .account, "A name, looked up in the box's own passwd(5), or a number", example: "\"www-data\"",
            fallback: "the caller"),
        Key(
            "group", .account, "A name, looked up in the box's own group(5), or a number", example: "\"www-data\"",
            fallback: "the user's"),
        Key(
            "groups", .list(.account), "Supplementary groups", example: "[]",
            fallback: "the caller's, none when a user is named", basis: "setgroups(2)"),
        Key(
            "umask", .string(.octal(maximum: 0o777)), "Permissions that new files do not get, octal",
            example: "\"0022\"", fallback: "the caller's", basis: "umask(2)"),
        Key(
            "working-directory", .string(.path), "Where the command starts", example: "\"/srv\"",
            fallback: "the caller's, / when that is not in the box"),
        Key(
            "hostname", .string(.hostname), "Host name in a uts namespace of the box's own", example: "\"web\"",
            basis: "sethostname(2)"),
        Key(
            "domainname", .string(.hostname), "NIS domain name in a uts namespace of the box's own",
            example: "\"example\"", basis: "setdomainname(2)"),
        Key(
            "no-new-privileges", .boolean, "Whether set-user-id programs and file capabilities give nothing",
            example: "true", fallback: "true", basis: "PR_SET_NO_NEW_PRIVS(2const)"),
        Key(
            "terminal", .string(.choice(words(Profile.Terminal.allCases))),
            "auto: the caller's, guarded against injected input; pty: one of its own; inherit: the caller's as it is; "
                + "none: a session without one",
            example: "\"auto\"", fallback: "auto", basis: "pty(7)"),
        Key(
            "die-with-parent", .boolean, "Whether the box ends when its starter does", example: "false",
            fallback: "false", basis: "PR_SET_PDEATHSIG(2const)"),
        Key(
            "init", .boolean,
            "With a pid namespace: whether a small init is process 1, or the command itself", example: "true",
            fallback: "true", basis: "pid_namespaces(7)"),
        Key("environment", .table(environment), "Environment variables", basis: "environ(7)"),
        Key(
            "oom-score-adjust", .integer(-1000...1000), "How readily the kernel ends it when memory runs out",
            example: "0", fallback: "the caller's", basis: "proc_pid_oom_score_adj(5)"),
        Key("nice", .integer(-20...19), "Niceness", example: "0", fallback: "the caller's", basis: "setpriority(2)"),
        Key(
            "core-limit", .limit, "Largest core dump, the same as limits.core", example: "0", fallback: "the caller's",
            basis: "setrlimit(2)"),
        Key("scheduling", .table(scheduling), "CPU scheduling", basis: "sched(7)"),
        Key("io-priority", .table(ioPriority), "Disk scheduling", basis: "ioprio_set(2)"),
        Key(
            "cpu-affinity", .string(.cpus), "CPUs that the command runs on", example: "\"0-1,3\"",
            fallback: "the caller's", basis: "sched_setaffinity(2)"),
        Key(
            "keep-descriptors", .list(.integer(3...1_048_575)),
            "Descriptors beyond 0, 1 and 2 that the command inherits",
            example: "[3]", fallback: "[]", basis: "close_range(2)"),
        Key(
            "session-keyring", .boolean, "Whether it gets a new, empty session keyring", example: "true",
            fallback: "true", basis: "session-keyring(7)"),
    ]

    private static let environment: [Key] = [
        Key(
            "clear", .boolean, "Whether only kept and set variables remain", example: "false", fallback: "false"),
        Key(
            "keep", .list(.string(.variablePattern)), "Variables kept when cleared; `*` at the end matches any rest",
            example: "[\"PATH\", \"TERM\", \"LC_*\"]", fallback: "[]"),
        Key(
            "unset", .list(.string(.variablePattern)), "Variables taken out; `*` at the end matches any rest",
            example: "[\"SSH_AUTH_SOCK\"]", fallback: "[]"),
        Key("set", .map(.variable, .string(.text)), "Variables set", example: "{ LANG = \"C.UTF-8\" }", fallback: "{}"),
    ]

    private static let scheduling: [Key] = [
        Key(
            "policy", .string(.choice(words(Profile.Scheduling.Policy.allCases))), "Scheduling policy",
            example: "\"batch\"", required: true),
        Key(
            "priority", .integer(0...99), "1 to 99 for fifo and rr, 0 for the others", example: "0", fallback: "0"),
    ]

    private static let ioPriority: [Key] = [
        Key(
            "class", .string(.choice(words(Profile.IOPriority.Class.allCases))), "Scheduling class",
            example: "\"best-effort\"", required: true),
        Key("level", .integer(0...7), "0 (first) to 7 (last)", example: "4", fallback: "4"),
    ]

    /// The raw values of an enumeration's cases.
    static func words<Word: RawRepresentable<String>>(_ cases: [Word]) -> [String] {
        var words: [String] = []
        for word in cases { words.append(word.rawValue) }
        return words
    }
}
