import Glibc
import Kernel
public import Launch
import Profile
public import Switching

/// The name servers of switches: detached sandboxes called `switch-NAME-dns`.
extension Registry {
    /// Makes a switch, and starts its name server where it has one.
    ///
    /// - Parameter force: takes the host's own way out as an uplink, too.
    /// - Parameter executable: the path of `sandbox`; the one on PATH where `nil`.
    /// - Throws: when there is one of that name, or what is asked for cannot be had; then nothing is left of it.
    public func createSwitch(
        _ spec: SwitchSpec, force: Bool = false, executable: String? = nil
    ) throws(LaunchError) {
        let store = SwitchStore(state)
        if spec.hasDNS, let other = try find(Registry.nameServer(of: spec.name)), !other.isNameServer {
            throw LaunchError(
                "the sandbox \"\(other.name)\" has the name of the switch's name server",
                mend: "remove it, or name the switch otherwise")
        }
        _ = try switched { () throws(SwitchError) in try store.create(spec, force: force) }
        do throws(LaunchError) {
            try startNameServer(of: spec.name, executable: executable)
        } catch {
            var error = error
            do throws(LaunchError) {
                try deleteSwitch(spec.name, force: true)
            } catch let second {
                error.message += "; left behind: \(second.message)"
            }
            throw error
        }
    }

    /// Deletes a switch with its name server, and with `force` one that has ports, or that is damaged.
    public func deleteSwitch(_ name: String, force: Bool = false) throws(LaunchError) {
        try switched { () throws(SwitchError) in try SwitchStore(state).delete(name, force: force) }
        try endNameServer(of: name)
    }

    /// Starts a switch's name server, unless it runs or is about to begin again, and waits until it answers.
    func startNameServer(of name: String, executable: String?) throws(LaunchError) {
        let store = SwitchStore(state)
        guard let service = try switched(nil, { () throws(SwitchError) in try store.nameService(of: name) }) else {
            return
        }
        if try runsAs(service, name) { return }
        let lock = try switched(nil, { () throws(SwitchError) in try store.lock() })
        defer { lock.release() }
        // Another may have been faster, or have changed it.
        guard let service = try switched(nil, { () throws(SwitchError) in try store.nameService(of: name) }),
            try !runsAs(service, name)
        else { return }
        try endNameServer(of: name)
        _ = try Sandbox.launch(NameServer(name, service).request, in: self, executable: executable)
        for _ in 0..<1000 {
            if try switched(nil, { () throws(SwitchError) in try store.answersNames(name) }) { return }
            guard try nameServerState(of: name).isUnderWay else { break }
            usleep(5000)
        }
        throw LaunchError(
            "the name server of the switch \"\(name)\" does not answer",
            mend: "'sandbox logs \(Registry.nameServer(of: name))' tells what it says")
    }

    /// Has a switch's server read anew who gets which addresses by DHCP.
    func renewLeases(of name: String, executable: String?) throws(LaunchError) {
        let store = SwitchStore(state)
        let service = try switched(nil) { () throws(SwitchError) in try store.nameService(of: name) }
        guard let service, service.leases != nil else { return }
        let record = try find(Registry.nameServer(of: name))
        guard try runsAs(service, name), let process = record?.application ?? record?.process else {
            return try startNameServer(of: name, executable: executable)
        }
        try translated { () throws(SystemError) in
            // One that ends meanwhile begins again, and reads it then.
            if let handle = try ProcessHandle(process) { try handle.send(SIGHUP) }
        }
    }

    /// Whether it is under way as it is to be run now: rules may lead to more names than when it was started.
    private func runsAs(_ service: NameService, _ name: String) throws(LaunchError) -> Bool {
        guard try nameServerState(of: name).isUnderWay, let record = try find(Registry.nameServer(of: name)) else {
            return false
        }
        return record.command == service.command
    }

    /// Whether a switch's name server runs.
    public func nameServerState(of name: String) throws(LaunchError) -> NameServerState {
        guard let record = try settle(Registry.nameServer(of: name)), record.isNameServer else { return .missing }
        switch record.phase {
        case .running: return .running
        case .created: return .starting
        case .stopped, .checkpointed: return .stopped
        }
    }

    /// Ends the name servers whose switches are gone.
    /// - Returns: what was removed.
    func sweepNameServers() throws(LaunchError) -> [String] {
        var removed: [String] = []
        for server in try names() {
            guard let name = Registry.switchName(ofNameServer: server), let record = try find(server),
                record.isNameServer
            else { continue }
            if try switched(nil, { () throws(SwitchError) in try SwitchStore(state).find(name) }) != nil { continue }
            try endNameServer(of: name)
            removed.append(path(server))
        }
        return removed
    }

    private func endNameServer(of name: String) throws(LaunchError) {
        let server = Registry.nameServer(of: name)
        guard let record = try find(server), record.isNameServer else { return }
        try Sandbox(server, in: self).remove(force: true)
    }

