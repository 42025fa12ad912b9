import Profile

extension FilesystemPlanner {
    /// The directory of a private X server's sockets: in a /tmp of the box's own, else a mount over the host's.
    func displayFolder(_ steps: [MountStep]) -> [MountStep] {
        guard display.server == .private else { return [] }
        let key = "display.server"
        let hasOwn = steps.contains { step in
            if case .tmpfs("/tmp", _, _, _) = step.operation { return true }
            return false
        }
        if hasOwn { return [MountStep(key, .directory(path: DisplayPlan.folder, mode: 0o1777))] }
        var options = Profile.BindOptions()
        (options.nosuid, options.nodev, options.noexec) = (true, true, true)
        return [MountStep(key, .tmpfs(path: DisplayPlan.folder, size: nil, mode: 0o1777, options))]
    }
}
