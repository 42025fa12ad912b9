public import Kernel
public import Profile

/// A running box as the kernel shows it from outside (proc(5)), for a command that is to enter it.
public struct BoxFacts: Sendable, Equatable {
    /// The kinds of namespaces(7) in which it lives and the caller does not.
    public var namespaces: NamespaceSet = []
    /// Who made its user namespace, where it is not the caller's own; else whose process it is.
    public var owner: UInt32 = 0
    /// The identity that its command began with, in ids of the box.
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    /// Its command's supplementary groups and the caller's, in ids of the caller.
    public var groups: [UInt32] = []
    public var callerGroups: [UInt32] = []
    /// The maps of its user namespace, ids of the caller outside.
    public var uidMap: [Profile.IDRange] = []
    public var gidMap: [Profile.IDRange] = []
    /// The capabilities that its command could have at most.
    public var bounding = CapabilitySet.ofKernel
    public var permitted = CapabilitySet.ofKernel
    public var noNewPrivileges = false
    /// The system call filters that its command is under, and those of the caller.
    public var filters = 0
    public var callerFilters = 0
    /// How many of its command's filters came from the launcher's own surroundings; nil where that cannot be told.
    public var inheritedFilters: Int?
    public var umask: UInt32 = 0o22
    public var limits: Named<Profile.Limit> = [:]

    public init() {}
}

/// What a command that enters a running box has from there and not from its caller.
public struct EntryPlan: Sendable, Equatable {
    public var box: BoxFacts
    /// The control groups to join, in every hierarchy.
    public var groups: [Cgroup.Group] = []
    /// Where the box's own command began when its profile names no directory.
    public var directory: String?
    /// Whether HOME, USER and their like come from the box's passwd(5), because the profile names a user.
    public var namesAccount = false

    public init(box: BoxFacts) { self.box = box }
}

/// What is asked for beside the command.
public struct ExecOptions: Sendable, Equatable {
    /// A user and a group of the box, by name or number; nil: those of the box's own command.
    public var user: String?
    public var group: String?
    public var workingDirectory: String?
    public var environment: Named<String> = [:]
    /// Whether the command gets a pseudo-terminal of its own.
    public var terminal = false

    public init() {}
}
