import Profile

extension FilesystemPlanner {
    /// Where the box's own sockets of buses are, in a /run of the box's own, else in a mount over the system bus's
    /// directory. The proxy makes them as the box's user, who owns it.
    func busFolder(_ steps: [MountStep]) -> [MountStep] {
        guard let key = dbus.filtered.first else { return [] }
        let hasOwn = steps.contains { step in
            if case .tmpfs("/run", _, _, _) = step.operation { return true }
            return false
        }
        if hasOwn { return [MountStep(key, .directory(path: BusPlan.folder, mode: 0o700))] }
        var options = Profile.BindOptions()
        (options.nosuid, options.nodev, options.noexec) = (true, true, true)
        return [MountStep(key, .tmpfs(path: BusPlan.folder, size: 1 << 20, mode: 0o700, options))]
    }

    /// What leads to a bus that the box shall not have, or past the filter: the bus itself, accessibility's, and systemd,
    /// which takes the same calls on a socket of its own.
    func busHidden() -> [MountStep] {
        var steps: [MountStep] = []
        for (key, _, bus) in dbus.all where bus.access == .closed || bus.access == .filtered {
            var paths: [String] = []
            if case .path(let path)? = host.busAddress(key) { paths.append(path) }
            if key == "dbus.system" {
                paths += ["/run/dbus/system_bus_socket", "/run/systemd/private"]
            } else if let folder = host.variable("XDG_RUNTIME_DIR"), folder.hasPrefix("/") {
                paths += ["bus", "systemd", "at-spi"].map { "\(folder)/\($0)" }
            }
            var seen: Set<String> = []
            for path in paths where !path.hasPrefix(BusPlan.folder + "/") || dbus.filtered.isEmpty {
                if seen.insert(path).inserted { steps.append(MountStep(key, .hide(path: path))) }
            }
        }
        return steps
    }
}
