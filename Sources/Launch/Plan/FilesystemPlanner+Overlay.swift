import Profile

extension FilesystemPlanner {
    /// Kinds of filesystem whose files stand for kernel state: a copy-on-write layer over them has no meaning.
    private static let kernelFilesystems: Set<String> = [
        "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "mqueue", "securityfs", "debugfs", "tracefs",
        "pstore", "bpf", "configfs", "fusectl", "hugetlbfs", "binfmt_misc", "autofs", "efivarfs", "rpc_pipefs", "nsfs",
    ]

    func overlay(_ root: FilesystemPlan.Root) throws(LaunchError) -> OverlayPlan? {
        guard let wanted = filesystem.overlay else { return nil }
        var plan = OverlayPlan(upper: wanted.upper, size: wanted.size)
        if case .directory(let path) = wanted.upper {
            if wanted.size != nil {
                throw LaunchError(
                    key: "filesystem.overlay.size", "only a tmpfs has a size", mend: "take it out, or set a quota")
            }
            plan.upper = .directory(try paths.expand(path, key: "filesystem.overlay.upper"))
        }
        let base = if case .tree(let directory) = root { directory } else { "/" }
        for (path, isKernels) in topMounts(below: base) {
            if plan.bound.contains(where: { FilesystemPlanner.remainder(of: path, below: $0) != nil }) { continue }
            if isKernels { plan.bound.append(path) } else { plan.layered.append(path) }
        }
        return plan
    }

    /// What is mounted below `base`, as box paths with the outer ones first. Of mounts on one place the last is what is
    /// seen: behind an autofs point there may be anybody's files.
    private func topMounts(below base: String) -> [(path: String, isKernels: Bool)] {
        var mounts: [(path: String, isKernels: Bool)] = []
        for mount in host.mounts() where !dropsNamespaceFiles || mount.type != "nsfs" {
            guard let below = FilesystemPlanner.remainder(of: mount.path, below: base), !below.isEmpty else { continue }
            mounts.removeAll { $0.path == "/" + below }
            mounts.append(("/" + below, FilesystemPlanner.kernelFilesystems.contains(mount.type)))
        }
        return mounts.enumerated().sorted {
            ($0.element.path.utf8.count, $0.offset) < ($1.element.path.utf8.count, $1.offset)
        }.map(\.element)
    }
}
