public import Kernel
public import Profile
public import Switching

/// What is known of a named sandbox: what it is, and what has become of it.
public struct SandboxRecord: Sendable, Equatable {
    /// How far its life is.
    public enum Phase: String, Sendable, CaseIterable {
        /// Being launched, or waiting to begin again.
        case created
        case running, stopped, checkpointed
    }

    /// Its name, by which every command finds it.
    public var name: String
    /// How far its life is.
    public var phase = Phase.created
    /// Names or files of the profiles, as they were given.
    public var profiles: [String] = []
    /// The command and its arguments.
    public var command: [String] = []
    /// The namespaces that it does not share with the host.
    public var namespaces: [NamespaceKind] = []
    /// Whether its launcher returned once the command had begun.
    public var isDetached = false
    /// Whether nothing is kept once it has ended.
    public var removesRecord = false
    /// Whether our init is the process that stands for it.
    public var hasInit = false
    /// Whether a waiter outside records the end.
    public var hasWaiter = false
    /// Who launches it, or waits for it.
    public var launcher: ProcessIdentity
    /// The process that stands for it: our init, or the application where there is none.
    public var process: ProcessIdentity?
    /// The command's process; `nil` before it has begun.
    public var application: ProcessIdentity?
    /// Its control groups, one per hierarchy.
    public var groups: [Cgroup.Group] = []
    /// Its interfaces beside the loopback.
    public var ports: [Port] = []
    /// What it is in a chain, for a function.
    var function: FunctionPlace?
    /// The sandboxes that are functions of its chains.
    public var functions: [String] = []
    /// The boot that process identities belong to (/proc/sys/kernel/random/boot_id).
    public var boot: String
    /// Milliseconds since the epoch.
    public var created: Int
    /// Milliseconds since the epoch, of the newest start.
    public var started: Int?
    /// Milliseconds since the epoch; `nil` before the first end.
    public var ended: Int?
    /// The command's own, 128 + N for signal N; `nil` while it runs, or where nobody was there to learn it.
    public var exitStatus: Int32?
    /// Whether the kernel killed some process of it for want of memory.
    public var oomKilled = false
    /// How often it has begun anew.
    public var restarts = 0
    /// How often in a row, each time within ten seconds.
    var streak = 0
    /// Why it ended, where that was not the command's doing.
    public var reason: String?

    /// A sandbox that is about to be launched.
    public init(name: String, launcher: ProcessIdentity, boot: String, created: Int) {
        self.name = name
        self.launcher = launcher
        self.boot = boot
        self.created = created
    }
}

extension SandboxRecord {
    /// The record as lines of TOML.
    var text: String {
        var lines = ""
        func put(_ key: String, _ value: Value) { lines += key + " = " + value.toml + "\n" }
        put("name", .string(name))
        put("phase", .string(phase.rawValue))
        put("profiles", .strings(profiles))
        put("command", .strings(command))
        var kinds: [String] = []
        for kind in namespaces { kinds.append(kind.rawValue) }
        put("namespaces", .strings(kinds))
        put("detached", .bool(isDetached))
        put("removes-record", .bool(removesRecord))
        put("init", .bool(hasInit))
        put("waiter", .bool(hasWaiter))
        put("launcher", launcher.value)
        if let process { put("process", process.value) }
        if let application { put("application", application.value) }
        var paths: [Value] = []
        for group in groups { paths.append(.strings([group.version == .v2 ? "v2" : "v1", group.path])) }
        put("groups", .array(paths))
        if !ports.isEmpty { put("ports", .array(ports.map { $0.value })) }
        if let function { put("function", function.value) }
        if !functions.isEmpty { put("functions", .strings(functions)) }
        put("boot", .string(boot))
        put("created", .integer(created))
        if let started { put("started", .integer(started)) }
        if let ended { put("ended", .integer(ended)) }
        if let exitStatus { put("exit-status", .integer(Int(exitStatus))) }
        put("oom-killed", .bool(oomKilled))
        put("restarts", .integer(restarts))
        if streak > 0 { put("streak", .integer(streak)) }
        if let reason { put("reason", .string(reason)) }
        return lines
    }

