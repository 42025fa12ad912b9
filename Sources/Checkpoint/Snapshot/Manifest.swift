public import Profile

/// What a snapshot holds and what it was made of: everything that restoring it rests on.
public struct Manifest: Sendable, Equatable {
    /// The format; a snapshot of another one is refused.
    public static let format = 2

    /// The snapshot's name in its store.
    public var id: String
    /// The sandbox that it was made of.
    public var sandbox: String
    /// Milliseconds since the epoch.
    public var created: Int
    /// How long the application stood still, in microseconds; `nil` where nobody measured.
    public var frozen: Int?
    /// How long making it took, in microseconds.
    public var duration: Int?
    /// Whether `checkpoint.every` made it, and `checkpoint.keep` takes it away again.
    public var isAutomatic = false
    /// Whether established connections are in it or were closed.
    public var tcp = Connections.established
    /// The snapshot that this one adds to.
    public var parent: String?
    /// Copies of memory that were made before, while the application ran, in the order in which they were made.
    public var rounds: [Round] = []
    /// The merged profile, as a document.
    public var profile: Value
    /// What the sandbox was asked for, as its registry keeps it.
    public var request: Value
    /// The plan, as `run --dry-run --json` prints it.
    public var plan: Value
    public var command: [String] = []
    public var namespaces: [NamespaceKind] = []
    public var versions = Versions()
    public var interfaces: [Interface] = []
    public var mounts: [Mount] = []
    /// Externals of CRIU, a key to what it stands for: `mnt[/dev/null]` to an identifier of ours.
    public var externals: [External] = []
    /// What descriptors 0, 1 and 2 were.
    public var stdio: [Stream] = []
    public var processes: [Process] = []
    public var contents = Contents()
    /// The archive with the changes of an overlay, a path within the snapshot.
    public var upper: String?
    /// Every file but the manifest and its seal, sorted by path.
    public var files: [File] = []

    public init(id: String, sandbox: String, created: Int, profile: Value, request: Value, plan: Value) {
        self.id = id
        self.sandbox = sandbox
        self.created = created
        self.profile = profile
        self.request = request
        self.plan = plan
    }

    /// What made the snapshot; what restores it must not be older or lack features.
    public struct Versions: Sendable, Equatable {
        public var sandbox = ""
        public var criu = ""
        /// uname(2)'s release.
        public var kernel = ""
        public var machine = ""
        /// The flags of /proc/cpuinfo.
        public var processorFeatures: [String] = []

        public init() {}
    }

    /// An interface of the box beside its loopback.
    public struct Interface: Sendable, Equatable {
        public var name: String
        public var attach: String
        public var switchName: String?
        public var mac: String?
        /// With the network's length.
        public var addresses: [String]

        public init(name: String, attach: String, switchName: String?, mac: String?, addresses: [String]) {
            (self.name, self.attach, self.switchName, self.mac) = (name, attach, switchName, mac)
            self.addresses = addresses
        }
    }

    /// A mount of the box.
    public struct Mount: Sendable, Equatable {
        /// Where it is in the box.
        public var path: String
        /// The filesystem's type.
        public var type: String
        /// What it comes from outside, or the filesystem's own word.
        public var source: String

        public init(path: String, type: String, source: String) {
            (self.path, self.type, self.source) = (path, type, source)
        }
    }

    public struct External: Sendable, Equatable {
        public var key: String
        public var value: String

        public init(key: String, value: String) { (self.key, self.value) = (key, value) }
    }

    public struct Stream: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable { case pipe, terminal, file, null, socket, other }
        public var descriptor: Int
        public var kind: Kind
        /// What CRIU knows it by: `pipe:[123]`.
        public var key: String
        /// The file's path, where it is one.
        public var path: String?

        public init(descriptor: Int, kind: Kind, key: String, path: String? = nil) {
            (self.descriptor, self.kind, self.key, self.path) = (descriptor, kind, key, path)
        }
    }

    /// A copy of memory that was made while the application ran.
    public struct Round: Sendable, Equatable {
        /// Bytes of memory.
        public var copied: Int
        /// How long the application stood still for it, in microseconds; `nil` where nobody measured.
        public var frozen: Int?

        public init(copied: Int, frozen: Int?) { (self.copied, self.frozen) = (copied, frozen) }
    }

    /// A file of the snapshot.
    public struct File: Sendable, Equatable {
        /// Within the snapshot, without `.` and `..`.
        public var path: String
        /// Bytes as stored.
        public var size: Int
        /// ``FileDigest`` of the bytes as stored.
        public var digest: String
        /// Bytes once expanded; `nil` for a file that is not compressed.
        public var expandedSize: Int?

        public init(path: String, size: Int, digest: String, expandedSize: Int? = nil) {
            (self.path, self.size, self.digest, self.expandedSize) = (path, size, digest, expandedSize)
        }
    }
}

extension Manifest {
    /// A process, by what must be the same after it was restored.
    public struct Process: Sendable, Equatable {
        /// As the box numbers it.
        public var pid: Int
        /// Its parent's number in the box; 0 outside.
        public var parent: Int
        public var name: String
        public var command: [String] = []
        /// Resident memory, bytes.
        public var memory = 0
        public var uid: UInt32 = 0
        public var gid: UInt32 = 0
        public var groups: [UInt32] = []
        public var inheritable: UInt64 = 0
        public var permitted: UInt64 = 0
        public var effective: UInt64 = 0
        public var bounding: UInt64 = 0
        public var ambient: UInt64 = 0
        public var noNewPrivileges = false
        /// 0: none, 1: strict, 2: filters (seccomp(2)).
        public var seccompMode = 0
        public var seccompFilters = 0
        /// personality(2).
        public var personality: UInt64 = 0
        /// /proc/PID/coredump_filter.
        public var coredumpFilter: UInt64?
        public var oomScoreAdjust = 0
        public var threads: [Thread] = []

        public init(pid: Int, parent: Int, name: String) { (self.pid, self.parent, self.name) = (pid, parent, name) }
    }

    /// What CRIU forgets of a thread.
    public struct Thread: Sendable, Equatable {
        /// As the box numbers it.
        public var id: Int
        /// CPUs, a list such as `0-1,3`.
        public var affinity = ""
        /// ioprio_get(2); 0: not set.
        public var ioPriority = 0
        /// Nanoseconds.
        public var timerSlack: UInt64?

        public init(id: Int) { self.id = id }
    }

    /// What is inside, for people.
    public struct Contents: Sendable, Equatable {
        /// Bytes of the processes' memory.
        public var memory = 0
        public var sockets: [Socket] = []
        /// Paths of open files, each once.
        public var openFiles: [String] = []
        /// Paths that an overlay changed, each with `A`dded, `C`hanged or `D`eleted.
        public var changes: [Change] = []

        public init() {}
    }

    public struct Socket: Sendable, Equatable {
        /// `tcp`, `tcp6`, `udp`, `udp6`, `unix`, and their like.
        public var kind: String
        public var local: String
        public var remote: String
        /// `LISTEN`, `ESTABLISHED`, …; empty where there is none.
        public var state: String
        public var pid: Int

        public init(kind: String, local: String, remote: String, state: String, pid: Int) {
            (self.kind, self.local, self.remote, self.state, self.pid) = (kind, local, remote, state, pid)
        }
    }

    public struct Change: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable { case added = "A", changed = "C", deleted = "D" }
        public var kind: Kind
        public var path: String

        public init(_ kind: Kind, _ path: String) { (self.kind, self.path) = (kind, path) }
    }
}
