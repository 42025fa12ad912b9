public import Addresses
public import Profile

/// What planning asks of the host. A value with closures, so that tests plan on a host of their own making.
public struct HostFacts: Sendable {
    public var uid: UInt32
    public var gid: UInt32
    /// Whether the caller may make namespaces without a user namespace (CAP_SYS_ADMIN).
    public var privileged: Bool
    /// `KEY=VALUE`, as environ(7) holds it.
    public var environment: [String]
    public var home: String
    /// Where the caller's own profiles are, whether there are any or not; nil where that cannot be told.
    public var configuration: String?
    /// The caller's working directory, nil when it has been deleted or cannot be named.
    public var directory: @Sendable () -> String?
    /// Whether the caller has a controlling terminal.
    public var hasTerminal: Bool
    /// Paths that match a pattern of glob(7), sorted.
    public var glob: @Sendable (String) -> [String]
    /// The mounts of the caller's mount namespace, in the kernel's order.
    public var mounts: @Sendable () -> [HostMount]
    /// Ranges of /etc/subuid (`uid` true) or /etc/subgid that belong to the caller; `inside` is 0 in each.
    public var subordinateIDs: @Sendable (_ uid: Bool) -> [Profile.IDRange]
    /// The /proc/PID/ns directory of a running sandbox, nil when there is none of that name.
    public var namespaceDirectory: @Sendable (_ sandbox: String) throws(LaunchError) -> String?
    /// Who tells names on a switch, nil where nobody does.
    public var resolver: @Sendable (_ switchName: String) throws(LaunchError) -> Resolver? = { _ throws(LaunchError) in
        nil
    }
    /// Whether ports of a switch share a device of the host's (kind macvlan).
    public var sharesDevice: @Sendable (_ switchName: String) throws(LaunchError) -> Bool = { _ throws(LaunchError) in
        false
    }
    /// Whom a box asks for names besides those that its interfaces tell of.
    public var nameServers: [IPAddress] = []
    /// The functions that a chain names; `key` is the chain's.
    public var functions: @Sendable (_ references: [String], _ key: String) throws(LaunchError) -> [ResolvedFunction] =
        {
            _, key throws(LaunchError) in
            throw LaunchError(key: key, "there is nowhere to look functions up")
        }

    public init(
        uid: UInt32, gid: UInt32, privileged: Bool, environment: [String], home: String, hasTerminal: Bool,
        directory: @escaping @Sendable () -> String? = { nil },
        glob: @escaping @Sendable (String) -> [String] = { _ in [] },
        mounts: @escaping @Sendable () -> [HostMount] = { [] },
        subordinateIDs: @escaping @Sendable (Bool) -> [Profile.IDRange] = { _ in [] },
        namespaceDirectory: @escaping @Sendable (String) throws(LaunchError) -> String? = { _ throws(LaunchError) in nil
        }
    ) {
        self.uid = uid
        self.gid = gid
        self.privileged = privileged
        self.environment = environment
        self.home = home
        self.directory = directory
        self.hasTerminal = hasTerminal
        self.glob = glob
        self.mounts = mounts
        self.subordinateIDs = subordinateIDs
        self.namespaceDirectory = namespaceDirectory
    }

    /// The value of an environment variable.
    public func variable(_ name: String) -> String? {
        environment.first { environmentName($0) == name }.map { environmentValue($0) }
    }
}

/// The name in an entry of environ(7). By bytes: "=" with a combining mark after it is another character.
func environmentName(_ entry: String) -> Substring {
    entry[..<(entry.utf8.firstIndex(of: UInt8(ascii: "=")) ?? entry.endIndex)]
}

/// What follows the name; empty where nothing does.
func environmentValue(_ entry: String) -> String {
    String(Substring(entry.utf8.dropFirst(environmentName(entry).utf8.count + 1)))
}

/// Name servers, and the domain that names without a dot are looked up in (resolv.conf(5)).
public struct Resolver: Sendable, Equatable {
    public var servers: [IPAddress]
    public var domain: String?

    public init(servers: [IPAddress], domain: String?) { (self.servers, self.domain) = (servers, domain) }
}

/// A line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
public struct HostMount: Sendable, Equatable {
    public var path: String
    public var type: String

    public init(path: String, type: String) {
        self.path = path
        self.type = type
    }
}
