/// What the pages of `checkpoint` and `restore` say.
extension ManualProse {
    static let checkpoint = ManualProse(
        details: [
            """
            CRIU writes the processes, their memory and their sockets; network, control groups, output and devices are \
            the sandbox's own and are made anew. While it writes, all processes stand still and no packet comes \
            through. A sandbox that can be saved is detached, and its profile says checkpoint.enabled = true: it gets a \
            pid and a mount namespace, its command is process 1, and system calls whose results CRIU cannot save are \
            refused as by a kernel without them, so that programs do without: io_uring, memfd_secret, userfaultfd, \
            perf_event_open, bpf, mq_open, sockets of vsock and MPTCP, and namespaces inside other than of mounts and \
            networks. Landlock and it exclude each other: CRIU would drop Landlock's rules without a word.
            """,
            """
            What an overlay changed goes with the snapshot, and so do the files of a profile and the output so far; a \
            directory that keeps an overlay's changes is put back as it was at the save. What is bound from the host is \
            not copied. What cannot be saved: a terminal, a user namespace, joined namespaces.
            """,
            """
            With checkpoint.every in its profile a detached sandbox is saved again and again while it runs, and the \
            newest of these snapshots, as many as checkpoint.keep says, are kept; snapshots that were asked for stay. \
            Nothing more is resident for that: the small process that waits for the sandbox anyway starts sandbox each \
            time. So it works without systemd, ends with the sandbox, and begins again when that is restored. TCP \
            connections are not in such a snapshot, since by the time it is used the peers have gone on. What \
            cannot be saved is told in the sandbox's log, and as the event save-failed.
            """,
            """
            With lifecycle.restart = "from-snapshot" a sandbox that has failed goes on from its newest snapshot, and \
            begins anew while there is none. Files on the host are as they are: a snapshot holds memory, not disks.
            """,
            """
            With --compress, or checkpoint.compression = "zstd", the images are compressed once the application has \
            been let go, so that it does not stand still for that.
            """,
            """
            Once it is done the snapshot is on disk, since it may be all that is left of the application. With --no-sync \
            nobody waits for that, as nobody does with criu(8) itself: a snapshot of a gigabyte is made in about two thirds \
            of the time, and a power cut within half a minute can take it, or leave what 'sandbox snapshot verify' refuses.
            """,
            """
            With --pre-copy, or checkpoint.pre-copy = true, all memory is copied while the application runs, and then, \
            again and again, what it has written to meanwhile, until that is little or no longer gets less; in the end it \
            stands still for the rest only. Each copy stops it for a moment, to learn what was written to, and 'sandbox \
            snapshot show' tells how much each was and for how long it stood still. It is worth its while from some \
            hundred megabytes on, of which few are written to all the time. Memory that processes share is copied in the \
            end only, and what is in huge pages is written to two megabytes at a time. All copies are parts of the one snapshot, \
            which is larger by what was copied more than once, and rests on no other. It is verified, compressed, \
            exported and restored as any other, with --lazy as long as it is not compressed. The kernel must tell which memory is written \
            to (CONFIG_MEM_SOFT_DIRTY, which Debian's kernels have; 'sandbox doctor' tells): without that --pre-copy is \
            refused, and a sandbox whose profile asks for it does not start. A copy that fails lets the application go on \
            and leaves nothing. A paused sandbox writes to nothing, and is saved without copies.
            """,
        ],
        examples: [
            (
                "A server saved and brought back, connections and all:",
                "sandbox checkpoint cache --snapshot warm\nsandbox restore warm -d"
            ),
            ("A copy of it as it is now:", "sandbox checkpoint cache --leave-running"),
            (
                "The same of one with much memory, which hardly stands still for it:",
                "sandbox checkpoint cache --leave-running --pre-copy"
            ),
            (
                "Every ten minutes, six of them:",
                """
                sandbox run -d -n cache --set checkpoint.enabled=true --set checkpoint.every=10m \\
                --set checkpoint.keep=6 -- redis-server
                """
            ),
        ],
        seeAlso: [("criu", 8)])

