extension Profile {
    /// What the box sees of files. Entries apply in the order root, overlay, read-only, private, tmpfs, bind, files,
    /// writable, hide; `hide` wins over all.
    public struct Filesystem: Sendable, Equatable {
        /// The directory tree that becomes `/`; nil or "/" is the host's own.
        public var root: String?
        public var overlay: Overlay?
        public var readOnly: [String] = []
        public var writable: [String] = []
        public var hide: [String] = []
        public var privateAreas: Set<PrivateArea> = []
        public var binds: [Bind] = []
        public var tmpfs: [Tmpfs] = []
        public var files: [File] = []
        public var symlinks: [Symlink] = []
        public var landlock = false
        public var proc = Proc.auto
        /// Paths of a fresh /proc (and of /sys) that are hidden; nil: the OCI runtime specification's usual list.
        public var maskedPaths: [String]?
        /// Paths of a fresh /proc that are read-only; nil: the usual list.
        public var readonlyPaths: [String]?

        public init() {}
    }

    /// A fresh and empty area: `tmp` (/tmp and /var/tmp), `home` (/home and /root), `dev` (the usual device nodes),
    /// `run` (/run).
    public enum PrivateArea: String, Sendable, CaseIterable {
        case tmp, home, dev, run
    }

    public enum Proc: String, Sendable, CaseIterable {
        /// Fresh when both a mount and a pid namespace are unshared, the host's otherwise.
        case auto
        case fresh, host, none
    }

    public struct Overlay: Sendable, Equatable {
        public enum Upper: Sendable, Equatable {
            /// Changes are lost with the box.
            case tmpfs
            /// Changes are kept in this directory (subdirectories are made per mount).
            case directory(String)
        }
        public var upper: Upper
        /// Size limit of a tmpfs upper layer, in bytes.
        public var size: UInt64?

        public init(upper: Upper, size: UInt64? = nil) {
            self.upper = upper
            self.size = size
        }
    }

    public struct Bind: Sendable, Equatable {
        public var from: String
        public var to: String
        public var options: BindOptions
        /// Where the entry was written, for errors.
        public var source: SourceReference?

        public init(from: String, to: String, options: BindOptions = BindOptions()) {
            self.from = from
            self.to = to
            self.options = options
        }
    }

    /// Options of a bind mount, by their mount(8) names.
    public struct BindOptions: Sendable, Equatable {
        public enum Propagation: String, Sendable, CaseIterable {
            case `private`, rprivate, slave, rslave, shared, rshared
        }
        public var readOnly = false
        public var nosuid = false
        public var nodev = false
        public var noexec = false
        public var nosymfollow = false
        /// `bind`: this mount only; otherwise (`rbind`, the default) what is mounted under it too.
        public var recursive = true
        /// `optional`: a missing source is no error.
        public var optional = false
        /// `nofollow`: the source must not be a symbolic link.
        public var nofollow = false
        /// `idmap`: the user namespace's mapping is applied to file owners (mount_setattr(2)).
        public var idmap = false
        public var propagation: Propagation?

        public init() {}
    }

    public struct Tmpfs: Sendable, Equatable {
        public var path: String
        /// Bytes; nil is the kernel's default, half of the memory.
        public var size: UInt64?
        public var mode: UInt32
        public var options: BindOptions

        public init(path: String, size: UInt64? = nil, mode: UInt32 = 0o755, options: BindOptions = BindOptions()) {
            self.path = path
            self.size = size
            self.mode = mode
            self.options = options
        }
    }

    public struct File: Sendable, Equatable {
        public var path: String
        public var content: String
        public var mode: UInt32

        public init(path: String, content: String, mode: UInt32 = 0o644) {
            self.path = path
            self.content = content
            self.mode = mode
        }
    }

    public struct Symlink: Sendable, Equatable {
        public var path: String
        public var target: String

        public init(path: String, target: String) {
            self.path = path
            self.target = target
        }
    }
}
