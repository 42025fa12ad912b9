/// What the pages of the commands on named sandboxes say.
extension ManualProse {
    static func lifecycle(of command: String) -> ManualProse {
        switch command {
        case "ps": ps
        case "exec": exec
        case "attach": attach
        case "logs": logs
        case "wait": wait
        case "stop": stop
        case "kill": kill
        case "rm": remove
        case "pause", "resume": pause
        case "update": update
        case "inspect": inspect
        case "stats": stats
        case "top": top
        case "events": events
        case "gc": sweep
        default: ManualProse()
        }
    }

    private static let ps = ManualProse(
        details: [
            """
            A sandbox is known as long as it has a name: -n gives it one, -d makes one up. What is known are files in \
            the caller's state directory; a process is known by its number and start time, never by its number alone. \
            The state is created (being launched, or waiting to begin again), running, paused, stopped or \
            checkpointed.
            """,
            """
            The exit status of a sandbox is known when somebody was there to learn it: the waiter of one in the \
            foreground, the small process that stays with a detached one. It is not for a named command that sandbox \
            itself became, nor with lifecycle.record-exit = false.
            """,
        ],
        examples: [
            ("All, those that have ended too, for a script:", "sandbox ps -a --json")
        ],
        seeAlso: [("ps", 1), ("lsns", 8)])

    private static let exec = ManualProse(
        details: [
            """
            The command enters every namespace of the sandbox and gets its control groups, capability sets, system \
            call filter, Landlock rules, resource limits and environment: what sandbox's own command has, and never \
            more, whatever user it is run as. Open files are closed but for standard input, output and error. Landlock \
            knows no joining, so the rules are enforced anew: a scope then lies between the two commands.
            """
        ],
        examples: [
            ("A shell with a terminal of its own:", "sandbox exec -t web -- bash"),
            ("As another user of the box:", "sandbox exec --user www-data web -- id"),
        ],
        seeAlso: [("nsenter", 1), ("setns", 2), ("pidfd_open", 2)], exit: run.exit)

    private static let attach = ManualProse(
        details: [
            """
            For sandboxes that were started with -d and -t. What was last written is shown first. One at a time may \
            type; any number up to eight may look on with --read-only. The window of the one who types sets the size.
            """
        ],
        examples: [
            ("Start an editor, leave it with Ctrl-], and come back:", "sandbox run -d -t -n notes -- vi notes.txt"),
            ("Come back:", "sandbox attach notes"),
        ],
        seeAlso: [("pty", 7)])

    private static let logs = ManualProse(
        details: [
            """
            A detached command writes its output to a file itself; nothing is copied. With lifecycle.log-size the \
            process that stays with it copies the output into two files of half that size each, and so it does for a \
            pseudo-terminal. Only then is it known when a line was written: --since else begins with the start of the \
            run, and says so.
            """,
            """
            On a terminal, what could move the cursor or change the window's title is shown, not acted upon; colours \
            are kept. To a file or pipe the bytes go as they are.
            """,
        ],
        examples: [
            ("The last lines, and those that follow:", "sandbox logs -f --tail 20 web"),
            ("Keep at most the last megabyte:", "sandbox run -d -n job --set lifecycle.log-size=1M -- ./job"),
        ])

    private static let wait = ManualProse(
        details: [
            """
            The exit status is the sandbox's: its command's own, or 128+N when signal N ended it. Waiting takes no \
            polling.
            """
        ],
        examples: [
            ("Start a job, and go on with how it ended:", "sandbox run -d -n job -- ./job && sandbox wait job"),
            ("Several, for half an hour at most:", "sandbox wait -t 30m one two three"),
        ],
        exit: [
            ("0 to 124", "The command's own exit status."),
            (
                "125",
                "There is no such sandbox, nobody was there to learn its exit status, or the time was over before it."
            ),
            ("128+N", "The command was ended by signal N."),
        ])

    private static let stop = ManualProse(
        details: [
            """
            The command gets the profile's lifecycle.stop-signal (TERM when it names none); what has not ended after \
            lifecycle.stop-timeout (10 seconds), or the seconds given, is killed with all that is left in the sandbox. \
            Several sandboxes are stopped side by side. A stopped sandbox keeps its record and its log until it is \
            removed, or another one takes its name.
            """
        ],
        examples: [("Two at once, with half a minute's grace:", "sandbox stop -t 30 web cache")],
        seeAlso: [("signal", 7)])

    private static let kill = ManualProse(
        details: [
            """
            The signal goes to the command, not to the process that stands over it. What the signal does is the \
            command's business; sandbox stop waits, and sees to it that nothing is left. \
            KILL ends a paused command too, and lets the rest of the sandbox go on; other signals may wait until it is \
            resumed.
            """
        ],
        examples: [("Read the configuration again:", "sandbox kill -s HUP web")],
        seeAlso: [("signal", 7), ("pidfd_send_signal", 2)])

    private static let remove = ManualProse(
        details: [
            """
            A running sandbox is left alone unless -f is given, which kills it first. Its log goes with the record. Of \
            a sandbox whose record is damaged, -f kills what is provably its own: the processes that the record still \
            names, and those in control groups named after its launcher or that have files of its directory open.
            """
        ],
        examples: [("All that have ended:", "sandbox gc --stopped"), ("One that runs:", "sandbox rm -f web")])

