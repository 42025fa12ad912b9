import Profile

/// The caller's own display, for a box to share (`display.server = "host"`).
public enum HostDisplayPlan: Sendable, Equatable {
    /// A compositor's socket, by its path.
    case wayland(String)
    /// An X server, by the number of its display on this machine.
    case x11(Int)

    /// The socket on the host, and the box's path for it.
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
        case .wayland(let path): entries + ["WAYLAND_DISPLAY=\(path)"]
        case .x11(let number): entries + ["DISPLAY=:\(number)", "XAUTHORITY=\(DisplayPlan.authority)"]
        }
    }
}

extension Planner {
    func hostDisplay(_ display: Profile.Display) throws(LaunchError) -> HostDisplayPlan? {
        display.server == .host ? try HostDisplayPlan(host) : nil
    }

    /// The environment of a box's command.
    func environment(_ wanted: Profile.Environment, _ display: Profile.Display) throws(LaunchError) -> [String] {
        let all = environment(wanted)
        guard display.server != .none else { return all }
        var strange = Profile.Display.variables + ["WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        if !display.sound { strange.append("PULSE_SERVER") }
        let kept = all.filter { entry in !strange.contains { environmentName(entry) == $0 } }
        if let shared = try hostDisplay(display) { return shared.environment(kept) }
        return DisplayPlan.environment(kept)
    }
}
