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
        Key(
            "every", .duration(1000...7 * 24 * 3_600_000),
            "Time between snapshots that are taken while a detached box runs, by the small process that waits for it; its "
                + "TCP connections are not in them, and go on in the box",
            example: "\"10m\""),
        Key(
            "keep", .integer(1...1000), "How many of the snapshots of checkpoint.every are kept, the newest",
            example: "6",
            fallback: "3"),
        Key(
            "compression", .string(.choice(words(Profile.Compression.allCases))),
            "How snapshots are kept: compressed once the application has been let go, or as CRIU writes them, which a "
                + "restore reads sooner",
            example: "\"zstd\"", fallback: "none", basis: "zstd(1)"),
        Key(
            "pre-copy", .boolean,
            "Whether memory is copied while the box runs, again and again what it has written to, until little is left: then "
                + "a save or a move stops it for that only. The kernel must tell what is written to (CONFIG_MEM_SOFT_DIRTY)",
            example: "true", fallback: "false", basis: "criu(8), pre-dump"),
    ]
}
