import CLinux
import Glibc

/// What a program may reach, as Landlock's rules: all that is handled and not granted is denied.
public struct LandlockRuleset: Sendable, Equatable {
    /// One grant for a file, or for a directory and all beneath.
    public struct Rule: Sendable, Equatable, Hashable {
        public var path: String
        public var access: LandlockAccess
        /// Came from a directory's listing: passed over when gone by now, or a symbolic link, whose target has grants of
        /// its own.
        public var isListed: Bool

        public init(_ path: String, _ access: LandlockAccess, isListed: Bool = false) {
            self.path = path
            self.access = access
            self.isListed = isListed
        }
    }

    /// nil: files are not restricted.
    public var paths: [Rule]?
    /// TCP ports that may be bound; nil: not restricted. Needs version 4.
    public var bind: [UInt16]?
    /// TCP ports that may be connected to; nil: not restricted. Needs version 4.
    public var connect: [UInt16]?
    /// Needs version 6.
    public var scope: LandlockScope

    public init(
        paths: [Rule]? = nil, bind: [UInt16]? = nil, connect: [UInt16]? = nil, scope: LandlockScope = []
    ) {
        self.paths = paths
        self.bind = bind
        self.connect = connect
        self.scope = scope
    }

    /// Whether nothing at all is restricted, so that there is nothing to apply.
    public var isEmpty: Bool { paths == nil && bind == nil && connect == nil && scope.isEmpty }

    /// The numbers that landlock_create_ruleset(2) takes, for one version of the interface.
    struct Attributes: Equatable {
        var files: LandlockAccess = []
        var network: UInt64 = 0
        var scope: LandlockScope = []

        static let bindTCP: UInt64 = 1
        static let connectTCP: UInt64 = 2

        /// The structure grew with the versions; an older kernel refuses what it does not know.
        func size(_ version: Int) -> Int { version >= 6 ? 24 : version >= 4 ? 16 : 8 }
    }

    /// What a kernel with `version` has to enforce; throws when it cannot enforce all that was asked for.
    ///
    /// Files are confined from version 1 on, with the rights that the version has: before version 2 no file can be
    /// moved across directories, before 3 truncate(2) and before 5 ioctl(2) on devices are not confined.
    func attributes(version: Int) throws(SystemError) -> Attributes {
        func require(_ needed: Int, _ what: String) throws(SystemError) {
            if version >= needed { return }
            let mend =
                version == 0
                ? "this kernel has no Landlock, or it is not in the lsm= list; "
                : "this kernel has version \(version) of Landlock; "
            throw SystemError(
                what, code: EOPNOTSUPP, mend: mend + "Linux \(LandlockABI.kernel(needed)) or newer is needed")
        }
        var attributes = Attributes()
        if paths != nil {
            try require(1, "confine files by Landlock")
            attributes.files = .known(by: version)
        }
        if bind != nil {
            try require(4, "confine the TCP ports that are bound")
            attributes.network |= Attributes.bindTCP
        }
        if connect != nil {
            try require(4, "confine the TCP ports that are connected to")
            attributes.network |= Attributes.connectTCP
        }
        if scope.contains(.abstractUnixSocket) { try require(6, "confine abstract UNIX sockets") }
        if scope.contains(.signal) { try require(6, "confine signals") }
        attributes.scope = scope
        return attributes
    }

    /// Opens the ruleset and adds every rule; `LandlockDomain.restrict()` puts it into force.
    public func open() throws(SystemError) -> LandlockDomain {
        let version = try LandlockABI.current()
        let attributes = try attributes(version: version)
        var numbers = linux_landlock_ruleset(
            handled_fs: attributes.files.rawValue, handled_net: attributes.network,
            scoped: attributes.scope.rawValue)
        let descriptor = try check("create the Landlock rules") {
            linux_landlock_create_ruleset(&numbers, attributes.size(version))
        }
        let ruleset = Descriptor(descriptor)
        for rule in paths ?? [] { try add(rule, to: ruleset.number, handled: attributes.files) }
        for port in bind ?? [] { try add(port, Attributes.bindTCP, to: ruleset.number) }
        for port in connect ?? [] { try add(port, Attributes.connectTCP, to: ruleset.number) }
        return LandlockDomain(ruleset)
    }

    private func add(_ rule: Rule, to ruleset: Int32, handled: LandlockAccess) throws(SystemError) {
        let opened = linux_open(rule.path, O_PATH | O_CLOEXEC | (rule.isListed ? O_NOFOLLOW : 0), 0)
        if opened < 0 {
            let code = errno
            if rule.isListed, code == ENOENT || code == ENOTDIR { return }
            throw SystemError("open \(rule.path) for Landlock", code: code)
        }
        let file = Descriptor(opened)
        var access = rule.access.intersection(handled)
        var status = stat()
        try check("read the status of \(rule.path)") { fstat(file.number, &status) }
        if status.st_mode & S_IFMT == S_IFLNK { return }
        if status.st_mode & S_IFMT != S_IFDIR { access.formIntersection(.file) }
        // The kernel refuses an empty grant, which would grant nothing.
        if access.isEmpty { return }
        try check("allow \(rule.path) by Landlock") {
            linux_landlock_add_path(ruleset, access.rawValue, file.number)
        }
    }

    private func add(_ port: UInt16, _ access: UInt64, to ruleset: Int32) throws(SystemError) {
        try check("allow TCP port \(port) by Landlock") {
            linux_landlock_add_port(ruleset, access, UInt64(port))
        }
    }
}

/// Rules in the kernel, ready to be put into force.
public struct LandlockDomain: ~Copyable, Sendable {
    private let ruleset: Descriptor

    init(_ ruleset: consuming Descriptor) { self.ruleset = ruleset }

    /// Confines the calling thread, and what it executes, for good (landlock_restrict_self(2)).
    ///
    /// Needs no_new_privs or CAP_SYS_ADMIN; without either the kernel says EPERM.
    public func restrict() throws(SystemError) {
        try check("confine the process by Landlock") { linux_landlock_restrict_self(ruleset.number) }
    }
}
