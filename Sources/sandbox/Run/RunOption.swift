/// One option of `sandbox run`. The table below is the only place that names them: the launch path's parser works from
/// it, and so do the help, the manual page and the completions.
struct RunOption: Sendable {
    /// What the option does to a `RunRequest`.
    enum Effect: Sendable, Equatable {
        case profile, name, remove, detach, view, dryRun, json
        /// Comma-separated kinds, `all` or `none`.
        case unshare
        /// `NS=WHERE`.
        case join
        /// `FROM[:TO[:OPTIONS]]`.
        case bind
        /// `PATH[:OPTIONS]`.
        case tmpfs
        /// `NAME=VALUE`, or `NAME` to keep the caller's.
        case environment
        /// `KEY=VALUE` of the profile language.
        case set
        /// The value becomes the key's, as text.
        case text(key: String)
        /// The value becomes the key's, as a path.
        case path(key: String)
        /// The value's comma-separated words are added to the key's list, `!x` takes x away.
        case words(key: String)
        /// The value is added to the key's list, `!x` takes x away.
        case item(key: String)
        /// The value, a path, is added to the key's list.
        case paths(key: String)
        /// The value's comma-separated words are the key's list; one alone is the key's value.
        case oneOrMore(key: String)
        /// The flag sets the key.
        case constant(key: String, Constant)
    }

    enum Constant: Sendable, Equatable {
        case yes
        case text(String)
    }

    var long: String
    var short: Character?
    /// What `--help` calls the value; nil: a flag.
    var placeholder: String?
    var isRepeatable = false
    var effect: Effect
    var completion = Completion.none
    var help: String
}

extension RunOption {
    /// In the order of the help. Those up to `json` serve `sandbox explain` too.
    static let all: [RunOption] = [
        RunOption(
            long: "profile", short: "p", placeholder: "profile", isRepeatable: true, effect: .profile,
            completion: .profiles,
            help: "A profile by name or file, or name?parameter=value; several are merged from left to right."),
        RunOption(
            long: "unshare", placeholder: "list", isRepeatable: true, effect: .unshare, completion: .namespaces,
            help: "New namespaces: any of user, mount, pid, net, ipc, uts, cgroup, time; or all; or none."),
        RunOption(
            long: "join", placeholder: "ns=where", isRepeatable: true, effect: .join, completion: .joins,
            help: "Enter an existing namespace: a file, or sandbox:NAME."),
        RunOption(
            long: "root", placeholder: "dir", effect: .path(key: "filesystem.root"), completion: .directories,
            help: "The directory tree that becomes / in the box."),
        RunOption(
            long: "overlay", placeholder: "where", effect: .path(key: "filesystem.overlay.upper"),
            completion: .overlays,
            help: "Changes to the root go to tmpfs (and are lost), or to this directory."),
        RunOption(
            long: "bind", placeholder: "from[:to[:options]]", isRepeatable: true, effect: .bind, completion: .places,
            help: "Show a file or directory of the host in the box; options as ro,nosuid,nodev,noexec."),
        RunOption(
            long: "tmpfs", placeholder: "path", isRepeatable: true, effect: .tmpfs, completion: .directories,
            help: "A fresh, empty directory in memory; PATH:size=16M,mode=0700 limits it."),
        RunOption(
            long: "read-only", placeholder: "path", isRepeatable: true, effect: .paths(key: "filesystem.read-only"),
            completion: .files, help: "Make this tree read-only, with all that is mounted under it."),
        RunOption(
            long: "writable", placeholder: "path", isRepeatable: true, effect: .paths(key: "filesystem.writable"),
            completion: .files, help: "Leave this part of a read-only tree writable."),
        RunOption(
            long: "hide", placeholder: "path", isRepeatable: true, effect: .paths(key: "filesystem.hide"),
            completion: .files, help: "Cover this path, so that the box finds nothing there."),
        RunOption(
            long: "private", placeholder: "area", isRepeatable: true, effect: .words(key: "filesystem.private"),
            completion: .areas, help: "Fresh and empty areas: any of tmp, home, dev, run."),
        RunOption(
            long: "user", placeholder: "user", effect: .text(key: "process.user"), completion: .users,
            help: "Run as this user of the box, by name or number."),
        RunOption(
            long: "group", placeholder: "group", effect: .text(key: "process.group"), completion: .groups,
            help: "Run as this group of the box, by name or number."),
        RunOption(
            long: "workdir", placeholder: "dir", effect: .text(key: "process.working-directory"),
            completion: .directories, help: "The working directory, as the box sees it."),
        RunOption(
            long: "env", placeholder: "name[=value]", isRepeatable: true, effect: .environment,
            completion: .environment,
            help: "Set a variable; a name alone keeps the caller's value when the rest is cleared."),
        RunOption(
            long: "clear-env", effect: .constant(key: "process.environment.clear", .yes),
            help: "Begin with an empty environment."),
        RunOption(
            long: "hostname", placeholder: "name", effect: .text(key: "process.hostname"),
            help: "The host name that the box sees; needs a uts namespace."),
        RunOption(
            long: "capabilities", placeholder: "list", isRepeatable: true,
            effect: .words(key: "security.capabilities.keep"), completion: .capabilities,
            help: "Capabilities to keep, such as NET_BIND_SERVICE; !NAME takes one away."),
        RunOption(
            long: "switch", placeholder: "name", effect: .text(key: "network.switch"), completion: .switches,
            help: "Attach the box to this switch; needs a net namespace."),
        RunOption(
            long: "attach", placeholder: "kind", effect: .text(key: "network.attach"), completion: .attachments,
            help: "How: veth, macvlan, host or none."),
        RunOption(
            long: "address", placeholder: "address", isRepeatable: true, effect: .oneOrMore(key: "network.address"),
            help: "The address: auto, none, dhcp, dhcp6, or ADDRESS/LENGTH, several with commas."),
        RunOption(
            long: "publish", placeholder: "spec", isRepeatable: true, effect: .words(key: "network.publish"),
            help: "A port of the host that leads to the box: [ADDRESS:]PORT[-PORT][:PORT[-PORT]][/tcp|/udp]."),
        RunOption(
            long: "chain", placeholder: "function", isRepeatable: true, effect: .item(key: "network.chain"),
            completion: .functions,
            help: "A service function before the switch, in order from the box: NAME[:PRESET][?PARAMETER=VALUE&...]."),
        RunOption(
            long: "set", placeholder: "key=value", isRepeatable: true, effect: .set, completion: .keys,
            help: "Set any key of the profile language, as in resources.memory=512M."),
        RunOption(
            long: "json", effect: .json, help: "Print one JSON document instead of text."),
        RunOption(
            long: "name", short: "n", placeholder: "name", effect: .name, help: "The name of the sandbox."),
        RunOption(
            long: "detach", short: "d", effect: .detach,
            help: "Return once the command has begun, and print the sandbox's name."),
        RunOption(
            long: "view", effect: .view,
            help: "Show the box's own display in a viewer, and end the box with it; with -d it goes on without."),
        RunOption(
            long: "terminal", short: "t", effect: .constant(key: "process.terminal", .text("pty")),
            help: "Give the command a pseudo-terminal of its own."),
        RunOption(
            long: "rm", effect: .remove, help: "Keep no record of the sandbox when the command has ended."),
        RunOption(
            long: "dry-run", effect: .dryRun, help: "Print what would be done, and do nothing."),
    ]

    static func named(_ long: String) -> RunOption? { all.first { $0.long == long } }
    static func named(_ short: Character) -> RunOption? { all.first { $0.short == short } }
}
