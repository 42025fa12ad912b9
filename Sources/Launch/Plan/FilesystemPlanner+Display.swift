import Profile

extension FilesystemPlanner {
    /// Where a display's sockets are, in a /tmp of the box's own, else in mounts over the host's.
    func displayFolder(_ steps: [MountStep]) -> [MountStep] {
        switch display.server {
        case .none: return []
        case .host, .private: break
        }
        let key = "display.server"
        let hasOwn = steps.contains { step in
            if case .tmpfs("/tmp", _, _, _) = step.operation { return true }
            return false
        }
        var options = Profile.BindOptions()
        (options.nosuid, options.nodev, options.noexec) = (true, true, true)
        let folder: MountOperation =
            hasOwn
            ? .directory(path: DisplayPlan.folder, mode: 0o1777)
            : .tmpfs(path: DisplayPlan.folder, size: nil, mode: 0o1777, options)
        if display.server == .host { return [MountStep(key, folder)] }
        // The server compiles its keyboard's map into a file there, or in /tmp, named after the display's number alone:
        // another box's server would meet its own.
        let keymaps = "/var/lib/xkb"
        options.optional = true
        return [
            MountStep(key, folder),
            MountStep(
                key,
                hasOwn
                    ? .readOnly(path: keymaps, optional: true)
                    : .tmpfs(path: keymaps, size: nil, mode: 0o1777, options)),
        ]
    }

    /// What of the host's the box shares: the display's socket, graphics devices, the sound server's socket.
    func displayBinds() throws(LaunchError) -> [MountStep] {
        var steps: [MountStep] = []
        func share(_ path: String, at place: String? = nil, _ key: String) {
            steps.append(MountStep(key, .bind(from: path, to: place ?? path, Profile.BindOptions())))
        }
        if display.server == .host {
            let shared = try HostDisplayPlan(host)
            share(shared.socket, at: shared.place, "display.server")
        }
        if display.gpu { share("/dev/dri", "display.gpu") }
        if display.sound {
            guard let folder = runtimeDirectory else {
                throw LaunchError(
                    key: "display.sound", "the sound server's socket is in XDG_RUNTIME_DIR, which is not set",
                    mend: "set it")
            }
            share(folder + "/pulse/native", "display.sound")
        }
        return steps
    }

    /// A box with a display is silent unless it is told otherwise.
    func displayHidden() -> [MountStep] {
        guard display.server != .none, !display.sound, let folder = runtimeDirectory else { return [] }
        return ["pulse", "pipewire-0", "pipewire-0-manager"].map {
            MountStep("display.sound", .hide(path: "\(folder)/\($0)"))
        }
    }

    private var runtimeDirectory: String? {
        host.variable("XDG_RUNTIME_DIR").flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
}
