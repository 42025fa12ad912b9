/// Every key of the profile language: the one source of checks, completions, the editor's schema, the starter and the
/// manual.
public enum Schema {
    /// The keys of a whole file, sections being tables.
    public static let root: [Key] = [
        Key("description", .string(.text), "One line for listings", example: "\"What it is for\""),
        Key(
            "extends", .vector(.string(.profile)),
            "Profiles that this one adds to, merged left to right, this file last; a file that names itself means the "
                + "next of its name along the search path",
            example: "[\"base\"]", fallback: "[]"),
        Key("namespaces", .table(namespaces), "What the box has of its own", basis: "namespaces(7)"),
        Key("process", .table(process), "The command and its surroundings"),
        Key(
            "limits", .map(.choice(Names.limits), .limit),
            "Resource limits of the process: a number, \"64M\", \"unlimited\", \"SOFT:HARD\" or { soft, hard }",
            example: "1024", fallback: "the caller's", basis: "setrlimit(2)"),
        Key("filesystem", .table(filesystem), "What the box sees of files"),
        Key("security", .table(security), "What the box may do"),
        Key("resources", .table(resources), "What the box may use up", basis: "cgroups(7)"),
        Key("network", .table(network), "How the box is attached to networks", basis: "network_namespaces(7)"),
        Key("lifecycle", .table(lifecycle), "How a named box ends, and whether it begins again"),
        Key("function", .table(function), "Makes the profile a service function for chains", basis: "RFC 7665"),
        Key("checkpoint", .table(checkpoint), "How the box is saved", basis: "criu(8)"),
        Key("display", .table(display), "Where windows appear"),
        Key("dbus", .table(dbus), "Which message buses are in reach", basis: "xdg-dbus-proxy(1)"),
    ]

    /// The key at a path (list indices skipped); nil when there is none.
    static func kind(at path: DocumentPath) -> Kind? {
        var kind = Kind.table(root)
        for part in path.parts {
            switch (part, kind) {
            case (.key(let name), .section(let keys)):
                guard let key = key(name, in: keys()) else { return nil }
                kind = key.kind
            case (.key(let name), .tables(let keys, _)):
                guard let key = key(name, in: keys()) else { return nil }
                kind = key.kind
            case (.key, .map(_, let element)): kind = element
            case (.key, .limit): kind = .size(minimum: 0)
            case (.index, .tables): break
            case (.index, .list(let element)), (.index, .vector(let element)): kind = element
            case (.index, .oneOrMore(let form)): kind = .string(form)
            case (.index, .namespaces), (.index, .idMapping): kind = .string(.text)
            default: return nil
            }
        }
        return kind
    }

    static func key(_ name: String, in keys: [Key]) -> Key? {
        keys.firstIndex { $0.name == name }.map { keys[$0] }
    }

    static let kindNames: [String] = {
        var names: [String] = []
        for kind in NamespaceKind.allCases { names.append(kind.rawValue) }
        return names
    }()

    private static let namespaces: [Key] = [
        Key(
            "unshare", .namespaces,
            "Namespaces of the box's own: any of \"user\", \"mount\", \"pid\", \"net\", \"ipc\", \"uts\", \"cgroup\" or \"time\", "
                + "or \"all\" or \"none\"",
            example: "[\"mount\", \"pid\"]", fallback: "none", basis: "namespaces(7)"),
        Key(
            "join", .map(.choice(kindNames), .string(.joinTarget)),
            "Existing namespaces to enter: a file, or \"sandbox:NAME\"", example: "{ net = \"/run/netns/blue\" }",
            basis: "setns(2)"),
        Key(
            "time-offset", .table(timeOffset), "Offsets of the clocks in a new time namespace, in seconds",
            example: "{ monotonic = 0, boottime = 86400 }", basis: "time_namespaces(7)"),
    ]

    private static let timeOffset: [Key] = [
        // The kernel refuses more: half of what a ktime holds, in seconds.
        Key(
            "monotonic", .integer(-4_611_686_018...4_611_686_018), "Seconds added to CLOCK_MONOTONIC", example: "0",
            fallback: "0"),
        Key(
            "boottime", .integer(-4_611_686_018...4_611_686_018), "Seconds added to CLOCK_BOOTTIME", example: "0",
            fallback: "0"),
    ]

    private static let resources: [Key] = [
        Key("memory", .size(minimum: 1), "Most memory, in bytes", example: "\"512M\"", basis: "memory.max"),
        Key(
            "memory-high", .size(minimum: 1), "Memory at which the kernel slows the box down, in bytes",
            example: "\"400M\"", basis: "memory.high"),
        Key(
            "memory-swap", .size(minimum: 0), "Most swap beside memory, in bytes", example: "0",
            basis: "memory.swap.max"),
        Key(
            "cpu", .number(0.001...8192), "CPUs' worth of time, 0.5 being half of one", example: "0.5", basis: "cpu.max"
        ),
        Key(
            "cpu-weight", .integer(1...10000), "Share of CPU time among busy groups", example: "100",
            fallback: "100", basis: "cpu.weight"),
        Key("pids", .integer(1...4_194_304), "Most processes and threads", example: "200", basis: "pids.max"),
        Key("cpuset", .string(.cpus), "CPUs that may be used", example: "\"0-1,3\"", basis: "cpuset.cpus"),
        Key(
            "io-weight", .integer(1...10000), "Share of disk time among busy groups", example: "100",
            fallback: "100", basis: "io.weight"),
    ]
}
