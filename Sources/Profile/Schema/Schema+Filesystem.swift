extension Schema {
    static let filesystem: [Key] = [
        Key(
            "root", .string(.path), "The directory tree that becomes /", example: "\"/\"", fallback: "\"/\"",
            basis: "pivot_root(2)"),
        Key("overlay", .table(overlay), "Changes kept apart from the tree", basis: "mount(8), overlay"),
        Key(
            "read-only", .list(.string(.path)), "Trees that cannot be written", example: "[\"/usr\", \"/etc\"]",
            fallback: "[]", basis: "mount_setattr(2)"),
        Key(
            "writable", .list(.string(.path)), "Trees that can be written, though a tree around them cannot",
            example: "[\"~/Downloads\"]", fallback: "[]", basis: "mount_setattr(2)"),
        Key(
            "hide", .list(.string(.path)), "Masked, whatever else is said; missing paths are passed over",
            example: "[\"~/.ssh\"]", fallback: "[]"),
        Key(
            "private", .list(.string(.choice(words(Profile.PrivateArea.allCases)))),
            "Fresh and empty: tmp (/tmp, /var/tmp), home (/home, /root), dev (the usual device nodes), run (/run)",
            example: "[\"tmp\", \"dev\"]", fallback: "[]"),
        Key(
            "bind", .records(bind, identity: ["to", "from"]), "Host files and directories shown in the box",
            example: "[{ from = \"/srv/www\", to = \"/var/www\", options = [\"ro\", \"nosuid\"] }]", fallback: "[]",
            basis: "open_tree(2)"),
        Key(
            "tmpfs", .records(tmpfs, identity: ["path"]), "File systems in memory",
            example: "[{ path = \"/run\", size = \"16M\", mode = \"0755\" }]", fallback: "[]", basis: "tmpfs(5)"),
        Key(
            "files", .records(files, identity: ["path"]), "Files with given content",
            example: "[{ path = \"/etc/motd\", content = \"hello\" }]", fallback: "[]"),
        Key(
            "symlinks", .records(symlinks, identity: ["path"]), "Symbolic links",
            example: "[{ path = \"/bin\", target = \"usr/bin\" }]", fallback: "[]", basis: "symlink(2)"),
        Key(
            "landlock", .boolean, "Whether the kernel's Landlock enforces the same rules too", example: "true",
            fallback: "false", basis: "landlock(7)"),
        Key(
            "proc", .string(.choice(words(Profile.Proc.allCases))),
            "auto: fresh with a mount and a pid namespace, else the host's; fresh; host; none", example: "\"auto\"",
            fallback: "auto", basis: "proc(5)"),
        Key(
            "masked-paths", .list(.string(.path)), "Paths of a fresh /proc and of /sys that are hidden",
            example: "[\"/proc/kcore\"]", fallback: "the OCI runtime specification's usual list"),
        Key(
            "readonly-paths", .list(.string(.path)), "Paths of a fresh /proc that cannot be written",
            example: "[\"/proc/sys\"]", fallback: "the OCI runtime specification's usual list"),
    ]

    private static let overlay: [Key] = [
        Key(
            "upper", .string(.pathOr("tmpfs")), "tmpfs: changes end with the box; a directory: it keeps them",
            example: "\"tmpfs\"", required: true),
        Key("size", .size(minimum: 1), "Most bytes of a tmpfs", example: "\"64M\"", basis: "tmpfs(5)"),
    ]

    private static let bind: [Key] = [
        Key("from", .string(.path), "The host's path", example: "\"/srv/www\"", required: true),
        Key("to", .string(.path), "The path in the box", example: "\"/var/www\"", fallback: "the same as from"),
        Key(
            "options", .vector(.string(.bindOption)),
            "mount(8) options; bind: without what is mounted below; optional: a missing source is no error; nofollow: "
                + "the source is no symbolic link; idmap: file owners by the user namespace's mapping",
            example: "[\"ro\", \"nosuid\"]", fallback: "[]", basis: "mount(8)"),
    ]

    private static let tmpfs: [Key] = [
        Key("path", .string(.path), "Where it is mounted", example: "\"/run\"", required: true),
        Key("size", .size(minimum: 1), "Most bytes", example: "\"16M\"", fallback: "half of the memory"),
        Key("mode", .string(.octal(maximum: 0o7777)), "Permissions, octal", example: "\"0755\"", fallback: "\"0755\""),
        Key(
            "options", .vector(.string(.tmpfsOption)), "mount(8) options", example: "[\"nosuid\", \"nodev\"]",
            fallback: "[]", basis: "mount(8)"),
    ]

    private static let files: [Key] = [
        Key("path", .string(.path), "The file", example: "\"/etc/motd\"", required: true),
        Key("content", .string(.text), "What it holds", example: "\"hello\"", required: true),
        Key("mode", .string(.octal(maximum: 0o7777)), "Permissions, octal", example: "\"0644\"", fallback: "\"0644\""),
    ]

    private static let symlinks: [Key] = [
        Key("path", .string(.path), "The link", example: "\"/bin\"", required: true),
        Key("target", .string(.text), "What it points to", example: "\"usr/bin\"", required: true),
    ]
}
