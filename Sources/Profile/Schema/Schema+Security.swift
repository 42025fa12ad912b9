extension Schema {
    static let security: [Key] = [
        Key("capabilities", .table(capabilities), "Parts of root's power", basis: "capabilities(7)"),
        Key(
            "securebits", .list(.string(.choice(Names.securebits))), "How the kernel treats user id 0",
            example: "[\"noroot\", \"noroot-locked\"]", fallback: "[]", basis: "capabilities(7)"),
        Key("seccomp", .table(seccomp), "System calls that are refused", basis: "seccomp(2)"),
        Key(
            "user-namespaces", .string(.choice(words(Profile.Permission.allCases))),
            "Whether the box may create user namespaces", example: "\"deny\"", basis: "user_namespaces(7)"),
        Key(
            "uid-map", .idMapping,
            "self: the caller's own id; auto: a private range; or triples of first id in the box, first outside, count",
            example: "\"self\"", fallback: "self", basis: "user_namespaces(7)"),
        Key("gid-map", .idMapping, "As uid-map, for groups", example: "\"self\"", fallback: "as uid-map"),
        Key("landlock", .table(landlock), "Rules of Landlock beyond the filesystem's", basis: "landlock(7)"),
        Key(
            "terminal-injection", .string(.choice(words(Profile.Permission.allCases))),
            "Whether TIOCSTI and TIOCLINUX reach a terminal that is shared with the caller", example: "\"deny\"",
            fallback: "deny", basis: "TIOCSTI(2const)"),
    ]

    private static let capabilities: [Key] = [
        Key(
            "keep", .list(.string(.capability)), "What root in the box may use; the bounding set",
            example: "[\"NET_BIND_SERVICE\"]", fallback: "the caller's when root in the box, none otherwise"),
        Key(
            "ambient", .list(.string(.capability)), "Kept by a command that is not root", example: "[]", fallback: "[]"
        ),
        Key("bounding", .list(.string(.capability)), "The bounding set, exactly", example: "[]"),
        Key("permitted", .list(.string(.capability)), "The permitted set, exactly", example: "[]"),
        Key("effective", .list(.string(.capability)), "The effective set, exactly", example: "[]"),
        Key("inheritable", .list(.string(.capability)), "The inheritable set, exactly", example: "[]"),
    ]

    private static let seccomp: [Key] = [
        Key(
            "default", .string(.choice(words(Profile.Seccomp.Default.allCases))),
            "What happens to calls that are not listed", example: "\"allow\"", fallback: "allow"),
        Key(
            "allow", .list(.string(.call)), "Calls, and groups that begin with @, that are let through",
            example: "[\"@system-service\"]", fallback: "[]", basis: "systemd.exec(5), SystemCallFilter="),
        Key(
            "deny", .list(.string(.call)), "Calls, and groups that begin with @, that are refused",
            example: "[\"@mount\", \"@module\", \"@reboot\"]", fallback: "[]",
            basis: "systemd.exec(5), SystemCallFilter="),
        Key(
            "action", .action, "What meets a refused call: an errno name, kill, log, allow, trap or { errno = … }",
            example: "\"EPERM\"", fallback: "\"EPERM\"", basis: "seccomp_init(3)"),
        Key(
            "architectures", .list(.string(.architecture)), "Architectures whose calls are let through",
            example: "[\"native\"]", fallback: "all of the machine", basis: "seccomp_arch_add(3)"),
        Key(
            "rules", .records(rules, identity: ["calls"]), "Calls with an action of their own",
            example: "[{ calls = [\"socket\"], action = \"EAFNOSUPPORT\", when = "
                + "[{ argument = 0, is = \"==\", value = 17 }] }]",
            fallback: "[]", basis: "seccomp_rule_add(3)"),
    ]

    private static let rules: [Key] = [
        Key(
            "calls", .vector(.string(.call)), "Calls, and groups that begin with @", example: "[\"socket\"]",
            required: true),
        Key("action", .action, "What meets them", example: "\"EPERM\"", required: true),
        Key(
            "when", .records(conditions, identity: []), "Conditions on arguments, all of which must hold",
            example: "[{ argument = 0, is = \"==\", value = 17 }]", fallback: "[]"),
    ]

    private static let conditions: [Key] = [
        Key("argument", .integer(0...5), "Number of the argument, from 0", example: "0", required: true),
        Key(
            "is", .string(.choice(words(Profile.SeccompCondition.Comparison.allCases))),
            "Comparison; &== compares what mask leaves", example: "\"==\"", fallback: "\"==\""),
        Key("value", .word, "64 bits to compare with", example: "0", required: true),
        Key("mask", .word, "Bits that count, for &==", example: "\"0xff\""),
    ]

    private static let landlock: [Key] = [
        Key(
            "tcp-bind", .list(.integer(0...65535)), "TCP ports that may be bound", example: "[8080]",
            fallback: "all"),
        Key(
            "tcp-connect", .list(.integer(0...65535)), "TCP ports that may be connected to", example: "[443]",
            fallback: "all"),
        Key(
            "scope", .list(.string(.choice(words(Profile.Landlock.Scope.allCases)))),
            "What must not leave the box", example: "[\"abstract-unix\", \"signal\"]", fallback: "[]"),
    ]
}
