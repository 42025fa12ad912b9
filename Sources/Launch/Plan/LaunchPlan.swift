public import Profile

/// Everything a launch does, decided: what executing it changes is the kernel's state only.
public struct LaunchPlan: Sendable, Equatable {
    /// The name in the registry; nil for a sandbox without one.
    public var name: String?
    public var command: [String]
    public var namespaces = NamespacePlan()
    public var filesystem = FilesystemPlan()
    /// What the profile says of the process; the fields that the plan decides anew stand beside it.
    public var process = Profile.Process()
    /// `KEY=VALUE`, as execve(2) takes it.
    public var environment: [String] = []
    /// The directory to begin in: the profile's, or nil for the caller's where the box has it.
    public var workingDirectory: String?
    public var limits: Named<Profile.Limit> = [:]
    public var security = Profile.Security()
    public var resources = Profile.Resources()
    /// An X server of the box's own.
    public var display: DisplayPlan?
    /// The caller's own display, shared.
    public var hostDisplay: HostDisplayPlan?
    /// Whether a Wayland compositor that does not tell it from others is refused.
    public var requiresSecurityContext = false
    /// What stands between it and the host's message buses.
    public var bus: BusPlan?
    /// Interfaces of the box beside its loopback, each with its name.
    public var interfaces: [InterfacePlan] = []
    /// Whether it gets interfaces of a chain of functions, too.
    public var isFunction = false
    public var supervision = Supervision.none
    /// Who stays with a detached box; nil for one in the foreground.
    public var detachment: Detachment?
    /// Bytes of output that are kept of a detached box whose output we write; `nil`: all.
    public var logSize: UInt64?
    /// Whether the box is made so that it can be saved (`checkpoint.enabled`).
    public var isCheckpointable = false
    /// What becomes of its TCP connections then.
    public var savedConnections = Profile.Connections.established
    /// Milliseconds between snapshots that are taken while it runs; `nil`: none is.
    public var saveInterval: Int?
    /// Whether its memory is to be copied before a save while it runs, for which the kernel must tell what is written to.
    public var isCopiedBefore = false
    /// Whether sockets are refused whose frames pass no rule at the box's own end of an interface.
    public var hidesNoFrames = false
    /// Whether a user who turns out to be root is refused: what holds an interface counts on another.
    public var mustNotBeRoot = false
    /// Whether TIOCSTI and TIOCLINUX are refused, because the box shares the caller's terminal.
    public var guardsTerminal = false
    /// Whether the box loses the caller's terminal (`terminal = "none"`).
    public var leavesTerminal = false
    /// The running box that the command enters; nil: it gets one of its own.
    public var entry: EntryPlan?

    public init(command: [String]) { self.command = command }

    /// Whether its windows are among the caller's in a Wayland compositor.
    var isAtCompositor: Bool {
        if case .wayland? = hostDisplay { return true }
        return false
    }

    /// Whether somebody outside makes interfaces for it.
    var isConnected: Bool { !interfaces.isEmpty || isFunction }
}

/// An interface of the box, and the profile's key for it: `network` or `network.more[N]`.
public struct InterfacePlan: Sendable, Equatable {
    public var key: String
    public var name: String
    public var interface: Profile.Interface
    /// Those that the interface's chain names.
    public var functions: [ResolvedFunction]

    public init(key: String, name: String, interface: Profile.Interface, functions: [ResolvedFunction] = []) {
        self.key = key
        self.name = name
        self.interface = interface
        self.functions = functions
    }
}

/// Who stays beside the application.
public enum Supervision: Sendable, Equatable {
    /// Nobody: the launcher becomes the application.
    case none
    /// A waiter in the caller's place, and in the box the application itself, with a small init over it, or behind a
    /// pseudo-terminal (which needs the init as its session's leader).
    case waiter(initProcess: Bool, pseudoTerminal: Bool)

    public var hasPseudoTerminal: Bool {
        if case .waiter(_, pseudoTerminal: true) = self { return true }
        return false
    }
}

/// Who stays beside a box whose launcher has returned.
public enum Detachment: String, Sendable, Equatable {
    /// Nobody but the box's init, where it has one.
    case alone
    /// A waiter outside, which records the end, and begins the box anew where that is asked for.
    case waiter
}

