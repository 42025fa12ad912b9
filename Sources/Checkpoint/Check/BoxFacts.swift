/// An open descriptor of a process.
public struct OpenFile: Sendable, Equatable {
    public enum Kind: Sendable, Equatable { case file, device, socket, queue, other }
    public var number: Int32
    public var kind: Kind
    /// What /proc/PID/fd/NUMBER leads to.
    public var target: String
    /// The mount it was opened on; `nil` where it has none.
    public var mount: Int?
    /// What a socket speaks: `UNIX`, or what CRIU cannot save, such as `MPTCP`; empty for all else.
    public var `protocol`: String = ""

    public init(_ number: Int32, _ kind: Kind, _ target: String, mount: Int? = nil, protocol name: String = "") {
        (self.number, self.kind, self.target, self.mount) = (number, kind, target, mount)
        self.protocol = name
    }

    /// The inode in `socket:[INODE]`.
    var inode: UInt32? {
        target.hasPrefix("socket:[") ? UInt32(target.dropFirst(8).dropLast()) : nil
    }
}

/// What /proc tells of one process.
public struct ProcessFacts: Sendable, Equatable {
    public var pid: Int32
    public var name = ""
    public var uid: UInt32 = 0
    /// Its session in its innermost pid namespace; 0 for one whose leader is outside.
    public var session: Int32 = 1
    /// Who traces it; 0 for nobody.
    public var tracer: Int32 = 0
    /// By kind, as the links of /proc/PID/ns tell: `pid:[4026531836]`.
    public var namespaces: [String: String] = [:]
    /// Mounts of its mount namespace.
    public var mounts: Set<Int> = []
    /// Whether its root is an overlay whose files have no handles (`nfs_export=on`).
    public var hasPlainOverlay = false
    public var files: [OpenFile] = []
    /// What of its memory may be in the way, by the name in /proc/PID/maps: secret memory, System V segments.
    public var maps: [String] = []

    public init(pid: Int32) { self.pid = pid }
}

/// What decides whether a box can be saved.
public struct BoxFacts: Sendable, Equatable {
    /// Whether sandbox's own init is its process 1.
    public var hasInit = false
    /// Whether it is detached, and somebody waits for it.
    public var isAttended = true
    /// Whether its profile has rules of Landlock.
    public var hasLandlock = false
    /// Keys of its profile that a restore does not bring back yet.
    public var unsupported: [String] = []
    /// Whether the caller may read limits of other users' processes (CAP_SYS_RESOURCE).
    public var reachesLimits = true
    /// The caller's own namespaces.
    public var host: [String: String] = [:]
    /// Its first process first.
    public var processes: [ProcessFacts] = []
    /// Processes of the box that its first process is no ancestor of: `sandbox exec`'s.
    public var strangers: [Int32] = []
    /// The other ends of its UNIX sockets, by inode.
    public var peers: [UInt32: UInt32] = [:]
    /// Paths of the host's UNIX sockets, by inode.
    public var hostSockets: [UInt32: String] = [:]
    /// Paths that a restore connects anew: the sandbox's log, /dev/null.
    public var reconnected: Set<String> = ["/dev/null"]
    /// Whether TCP connections are to go on after the restore, and it has some on the host's own network.
    public var sharesConnections = false

    public init() {}
}
