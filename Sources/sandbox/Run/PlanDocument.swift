import Launch
import Profile

/// A plan as `--dry-run --json` prints it: one document with stable keys.
extension LaunchPlan {
    var document: Value {
        .table([
            ("name", name.map { .string($0) } ?? .null),
            ("command", .strings(command)),
            ("supervision", .string(supervision.word)),
            ("namespaces", namespaces.document),
            ("filesystem", filesystem.document),
            ("process", processDocument),
            ("environment", .strings(environment)),
            ("limits", limitsDocument),
            ("security", security.document),
            ("resources", resources.document),
            ("interfaces", .array(interfaces.map { $0.document })),
            (
                "checkpoint",
                .table([("enabled", .bool(isCheckpointable)), ("tcp", .string(savedConnections.rawValue))])
            ),
            ("display", display?.document ?? hostDisplay?.document ?? .null),
            ("dbus", .array(bus?.links.map { $0.document } ?? [])),
        ])
    }

    private var processDocument: Value {
        .table([
            ("user", optional(process.user)), ("group", optional(process.group)),
            ("groups", process.groups.map { .strings($0) } ?? .null),
            ("workingDirectory", optional(workingDirectory)), ("hostname", optional(process.hostname)),
            ("terminal", .string(process.terminal.rawValue)), ("guardsTerminal", .bool(guardsTerminal)),
            ("noNewPrivileges", .bool(process.noNewPrivileges)), ("dieWithParent", .bool(process.dieWithParent)),
            ("keepDescriptors", .array(process.keepDescriptors.map { .integer(Int($0)) })),
        ])
    }

    private var limitsDocument: Value {
        .table(
            limits.entries.map { name, limit in
                (name, .table([("soft", number(limit.soft)), ("hard", number(limit.hard))]))
            })
    }
}

extension HostDisplayPlan {
    fileprivate var document: Value {
        .table([("server", .string("host")), ("socket", .string(socket))])
    }
}

extension DisplayPlan {
    fileprivate var document: Value {
        .table([
            ("server", .string("private")), ("size", .string(size.text)),
            ("windowManager", .string(windowManager.rawValue)), ("clipboard", .string(clipboard.rawValue)),
            ("serverArguments", .strings(serverArguments)),
        ])
    }
}

extension BusPlan.Link {
    fileprivate var document: Value {
        .table([
            ("key", .string(key)), ("address", .string(address.text)),
            ("socket", .string("\(BusPlan.folder)/\(socket)")), ("rules", .strings(rules)),
        ])
    }
}

extension Supervision {
    /// `none`, `init`, `command-is-pid-1` or `terminal`.
    var word: String {
        switch self {
        case .none: "none"
        case .waiter(initProcess: _, pseudoTerminal: true): "terminal"
        case .waiter(initProcess: true, pseudoTerminal: false): "init"
        case .waiter(initProcess: false, pseudoTerminal: false): "waiter"
        }
    }
}

extension NamespacePlan {
    fileprivate var document: Value {
        .table([
            ("unshare", .strings(unshare.sorted().map(\.rawValue))),
            ("join", .table(join.map { ($0.kind.rawValue, .string($0.path)) })),
            ("impliesUser", .bool(impliesUser)),
            ("uidMap", .array(uidMap.map(\.document))), ("gidMap", .array(gidMap.map(\.document))),
        ])
    }
}

extension Profile.IDRange {
    fileprivate var document: Value {
        .array([.integer(Int(inside)), .integer(Int(outside)), .integer(Int(count))])
    }
}

extension FilesystemPlan {
    fileprivate var document: Value {
        var upper = Value.null
        switch overlay?.upper {
        case .tmpfs?: upper = .string("tmpfs")
        case .directory(let path)?: upper = .string(path)
        case nil: break
        }
        var tree = Value.string("/")
        if case .tree(let path) = root { tree = .string(path) }
        return .table([
            ("root", tree), ("overlay", upper),
            (
                "steps",
                .array(
                    steps.map { step in
                        .table([
                            ("key", .string(step.key)), ("operation", .string(step.operation.word)),
                            ("path", .string(step.operation.path)), ("detail", optional(step.operation.detail)),
                        ])
                    })
            ),
        ])
    }
}

extension Profile.Security {
    fileprivate var document: Value {
        .table([
            ("keep", capabilities.keep.map { .strings($0) } ?? .null), ("ambient", .strings(capabilities.ambient)),
            ("seccomp", seccomp.map { .string($0.default.rawValue) } ?? .null),
            ("userNamespaces", optional(userNamespaces?.rawValue)),
        ])
    }
}

extension Profile.Resources {
    fileprivate var document: Value {
        .table([
            ("memory", number(memory)), ("memoryHigh", number(memoryHigh)), ("memorySwap", number(memorySwap)),
            ("cpu", cpu.map { .double($0) } ?? .null), ("cpuWeight", cpuWeight.map { .integer($0) } ?? .null),
            ("pids", pids.map { .integer($0) } ?? .null), ("cpuset", optional(cpuset)),
            ("ioWeight", ioWeight.map { .integer($0) } ?? .null),
        ])
    }
}

func optional(_ value: String?) -> Value { value.map { .string($0) } ?? .null }

/// Bytes and counts beyond what a JSON reader takes for an integer stay text.
func number(_ value: UInt64?) -> Value {
    guard let value else { return .null }
    return Int(exactly: value).map { .integer($0) } ?? .string("\(value)")
}