public struct NamespacePlan: Sendable, Equatable {
    public var unshare: NamespaceSet = []
    /// Existing namespaces to enter, by path.
    public var join: [Join] = []
    /// Whether `user` is unshared only because the caller is not root.
    public var impliesUser = false
    public var uidMap: [Profile.IDRange] = []
    public var gidMap: [Profile.IDRange] = []
    public var mapWriter = IDMapWriter.own
    public var monotonicOffset: Int?
    public var boottimeOffset: Int?

    public struct Join: Sendable, Equatable {
        public var kind: NamespaceKind
        public var path: String

        public init(kind: NamespaceKind, path: String) {
            self.kind = kind
            self.path = path
        }
    }

    public init() {}
}

/// Who may write the id maps of a new user namespace (user_namespaces(7)).
public enum IDMapWriter: Sendable, Equatable {
    /// The process itself: one id, its own.
    case own
    /// A process outside with CAP_SETUID: any ranges.
    case privileged
    /// newuidmap(1) and newgidmap(1): the ranges of /etc/subuid and /etc/subgid.
    case setuidHelpers
}

public struct FilesystemPlan: Sendable, Equatable {
    public var root = Root.host
    public var overlay: OverlayPlan?
    /// Whether files of the host's that keep namespaces are left out: they come and go while a box is saved.
    public var dropsNamespaceFiles = false
    /// In the order in which they apply.
    public var steps: [MountStep] = []
    /// The same rules for Landlock, when it is asked for.
    public var landlock: LandlockPlan?

    public enum Root: Sendable, Equatable {
        case host
        case tree(String)
    }

    public init() {}

    /// The caller's directory that the box's root comes from.
    var tree: String {
        if case .tree(let directory) = root { return directory }
        return "/"
    }

    /// Whether the mount namespace's root changes, so that pivot_root(2) is needed.
    public var changesRoot: Bool { root != .host || overlay != nil }
}

/// Access to files as Landlock is to enforce it: everything else is as the mounts leave it.
public struct LandlockPlan: Sendable, Equatable {
    public var readOnly: [String] = []
    public var writable: [String] = []
    public var hidden: [String] = []
    /// Whether a directory with something hidden beneath may be listed: only when mounts hide the names there too.
    public var listsDirectories = false

    public init() {}
}

public struct OverlayPlan: Sendable, Equatable {
    public var upper: Profile.Overlay.Upper
    public var size: UInt64?
    /// Mount points below the root that get a layer of their own, outermost first.
    public var layered: [String] = []
    /// Mount points below the root that are bound as they are (/proc, /sys, /dev and their like).
    public var bound: [String] = []
    /// Whether its files get handles that hold (`index=on,nfs_export=on`), where the kernel can: watches on files
    /// (inotify(7)) can be saved with them only.
    public var hasHandles = false
}

/// One step in building what the box sees, with the profile key it comes from.
public struct MountStep: Sendable, Equatable {
    public var key: String
    public var operation: MountOperation

    public init(_ key: String, _ operation: MountOperation) {
        self.key = key
        self.operation = operation
    }
}

/// Paths are the box's, but for `from`, which is the caller's.
public enum MountOperation: Sendable, Equatable {
    case bind(from: String, to: String, Profile.BindOptions)
    case readOnly(path: String, optional: Bool)
    case writable(path: String)
    case hide(path: String)
    case tmpfs(path: String, size: UInt64?, mode: UInt32, Profile.BindOptions)
    /// A directory in a filesystem made for the box, owned by the box's user.
    case directory(path: String, mode: UInt32)
    case file(path: String, content: String, mode: UInt32)
    /// A file in place of what is there, a symbolic link too. Where nothing is and nothing can be made, `optional` leaves
    /// that.
    case replace(path: String, content: String, mode: UInt32, optional: Bool)
    case symlink(path: String, target: String)
    /// What the box must not write, nor put another in the place of: the caller's profiles.
    case keep(folder: String, below: String)
    /// A fresh proc(5).
    case proc(path: String)
    /// A fresh /dev with the usual device nodes and a devpts instance of its own.
    case devices(path: String, messageQueues: Bool)
    /// The character device /dev/tapN of a macvtap interface, N being its index (ip-link(8)).
    case tap(interface: String)
}