    static let migrate = ManualProse(
        details: [
            """
            The word with the other host is kept by ssh: 'sandbox receive' runs there, says that it can take the sandbox \
            before anything stands still here, takes the snapshot in as a stream, checks it as it checks any other, and \
            brings the sandbox back. Only when that runs does the one here end, and only then is the other one let go \
            on for good: at no time do both run. When the connection breaks after that, the snapshot is kept here, and \
            named. No snapshot is left on either side otherwise.
            """,
            """
            What neighbours send to the sandbox while it stands still is kept here, up to a mebibyte for each port, and \
            handed on when it runs there, or here again where that fails: a client need not wait for its own timer, which \
            grows with each packet that nobody answers. That goes for ports on switches without VLAN filtering. From then on \
            they find it where it runs. Where the switch here cannot be told so that is an event, station-lost.
            """,
            """
            What is not carried over: files on the host, which both hosts must have alike, and switches. The pages of \
            memory are all carried while the sandbox stands still, but for --pre-copy and --lazy.
            """,
            """
            With --pre-copy, or checkpoint.pre-copy = true in its profile, memory goes over while the sandbox runs here: all \
            of it, then what has been written to meanwhile, until that is little or no longer gets less (sandbox-checkpoint(1) \
            tells more of it). It stands still for the rest only. Whatever fails meanwhile lets it go on here, as without; \
            what had gone over is removed there. Of the two ways to a short gap it is the safe one: all memory is there when \
            the sandbox goes on. The kernel here must tell which memory is written to; the one there need not.
            """,
            """
            With --lazy only what is no plain memory is carried while it stands still. It goes on there, and gets its \
            pages as it needs them and all of them in the end, in CRIU's own words within the connection that ssh has \
            made: no further port is open, and no key needed. Its processes stay here, stopped, until the other host \
            has all; only then do they end. When the connection breaks before, the sandbox is ended there, and goes \
            on here as it was when it left: what it did meanwhile is lost, and its connections with others are closed, \
            since these have gone on. When it breaks just after the other host was told to keep it, nobody can know: \
            then it is paused here, and the error says what to look for; 'sandbox resume' has its neighbours find it here \
            again. Each failure is an event, migration-failed.
            """,
            """
            Where root lacks CAP_SYS_RESOURCE, as in some virtual machines, --lazy wants pipes of four mebibytes: \
            sysctl -w fs.pipe-max-size=4194304.
            """,
        ],
        examples: [
            (
                "Two hosts with one switch, and a server that moves:",
                """
                sandbox switch create wide --subnet 10.1.0.1/24 --vxlan 7 --peer 192.0.2.2
                ssh root@192.0.2.2 sandbox switch create wide --subnet 10.1.0.2/24 --vxlan 7 --peer 192.0.2.1
                sandbox run -d -n cache --set checkpoint.enabled=true --unshare net --switch wide -- redis-server
                sandbox migrate cache root@192.0.2.2
                """
            ),
            (
                "One with much memory, whose clients shall not wait for all of it:",
                "sandbox migrate cache root@192.0.2.2 --pre-copy"
            ),
            (
                "The same where the kernel does not tell what is written to:",
                "sandbox migrate cache root@192.0.2.2 --lazy"
            ),
        ],
        seeAlso: [("criu", 8), ("ssh", 1)])

    static let restore = ManualProse(
        details: [
            """
            The snapshot is checked byte by byte before anything is made of it. The name of a sandbox stands for its \
            newest snapshot. Capabilities, filters of system calls, namespaces, control groups and mounts are compared \
            with what the snapshot tells before the application makes a step. Where it fails nothing is left, and the snapshot stays.
            """,
            """
            With another address, or as one of several, its TCP connections are closed; sockets that listen or are \
            bound to the old address have the new one, and what the application itself knows of its address stays as \
            it was. The memory of the images is read from the snapshot, never copied beside it.
            """,
            """
            CPUs, io priority and timer slack of each thread, the filter of core dumps of each process and a session \
            keyring of its own are put back too, which CRIU forgets; the first process's personality is given to \
            all. CPUs that this machine does not have are left out.
            """,
            """
            With --replace a sandbox of that name that runs is killed first, once the snapshot has been checked: back \
            to what it was. Its peers have gone on since, so its connections are closed. Together with --latest the \
            word is the sandbox's name.
            """,
            """
            With --lazy it begins before its memory is there, which is read from the images as it is needed, and all of \
            it in the end; the event loaded tells when. Until then two processes of sandbox and one of CRIU are there \
            beside it, and it is not saved. Where a page cannot be had the sandbox is killed, as the event memory-lost and the \
            log tell, rather than left to read zeros. The memory of an uncompressed snapshot is checked block by block when \
            it is brought in, and where one has been altered the sandbox is killed before it reads it; a compressed one \
            is checked and expanded before, as is all of one with --replace. The kernel must have userfaultfd(2).
            """,
            """
            With --count all of them run in the end, or none is left, also when the command is interrupted or killed. \
            They get automatic addresses on the same switch; ports of the host and devices that only one can have are \
            refused. Random numbers, keys and the like that the application holds in memory are the same in each: \
            checkpoint.on-clone of its profile is a command that runs in each as sandbox exec would, and renews them. \
            With --lazy each goes on before its memory is there, as one alone does.
            """,
        ],
        examples: [
            ("The newest snapshot of a sandbox:", "sandbox restore cache -d"),
            ("Under another name:", "sandbox restore warm -n other -d"),
            ("Back to the newest snapshot, whatever it does now:", "sandbox restore --latest cache -d --replace"),
            ("Three more of a server that runs:", "sandbox restore warm --count 3"),
            ("With much memory, sooner:", "sandbox restore cache -d --lazy"),
            ("On another switch:", "sandbox restore warm -n staging -d --switch test --address auto"),
        ],
        exit: [
            ("*", "The command's own, without -d."),
            ("125", "It was not restored; one line on standard error says what, where and how to mend it."),
        ])
}
