import Glibc
public import Kernel

/// What a box leaves outside for its launcher to clear away.
///
/// A waiter that has given its memory back clears nothing away itself: it becomes a fresh process of its executable,
/// which gets this as words.
public struct Remains: Sendable, Equatable {
    /// The option in front of the words; whoever lets a waiter shrink must answer to it.
    public static let option = "--finish"

    /// The state directory and the name under which the box is entered there.
    public var record: (directory: String, name: String)?
    public var groups: [Cgroup.Group] = []
    /// What is to be done while the command runs; none of what the words tell.
    public var errand: PeriodicErrand?

    public init() {}

    var isEmpty: Bool { record == nil && groups.isEmpty }

    public static func == (one: Remains, other: Remains) -> Bool { one.words == other.words }
}

extension Remains {
    var words: [String] {
        var words: [String] = []
        if let record { words += ["record", record.directory, record.name] }
        for group in groups { words += [group.version == .v2 ? "v2" : "v1", group.path] }
        return words
    }

    /// The opposite of ``words``; nil for what is none.
    public init?(words: [String]) {
        var rest = words[...]
        while let kind = rest.popFirst() {
            guard let path = rest.popFirst(), path.hasPrefix("/") else { return nil }
            switch kind {
            #if DEBUG
                case "crash": CrashPoint.adopt(path)
            #endif
            case "v1": groups.append(Cgroup.Group(path: path, version: .v1))
            case "v2": groups.append(Cgroup.Group(path: path, version: .v2))
            case "record":
                guard record == nil, let name = rest.popFirst() else { return nil }
                record = (path, name)
            default: return nil
            }
        }
    }

    /// Removes the control groups. Those that another launcher made are none of ours: exec keeps pid and start time.
    public func removeGroups() throws(LaunchError) {
        if groups.isEmpty { return }
        try attributed(to: "resources") { () throws(SystemError) in
            let group = Cgroup(groups: groups)
            guard let own = try ProcessIdentity(pid: getpid()), group.isMade(by: own) else {
                let mend = "only the launcher that made a group removes it"
                throw SystemError("remove \(group.path)", code: EPERM, mend: mend)
            }
            try group.remove()
        }
    }
}
