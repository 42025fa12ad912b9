/// What the page of the commands on snapshots says.
extension ManualProse {
    static let snapshot = ManualProse(
        details: [
            """
            A snapshot is a directory of the caller's own, in /var/lib/sandbox/snapshots for root, in \
            $XDG_STATE_HOME/sandbox/snapshots otherwise, or in $SANDBOX_STATE/snapshots. Its manifest tells what is \
            inside and holds the SHA-256 of every file; of one of more than 262144 bytes that of the lines which the \
            SHA-256 of each block of so many bytes make. It appears when it is complete and on disk, or not at all; what \
            a killed command left is taken away by sandbox gc.
            """,
            "Where a snapshot is asked for, the name of a sandbox stands for its newest one, but not in delete.",
            """
            An exported snapshot is a tar archive compressed by zstd, and holds the application's memory: keys and \
            passwords too. It is made readable for the caller alone, and encrypted for those whom --encrypt-to names, by \
            age or GnuPG; --sign vouches for it. An import of an encrypted one is decrypted first, and a signature is \
            looked at before anything becomes a snapshot; with --signed-by one must be there. An import \
            believes nothing of an archive: it takes plain files only, those that the manifest lists, with the sizes \
            and digests that stand there. But to restore a snapshot is to run the program in it, confined as its own \
            profile says: import what you trust, as you would with a program.
            """,
            """
            A restore needs the same kind of machine, with every processor instruction that the first one had, and the \
            files that the application has open or mapped, at the same paths and with the same content.
            """,
        ],
        examples: [
            (
                "What is there, and what is in the newest of a sandbox:",
                "sandbox snapshot list\nsandbox snapshot show web"
            ),
            (
                "Whether all are as they were taken:",
                "sandbox snapshot list --json | jq -r '.[].id' | xargs sandbox snapshot verify"
            ),
            (
                "To another host, encrypted on the way to it:",
                """
                sandbox snapshot export warm -o warm.age --encrypt-to age1... --sign ops@example.org
                sandbox snapshot import warm.age --identity key.txt --signed-by FINGERPRINT
                """
            ),
        ],
        exit: [
            ("0", "The command did what was asked."),
            ("125", "A snapshot is missing or refused, or the line cannot be taken; the others were dealt with."),
        ])
}