    private static let pause = ManualProse(
        details: [
            """
            All processes of the sandbox stop where they are, without a signal and without knowing, by the freezer of \
            its control group; they keep their memory and their connections, and clocks run on. A paused sandbox can \
            be looked at, be given other limits, be stopped, killed and removed: it then goes on for as long as it \
            takes to end. A command that sandbox exec brought in \
            stands still too.
            """,
            "Pausing what is paused and resuming what is not are errors, so that two who do it learn of each other.",
        ],
        examples: [
            (
                "Keep it quiet while its files are copied:",
                "sandbox pause db && cp -a /srv/db /backup; sandbox resume db"
            ),
            ("Which ones are paused:", "sandbox ps --json | jq -r '.[] | select(.state == \"paused\").name'"),
        ],
        seeAlso: [("cgroups", 7)])

    private static let update = ManualProse(
        details: [
            """
            Limits of the control group change at once, all of those given or none; the record's profile changes with \
            them, so that a new start has them too. What else a profile says cannot change while the sandbox runs.
            """,
            """
            Memory is brought below a new limit by giving pages back, never by killing; where that is not enough, the \
            line is refused and says how much is in use. Fewer processes than there are only keep new ones from \
            starting. A sandbox without a control group, as an ordinary user has it, has no limits to change.
            """,
        ],
        examples: [
            (
                "More memory, half a processor:",
                "sandbox update web --set resources.memory=1G --set resources.cpu=0.5"
            ),
            ("No limit on processes any more:", "sandbox update web --set 'resources.pids=!'"),
            ("What is in force:", "sandbox inspect web | jq '.[0].live.limits'"),
        ],
        seeAlso: [("cgroups", 7)])

    private static let inspect = ManualProse(
        details: [
            """
            The record, the plan that was carried out, and what the kernel says at this moment: processes, interfaces \
            with their counters, mounts, limits and use, capability sets, seccomp mode. Process numbers and user ids \
            are those that the caller sees, mounts and interfaces those of the sandbox. The keys are stable; new ones \
            may be added.
            """,
            """
            The plan is made anew from what was asked for. Where that cannot be any more, because a directory is gone, \
            say, planProblem tells why; what runs is as it was.
            """,
        ],
        examples: [
            ("Its processes:", "sandbox inspect web | jq '.[0].live.pids'"),
            ("What its command may do:", "sandbox inspect web | jq '.[0].live.confinement'"),
            ("For people:", "sandbox inspect --format text web"),
        ],
        seeAlso: [("jq", 1), ("lsns", 8), ("capabilities", 7)])

    private static let stats = ManualProse(
        details: [
            """
            Processor time, memory, processes and disk traffic are what the control group counts, packets and bytes \
            what the interfaces in the sandbox's network namespace count. Where the caller may make no control group, \
            processor and memory are added up over the processes: without what has ended, and with shared memory \
            counted for each of them.
            """,
            """
            In JSON times are microseconds and sizes bytes, since the sandbox began; cpuPercent is over the interval, \
            and null is what is not counted or not limited.
            """,
        ],
        examples: [
            (
                "Memory of all, the greatest first:",
                "sandbox stats --json | jq -r 'sort_by(-.memory)[] | [.name, .memory] | @tsv'"
            ),
            ("A line each ten seconds into a file:", "sandbox stats --stream --json --interval 10 web > web.stats"),
        ],
        seeAlso: [("cgroups", 7)])

    private static let top = ManualProse(
        details: [
            """
            Where the others count since the beginning, top shows rates: CPU%, 100 being one processor, and bytes a \
            second from and to block devices and through the sandbox's own interfaces but the loopback. MEM% is of the \
            sandbox's limit, or of the machine's memory where that is less. '-' is what is not counted, as the traffic \
            of a sandbox that uses the caller's network; '~' marks what was added up over processes for want of a \
            control group. The lines above the table are the totals of all rows. On a narrow terminal the columns that \
            matter least are left out.
            """,
            """
            Keys that sort: n name, t state, c CPU%, m memory, l MEM%, p processes, r read, w written, i received, o \
            sent; the same key again, or R, turns the order round. '+' and '-' change the interval, j, k, the arrows \
            and Page Up and Down scroll, h helps, q, Ctrl-C and Ctrl-D quit, Ctrl-Z stops it for a while. However it \
            ends, the terminal is as it was before.
            """,
        ],
        examples: [
            ("Who writes the most:", "sandbox top --sort written"),
            ("Once, into a mail:", "sandbox top --once --interval 5 | mail -s sandboxes root"),
        ],
        seeAlso: [("top", 1), ("cgroups", 7)])

    private static let events = ManualProse(
        details: [
            """
            A line for each thing that happens to a sandbox: created, started, exited, oom, restarted, paused, \
            resumed, updated, removed. Whoever follows also notices ends at once that nobody else has recorded \
            yet.
            """
        ],
        examples: [
            ("As lines of JSON, for a program:", "sandbox events --json"),
            ("What happened in the last hour:", "sandbox events --since 1h --no-follow"),
        ])

    private static let sweep = ManualProse(
        details: [
            """
            Clears away what killed commands left: sandboxes that were being launched, ends that nobody has recorded, \
            control groups without processes, half-written files. Any command does this for the sandbox that it is \
            about; gc does it for all. Records of stopped sandboxes stay until they are removed.
            """
        ],
        examples: [
            ("What was left, if anything:", "sandbox gc"),
            ("Forget what ended a week ago or earlier:", "sandbox gc --stopped --older 7d"),
        ])
}