    /// The opposite of ``text``; `nil` for what we did not write.
    init?(_ value: Value, name: String) {
        let fields = Fields(value)
        guard let phase = fields.string("phase").flatMap({ Phase(rawValue: $0) }), fields.string("name") == name,
            let launcher = fields.process("launcher"), let boot = fields.string("boot"),
            let created = fields.integer("created"), let profiles = fields.strings("profiles"),
            let command = fields.strings("command"), let kinds = fields.strings("namespaces"),
            let isDetached = fields.bool("detached"), let removesRecord = fields.bool("removes-record"),
            let hasInit = fields.bool("init"), let hasWaiter = fields.bool("waiter"),
            let groups = fields.groups("groups"), let restarts = fields.integer("restarts"),
            let oomKilled = fields.bool("oom-killed")
        else { return nil }
        self.init(name: name, launcher: launcher, boot: boot, created: created)
        for kind in kinds {
            guard let kind = NamespaceKind(rawValue: kind) else { return nil }
            namespaces.append(kind)
        }
        (self.phase, self.profiles, self.command, self.groups) = (phase, profiles, command, groups)
        (self.isDetached, self.removesRecord, self.hasInit) = (isDetached, removesRecord, hasInit)
        (self.hasWaiter, self.restarts, self.oomKilled) = (hasWaiter, restarts, oomKilled)
        if case .array(let items)? = value["ports"] {
            for item in items {
                guard let port = Port(item) else { return nil }
                ports.append(port)
            }
        }
        function = value["function"].flatMap { FunctionPlace($0) }
        functions = fields.strings("functions") ?? []
        process = fields.process("process")
        application = fields.process("application")
        started = fields.integer("started")
        ended = fields.integer("ended")
        exitStatus = fields.integer("exit-status").flatMap { Int32(exactly: $0) }
        reason = fields.string("reason")
        streak = fields.integer("streak") ?? 0
    }
}

extension ProcessIdentity {
    var value: Value { .array([.integer(Int(pid)), .integer(Int(clamping: start))]) }
}

/// Reads a table of ours.
struct Fields {
    private let value: Value

    init(_ value: Value) { self.value = value }

    func string(_ key: String) -> String? {
        guard case .string(let text)? = value[key] else { return nil }
        return text
    }

    func integer(_ key: String) -> Int? {
        guard case .integer(let number)? = value[key] else { return nil }
        return number
    }

    func bool(_ key: String) -> Bool? {
        guard case .bool(let flag)? = value[key] else { return nil }
        return flag
    }

    func strings(_ key: String) -> [String]? {
        guard case .array(let items)? = value[key] else { return nil }
        return Fields.strings(items)
    }

    func process(_ key: String) -> ProcessIdentity? {
        guard case .array(let items)? = value[key], items.count == 2, case .integer(let pid) = items[0],
            case .integer(let start) = items[1], let pid = Int32(exactly: pid), pid > 0, start >= 0
        else { return nil }
        return ProcessIdentity(pid: pid, start: UInt64(start))
    }

    func groups(_ key: String) -> [Cgroup.Group]? {
        guard case .array(let items)? = value[key] else { return nil }
        var groups: [Cgroup.Group] = []
        for item in items {
            guard case .array(let parts) = item, let words = Fields.strings(parts), words.count == 2,
                words[0] == "v1" || words[0] == "v2", words[1].hasPrefix("/")
            else { return nil }
            groups.append(Cgroup.Group(path: words[1], version: words[0] == "v2" ? .v2 : .v1))
        }
        return groups
    }

    private static func strings(_ items: [Value]) -> [String]? {
        var words: [String] = []
        for item in items {
            guard case .string(let word) = item else { return nil }
            words.append(word)
        }
        return words
    }
}
