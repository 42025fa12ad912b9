/// What the page of the commands on snapshots says.
extension ManualProse {
    static let snapshot = ManualProse(
        details: [
            """
            A snapshot is a directory of the caller's own, in /var/lib/sandbox/snapshots for root, in \
            $XDG_STATE_HOME/sandbox/snapshots otherwise, or in $SANDBOX_STATE/snapshots. Its manifest tells what is \
            inside and holds the SHA-256 of every file. It appears when it is complete, or not at all; what a killed \
            command left is taken away by sandbox gc.
            """,
            "Where a snapshot is asked for, the name of a sandbox stands for its newest one, but not in delete.",
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
        ],
        exit: [
            ("0", "The command did what was asked."),
            ("125", "A snapshot is missing or refused, or the line cannot be taken; the others were dealt with."),
        ])
}