    /// The sandbox that is a switch's name server.
    public static func nameServer(of name: String) -> String { "switch-\(name)-dns" }

    private static func switchName(ofNameServer name: String) -> String? {
        guard name.hasPrefix("switch-"), name.hasSuffix("-dns") else { return nil }
        let found = String(name.dropFirst("switch-".utf8.count).dropLast("-dns".utf8.count))
        return found.isEmpty ? nil : found
    }
}

/// What became of a switch's name server.
public enum NameServerState: String, Sendable {
    case running
    /// Being launched, or about to begin again.
    case starting
    case stopped
    /// It was removed.
    case missing

    var isUnderWay: Bool { self == .running || self == .starting }
}

extension SandboxRecord {
    /// Whether it is a name server of ours, and not somebody's own sandbox of that name.
    fileprivate var isNameServer: Bool { profiles == [NameServer.profile] }
}

/// The sandbox of a switch's name server.
struct NameServer {
    /// What `ps` shows as its profile.
    static let profile = "name-server"
    private let name: String
    private let service: NameService
    /// Directories at the root that are hidden from it.
    private let others: [String]

    init(_ name: String, _ service: NameService) throws(LaunchError) {
        (self.name, self.service) = (name, service)
        let entries = try translated { () throws(SystemError) in try StateFolder(existing: "/").entries() }
        others = entries.filter { entry in
            !["bin", "dev", "etc", "home", "proc", "root", "run", "sbin", "tmp", "usr"].contains(entry)
                && !entry.hasPrefix("lib")
        }.map { "/" + $0 }
    }

    var request: LaunchRequest {
        var request = LaunchRequest(confinement, name: Registry.nameServer(of: name), command: service.command)
        request.profiles = [NameServer.profile]
        request.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        request.directory = "/"
        request.isDetached = true
        return request
    }

    /// It sees the system's programs and the names, speaks IP and nothing else, and is nobody.
    private var confinement: Profile {
        var profile = Profile()
        profile.description = "The name server of the switch \(name)"
        profile.namespaces.unshare = [.mount, .pid, .ipc, .uts]
        profile.namespaces.join = [.net: .path(service.namespace)]
        profile.process.user = "nobody"
        profile.process.groups = []
        profile.process.workingDirectory = "/"
        profile.process.terminal = .none
        profile.process.initProcess = false
        profile.process.environment.clear = true
        profile.limits["nofile"] = .init(soft: 1024, hard: 1024)
        profile.limits["core"] = .init(soft: 0, hard: 0)
        profile.filesystem = files
        profile.security.capabilities.keep = service.capabilities
        profile.security.capabilities.ambient = service.capabilities
        profile.security.userNamespaces = .deny
        profile.security.seccomp = NameServer.calls
        profile.lifecycle.restart = .onFailure(limit: nil)
        profile.lifecycle.stopTimeout = 2
        // It writes a line for each port that comes or goes.
        profile.lifecycle.logSize = 65536
        return profile
    }

    private var files: Profile.Filesystem {
        var files = Profile.Filesystem()
        files.readOnly = ["/"]
        files.privateAreas = [.tmp, .home, .dev, .run]
        var options = Profile.BindOptions()
        options.readOnly = true
        (options.nosuid, options.nodev, options.noexec) = (true, true, true)
        files.binds = [.init(from: service.hosts.from, to: service.hosts.to, options: options)]
        if let leases = service.leases { files.binds.append(.init(from: leases.from, to: leases.to, options: options)) }
        if let directory = service.hostResolver {
            files.binds.append(.init(from: directory, to: directory, options: options))
        }
        // Of the system it sees what a program needs; what else lies at the root is whoever's.
        files.hide = others + ["/usr/local", "/usr/src", "/etc/ssh", "/etc/ssl", "/etc/sandbox"]
        return files
    }

    private static var calls: Profile.Seccomp {
        var calls = Profile.Seccomp()
        calls.default = .deny
        calls.architectures = ["native"]
        calls.allow = [
            "@basic-io", "@default", "@file-system", "@io-event", "@ipc", "@network-io", "@process", "@signal", "@sync",
            "@timer", "capget", "fadvise64", "getcpu", "ioctl", "madvise", "mremap", "sysinfo", "umask", "uname",
        ]
        // AF_INET, AF_INET6 and AF_NETLINK alone.
        calls.rules = [
            .init(
                calls: ["socket"], action: .errno("EAFNOSUPPORT"),
                conditions: [.init(argument: 0, comparison: .equal, value: 1)]),
            .init(
                calls: ["socket"], action: .errno("EAFNOSUPPORT"),
                conditions: [.init(argument: 0, comparison: .greater, value: 16)]),
        ]
        return calls
    }
}
