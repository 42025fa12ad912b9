import Profile

/// What stands between a box and the host's message buses: xdg-dbus-proxy, in a box of its own beside that one, with a
/// socket in a directory of the box's.
public struct BusPlan: Sendable, Equatable {
    /// One bus.
    public struct Link: Sendable, Equatable {
        /// `dbus.session` or `dbus.system`.
        public var key: String
        public var address: BusAddress
        /// The socket's name in ``BusPlan/folder``.
        public var socket: String
        /// What passes: options of xdg-dbus-proxy(1).
        public var rules: [String]

        init(_ key: String, _ address: BusAddress, socket: String, _ bus: Profile.Bus) {
            (self.key, self.address, self.socket) = (key, address, socket)
            rules = bus.rules.flatMap { word, entries in entries.map { "--\(word)=\($0)" } }
        }
    }

    public var links: [Link] = []
    /// The proxy's own box, but for the command's descriptors and the user.
    var proxies: [LaunchPlan] = []

    /// Where the box finds the sockets, the system's by its usual name.
    public static let folder = "/run/dbus"
    static let socketNames = ["dbus.session": "session", "dbus.system": "system_bus_socket"]
    static let program = "xdg-dbus-proxy"

    /// The proxy's command.
    /// - Parameter line: a pipe that it writes a byte to once it serves, and whose other end keeps it alive.
    /// - Parameter folder: the directory of the box's.
    func command(line: Int32, folder: Int32) -> [String] {
        [BusPlan.program, "--fd=\(line)"]
            + links.flatMap { link in
                [link.address.text, "/proc/self/fd/\(folder)/\(link.socket)", "--filter"] + link.rules
            }
    }

    /// An environment that leads to the buses that the box has, and to no others that it shall not have.
    static func environment(_ entries: [String], _ buses: Profile.DBus) -> [String] {
        guard buses.isLimited else { return entries }
        var entries = entries
        for (key, _, bus) in buses.all where bus.access == .closed || bus.access == .filtered {
            let own = "DBUS_\(key == "dbus.session" ? "SESSION" : "SYSTEM")_BUS_ADDRESS"
            entries = entries.filter { entry in
                let name = environmentName(entry)
                return name != own && !name.hasPrefix("DBUS_STARTER_")
            }
            if bus.access == .filtered, let socket = socketNames[key] {
                entries.append("\(own)=unix:path=\(folder)/\(socket)")
            }
        }
        return entries
    }
}

extension HostFacts {
    /// Where a bus of the host's is; `nil` where nothing tells, or in a way that is none of this machine's.
    func busAddress(_ key: String) -> BusAddress? {
        if key == "dbus.system" {
            return BusAddress(variable("DBUS_SYSTEM_BUS_ADDRESS") ?? "unix:path=/run/dbus/system_bus_socket")
        }
        if let text = variable("DBUS_SESSION_BUS_ADDRESS"), !text.isEmpty { return BusAddress(text) }
        guard let folder = variable("XDG_RUNTIME_DIR"), folder.hasPrefix("/") else { return nil }
        return .path(folder + "/bus")
    }
}

extension Planner {
    func bus(_ profile: Profile, _ namespaces: NamespacePlan) throws(LaunchError) -> BusPlan? {
        let buses = profile.buses
        guard buses.isLimited else { return nil }
        let hasNetwork =
            namespaces.unshare.contains(.net) || namespaces.join.contains { $0.kind == .net }
            || profile.security.landlock.scope.contains(.abstractUnix)
        var plan = BusPlan()
        for (key, _, bus) in buses.all where bus.access == .closed || bus.access == .filtered {
            let address = host.busAddress(key)
            if case .abstract? = address, !hasNetwork {
                throw LaunchError(
                    key: key, "the host's bus has an abstract socket, which the box would reach past this",
                    mend: "add \"net\" to namespaces.unshare")
            }
            guard bus.access == .filtered, let socket = BusPlan.socketNames[key] else { continue }
            guard let address else {
                throw LaunchError(
                    key: key, "there is no such bus to filter on this machine",
                    mend: "set DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR, or set it to \"none\"")
            }
            plan.links.append(BusPlan.Link(key, address, socket: socket, bus))
        }
        if plan.links.isEmpty { return nil }
        plan.proxies = [try proxy(plan.links)]
        return plan
    }

    /// The box of the proxy: it sees the programs of the host and the buses' sockets, and nothing of anybody's.
    private func proxy(_ links: [BusPlan.Link]) throws(LaunchError) -> LaunchPlan {
        var profile = Profile()
        profile.namespaces.unshare = [.mount, .net, .ipc, .uts]
        profile.process.environment.clear = true
        profile.process.environment.keep = ["PATH"]
        profile.process.terminal = .none
        profile.process.dieWithParent = true
        profile.process.workingDirectory = "/"
        profile.limits["core"] = Profile.Limit(soft: 0, hard: 0)
        profile.filesystem.readOnly = ["/"]
        profile.filesystem.privateAreas = [.tmp, .home, .dev, .run]
        for link in links {
            switch link.address {
            case .path(let path): profile.filesystem.binds.append(Profile.Bind(from: path, to: path))
            case .abstract: profile.namespaces.unshare.remove(.net)
            }
        }
        profile.security.capabilities.keep = []
        profile.security.userNamespaces = .deny
        profile.security.seccomp = Profile.Seccomp()
        profile.security.seccomp?.deny = [
            "@mount", "@module", "@raw-io", "@reboot", "@swap", "@clock", "@keyring", "@cpu-emulation", "@debug", "bpf",
            "open_by_handle_at", "perf_event_open", "setns", "unshare", "userfaultfd",
        ]
        return try plan(profile, command: [BusPlan.program])
    }
}
