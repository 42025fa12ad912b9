extension Schema {
    static let checkpoint: [Key] = [
        Key(
            "enabled", .boolean,
            "Whether the box is made so that it can be saved: with a pid and a mount namespace, the command as process 1, "
                + "and without system calls whose results cannot be saved (io_uring, nested namespaces and their like), "
                + "which programs do without",
            example: "true", fallback: "false", basis: "criu(8)"),
        Key(
            "tcp", .string(.choice(words(Profile.Connections.allCases))),
            "What becomes of TCP connections: they go on after a restore, or are closed", example: "\"established\"",
            fallback: "established"),
        Key(
            "on-clone", .vector(.string(.text)),
            "A command and its arguments, run in each clone of a snapshot as 'sandbox exec' would, with its name in "
                + "$SANDBOX_NAME and its number in $SANDBOX_CLONE: for keys and seeds that clones must not share. Where it "
                + "fails, no clone stays",
            example: "[\"/usr/local/bin/new-identity\"]"),
    ]
}
