import Profile

/// The caller's own display, for a box to share (`display.server = "host"`).
public enum HostDisplayPlan: Sendable, Equatable {
    /// A compositor's socket, by its path.
    case wayland(String)
    /// An X server, by the number of its display on this machine.
    case x11(Int)

    /// The box's socket for a compositor: the host's own, or one that the compositor knows as a box's.
    static let compositor = DisplayPlan.folder + "/wayland"

    /// The box's path of the socket.
    var place: String {
        switch self {
        case .wayland: HostDisplayPlan.compositor
        case .x11: socket
        }
    }

    /// The socket on the host.
    public var socket: String {
        switch self {
        case .wayland(let path): path
        case .x11(let number): "\(DisplayPlan.folder)/X\(number)"
        }
    }

    /// What the caller's environment names.
    init(_ host: HostFacts) throws(LaunchError) {
        if let name = host.variable("WAYLAND_DISPLAY"), !name.isEmpty {
            if name.hasPrefix("/") {
                self = .wayland(name)
                return
            }
            guard let folder = host.variable("XDG_RUNTIME_DIR"), folder.hasPrefix("/") else {
                throw LaunchError(
                    key: "display.server", "WAYLAND_DISPLAY names a socket in XDG_RUNTIME_DIR, which is not set",
                    mend: "set it")
            }
            self = .wayland("\(folder)/\(name)")
            return
        }
        guard let text = host.variable("DISPLAY"), !text.isEmpty else {
            throw LaunchError(
                key: "display.server", "there is no display to share: neither WAYLAND_DISPLAY nor DISPLAY is set",
                mend: "start it from a graphical session, or set it to \"private\"")
        }
        let number = (text.hasPrefix("unix:") ? text.dropFirst(5) : text.dropFirst()).prefix { $0 != "." }
        guard text.hasPrefix(":") || text.hasPrefix("unix:"), let number = Int(number), number >= 0 else {
            throw LaunchError(
                key: "display.server", "the display \"\(text)\" is not on this machine", mend: "set it to \"private\"")
        }
        self = .x11(number)
    }

    /// An environment with the variables of that display and of no other.
    func environment(_ entries: [String]) -> [String] {
        switch self {
        case .wayland: entries + ["WAYLAND_DISPLAY=\(HostDisplayPlan.compositor)"]
        case .x11(let number): entries + ["DISPLAY=:\(number)", "XAUTHORITY=\(DisplayPlan.authority)"]
        }
    }
}

extension FilesystemPlan {
    /// The plan for a box with a socket of its own at the compositor: the host's is out of reach.
    var withoutCompositor: FilesystemPlan {
        var plan = self
        for index in plan.steps.indices {
            if case .bind(let from, HostDisplayPlan.compositor, _) = plan.steps[index].operation {
                plan.steps[index].operation = .hide(path: from)
            }
        }
        return plan
    }
}

extension Planner {
    func hostDisplay(_ display: Profile.Display) throws(LaunchError) -> HostDisplayPlan? {
        guard display.server == .host else { return nil }
        let shared = try HostDisplayPlan(host)
        if case .x11 = shared, display.securityContext == .required {
            throw LaunchError(
                key: "display.wayland-security-context", "the display is an X server's, which has no such thing",
                mend: "take it out, or start it from a Wayland session")
        }
        return shared
    }

    /// The environment of a box's command.
    func environment(_ wanted: Profile.Environment, _ profile: Profile) throws(LaunchError) -> [String] {
        let all = BusPlan.environment(environment(wanted), profile.buses)
        let display = profile.display
        guard display.server != .none else { return all }
        var strange = Profile.Display.variables + ["WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        if !display.sound { strange.append("PULSE_SERVER") }
        let kept = all.filter { entry in !strange.contains { environmentName(entry) == $0 } }
        if let shared = try hostDisplay(display) { return shared.environment(kept) }
        return DisplayPlan.environment(kept)
    }
}
