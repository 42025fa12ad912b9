import Profile

extension FilesystemPlanner {
    /// Where a private X server writes, in a /tmp of the box's own, else in mounts over the host's: the directory of its
    /// sockets, and its keyboard's map.
    func displayFolder(_ steps: [MountStep]) -> [MountStep] {
        guard display.server == .private else { return [] }
        let key = "display.server"
        let hasOwn = steps.contains { step in
            if case .tmpfs("/tmp", _, _, _) = step.operation { return true }
            return false
        }
        // The server compiles its keyboard's map into a file there, or in /tmp, named after the display's number alone:
        // another box's server would meet its own.
        let keymaps = "/var/lib/xkb"
        if hasOwn {
            return [
                MountStep(key, .directory(path: DisplayPlan.folder, mode: 0o1777)),
                MountStep(key, .readOnly(path: keymaps, optional: true)),
            ]
        }
        var options = Profile.BindOptions()
        (options.nosuid, options.nodev, options.noexec) = (true, true, true)
        let folder = MountStep(key, .tmpfs(path: DisplayPlan.folder, size: nil, mode: 0o1777, options))
        options.optional = true
        return [folder, MountStep(key, .tmpfs(path: keymaps, size: nil, mode: 0o1777, options))]
    }
}
