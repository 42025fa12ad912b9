/// What a page says beyond the command's description, options and arguments.
struct ManualProse {
    var details: [String] = []
    var examples: [(purpose: String, line: String)] = []
    var seeAlso: [(String, Int)] = []
    var exit: [(tag: String, text: String)] = ManualProse.plainExit

    static let plainExit = [
        ("0", "The command did what was asked."),
        (
            "125",
            """
            The line cannot be taken, or something failed; one line on standard error says what, where and how to \
            mend it.
            """
        ),
    ]

    static func of(_ command: String) -> ManualProse {
        switch command {
        case "": root
        case "run": run
        case "explain": explain
        case "doctor": doctor
        case "profile": profile
        case "snapshot": snapshot
        case "checkpoint": checkpoint
        case "restore": restore
        case "migrate": migrate
        case "view": view
        case "switch": fabric
        case "chain": chain
        default: lifecycle(of: command)
        }
    }

    private static let root = ManualProse(
        details: [
            """
            A box is an ordinary process in new namespaces of the kernel, as few or as many as it needs: users, \
            mounts, process numbers, network, System V objects, host name, control groups, clocks. Without a process \
            number namespace sandbox becomes the application: nothing stays resident beside it.
            """,
            """
            What a box may see and do is written in profiles, which are TOML files, and can be changed on the command \
            line. Profiles are merged from left to right; sandbox profile show tells which file each value came from.
            """,
        ],
        examples: [
            ("A shell with a network and mounts of its own:", "sandbox run --unshare net,mount -- bash"),
            ("The same command without any network:", "sandbox run -p no-network -- curl http://localhost/"),
            ("What a profile leaves open:", "sandbox explain -p web-server"),
        ],
        seeAlso: [("unshare", 1), ("nsenter", 1), ("namespaces", 7), ("capabilities", 7), ("landlock", 7)])

    static let run = ManualProse(
        details: [
            """
            Without any profile and option the command runs as it would without sandbox, except that set-user-ID \
            programs give it no rights, that it inherits no open files but standard input, output and error, and that \
            it cannot type into the caller's terminal. Everything else is asked for.
            """,
            """
            The options that say what the box is are short forms of keys of the profile language, see \
            sandbox-profile(5); they apply after all profiles. A list is appended to, and an entry with an exclamation \
            mark takes away: --unshare all,!net is everything but a network.
            """,
            """
            Relative paths of the host (of --bind, --root, --overlay, --read-only, --writable and --hide) start from \
            the caller's directory. The other paths are the box's. In --bind a colon that is part of a name is written \
            with a backslash before it.
            """,
        ],
        examples: [
            (
                "No network, and a home directory that is empty:",
                "sandbox run --unshare net,mount --private home -- bash"
            ),
            (
                "Compile what somebody sent you. It sees the sources, and writes only there:",
                "sandbox run -p build --bind ./src:/src --workdir /src -- make"
            ),
            (
                "Another distribution's tree on the same kernel, changes thrown away:",
                "sandbox run --unshare all --root /srv/alpine --overlay tmpfs -- sh"
            ),
            (
                "At most half a processor and 256 MiB:",
                "sandbox run --set resources.cpu=0.5 --set resources.memory=256M -- ./job"
            ),
            ("What would be done:", "sandbox run -p web-server --dry-run -- nginx"),
        ],
        seeAlso: [
            ("unshare", 1), ("execve", 2), ("namespaces", 7), ("user_namespaces", 7), ("capabilities", 7),
            ("seccomp", 2),
        ],
        exit: [
            ("0 to 124", "The command's own exit status; 126 and up too, where the command chooses them."),
            (
                "125",
                """
                Sandbox failed before the command began: one line on standard error says what, where and how to mend \
                it; nothing was started and nothing is left.
                """
            ),
            ("126", "The command cannot be executed."),
            ("127", "There is no command of that name."),
            ("128+N", "The command was ended by signal N."),
        ])

    private static let explain = ManualProse(
        details: [
            """
            Each statement has a risk. High: the box may act outside with the caller's rights. Medium: it reaches data \
            or programs of the caller, or more of the kernel than it needs. Low: it learns something, or may be a \
            nuisance. What is kept from the box comes last.
            """,
            "The answer rests on the profile; whether this machine can give all of it is sandbox doctor's to say.",
            """
            For a sandbox the answer rests on the profile that it was launched with, with what sandbox update has \
            changed since; profile and plan are printed too. What the kernel enforces is sandbox inspect's to say.
            """,
        ],
        examples: [
            ("A shipped profile:", "sandbox explain -p untrusted"),
            (
                "A line that you are about to run, with the risks as a list for a script:",
                "sandbox explain --unshare net,mount --read-only / --json"
            ),
            ("One that runs:", "sandbox explain web"),
        ])

    private static let doctor = ManualProse(
        examples: [
            ("All that this machine lacks, and the commands that mend it:", "sandbox doctor"),
            ("As a check in a script:", "sandbox doctor --json > /dev/null || echo 'not ready'"),
        ],
        seeAlso: [("namespaces", 7), ("cgroups", 7), ("landlock", 7), ("subuid", 5), ("newuidmap", 1)],
        exit: [
            ("0", "Sandbox run has what it needs."),
            ("1", "Something that sandbox run needs is lacking; what it is and how to mend it is in the output."),
            ("125", "The line cannot be taken."),
        ])

    private static let profile = ManualProse(
        details: [
            """
            A profile is looked up by name in the user's directory, the administrator's and the shipped one, in this \
            order; a word with a slash or the ending .toml is a file. Your own file of a shipped profile's name takes \
            its place, and adds to it when it says extends with its own name.
            """
        ],
        examples: [
            ("Where each value comes from:", "sandbox profile show web-server"),
            (
                "Begin one of your own:",
                "sandbox profile new mine\nsandbox profile check mine"
            ),
            ("Completion and checks in an editor:", "sandbox profile schema > sandbox.schema.json"),
        ],
        exit: [
            ("0", "The command did what was asked; all checked profiles are good."),
            ("1", "A checked profile has errors."),
            ("125", "The line cannot be taken, or a profile cannot be read."),
        ])
}
