import Kernel
import Launch
import Netlink
import Profile
import SandboxKit

extension Inspection {
    /// An entry of `inspect`.
    var document: Value {
        .table(
            recordEntries + [
                ("directory", optional(request.directory)),
                ("profile", request.profile),
                ("plan", plan?.document ?? .null),
                ("planProblem", optional(planProblem?.message)),
                ("live", live.map { $0.document(confinement: confinementDocument($0)) } ?? .null),
            ])
    }

    private var recordEntries: [(key: String, value: Value)] {
        let record = summary.record
        func time(_ milliseconds: Int?) -> Value { milliseconds.map { .string(TimeText.iso($0)) } ?? .null }
        return [
            ("name", .string(record.name)), ("state", .string(summary.state.rawValue)),
            ("pid", summary.pid.map { .integer(Int($0)) } ?? .null), ("profiles", .strings(record.profiles)),
            ("command", .strings(record.command)), ("namespaces", .strings(record.namespaces.map(\.rawValue))),
            ("detached", .bool(record.isDetached)), ("removesRecord", .bool(record.removesRecord)),
            ("created", time(record.created)), ("started", time(record.started)), ("ended", time(record.ended)),
            ("exitStatus", record.exitStatus.map { .integer(Int($0)) } ?? .null),
            ("oomKilled", .bool(record.oomKilled)), ("restarts", .integer(record.restarts)),
            ("reason", optional(record.reason)),
            ("init", record.hasInit ? identity(record.process) : .null),
            ("waiter", record.hasWaiter ? identity(record.launcher) : .null),
            ("application", identity(record.hasInit ? record.application : record.process)),
            (
                "controlGroups",
                .array(
                    record.groups.map { group in
                        .table([("version", .integer(group.version == .v2 ? 2 : 1)), ("path", .string(group.path))])
                    })
            ),
        ]
    }

    /// Its pid and start time in clock ticks after boot.
    private func identity(_ process: ProcessIdentity?) -> Value {
        guard let process else { return .null }
        return .table([("pid", .integer(Int(process.pid))), ("start", number(process.start))])
    }

    /// What the kernel says of the application, and what it does not tell: its Landlock rules, as they were planned.
    private func confinementDocument(_ live: LiveFacts) -> Value {
        guard let application = live.application else { return .null }
        let sets = application.capabilities
        return .table([
            ("noNewPrivileges", .bool(application.noNewPrivileges)),
            (
                "seccomp",
                .table([
                    ("mode", .string(application.seccompWord)), ("filters", .integer(application.filters)),
                ])
            ),
            (
                "capabilities",
                .table([
                    ("effective", names(sets.effective)), ("permitted", names(sets.permitted)),
                    ("inheritable", names(sets.inheritable)), ("bounding", names(sets.bounding)),
                    ("ambient", names(sets.ambient)),
                ])
            ),
            ("landlock", profile.landlockDocument),
            ("uid", number(UInt64(application.realUID))), ("gid", number(UInt64(application.realGID))),
            ("groups", .array(application.groups.map { .integer(Int($0)) })),
        ])
    }

    private func names(_ set: CapabilitySet) -> Value { .strings(set.members.map(\.name)) }
}

extension ProcessStatus {
    /// The seccomp mode in a word.
    var seccompWord: String {
        switch seccompMode {
        case 0: "none"
        case 1: "strict"
        default: "filter"
        }
    }
}

extension Profile {
    /// What Landlock was asked to enforce; null where nothing was.
    fileprivate var landlockDocument: Value {
        let rules = security.landlock
        guard usesLandlock else { return .null }
        func ports(_ list: [UInt16]?) -> Value { list.map { .array($0.map { .integer(Int($0)) }) } ?? .null }
        return .table([
            ("filesystem", .bool(filesystem.landlock)), ("tcpBind", ports(rules.tcpBind)),
            ("tcpConnect", ports(rules.tcpConnect)), ("scope", .strings(rules.scope.map(\.rawValue).sorted())),
        ])
    }

    var usesLandlock: Bool { filesystem.landlock || security.landlock != Landlock() }
}

extension LiveFacts {
    fileprivate func document(confinement: Value) -> Value {
        .table([
            ("pids", .array(processes.map { .integer(Int($0)) })), ("source", .string(source.rawValue)),
            ("confinement", confinement),
            (
                "namespaces",
                .array(
                    namespaces.map { namespace in
                        .table([
                            ("kind", .string(namespace.kind.rawValue)), ("id", number(namespace.id)),
                            ("own", .bool(namespace.isOwn)),
                        ])
                    })
            ),
            ("interfaces", interfaces.map { .array($0.map(\.document)) } ?? .null),
            ("mounts", .array(mounts.map(\.document))),
            ("limits", limits.map(document) ?? .null),
            ("usage", usage.map { .table($0.entries) } ?? .null),
            ("problems", .strings(problems)),
        ])
    }

    private func document(_ limits: CgroupLimits) -> Value {
        .table(CgroupLimits.Key.allCases.map { (camelCase($0.rawValue), limits.value($0)) })
    }
}

/// `memory-high` as documents write it, `memoryHigh`.
private func camelCase(_ key: String) -> String {
    let words = key.split(separator: "-")
    return words.dropFirst().reduce(String(words.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
}

extension Interface {
    fileprivate var document: Value {
        .table([
            ("name", .string(name)), ("index", .integer(index)), ("kind", optional(kind)), ("mac", optional(mac)),
            ("mtu", .integer(mtu)), ("up", .bool(isUp)), ("state", .string(state)), ("addresses", .strings(addresses)),
            ("counters", .table(counters.figures)),
        ])
    }
}

extension MountEntry {
    fileprivate var document: Value {
        .table([
            ("path", .string(path)), ("type", .string(type)), ("source", .string(source)), ("root", .string(root)),
            ("options", .strings(options)), ("filesystemOptions", .strings(filesystemOptions)),
            ("propagation", .strings(propagation)), ("device", .string(device)), ("id", .integer(id)),
            ("parent", .integer(parent)),
        ])
    }
}
