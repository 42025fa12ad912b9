import Profile

extension FilesystemPlanner {
    /// The same rules for Landlock. What changes all the time, /proc, and what writes go through, /dev, are left to the
    /// mounts where there are any.
    func landlock(_ plan: FilesystemPlan) throws(LaunchError) -> LandlockPlan? {
        guard filesystem.landlock else { return nil }
        var access = LandlockPlan()
        let mounts = unshare.contains(.mount)
        access.listsDirectories = mounts
        let steps =
            mounts
            ? plan.steps
            : try list(filesystem.readOnly, "read-only", .host) { .readOnly(path: $0, optional: false) }
                + list(filesystem.writable, "writable", .host) { .writable(path: $0) }
                + list(filesystem.hide, "hide", .host) { .hide(path: $0) }
        func isLeft(_ path: String) -> Bool {
            mounts && ["/proc", "/sys", "/dev"].contains { FilesystemPlanner.remainder(of: path, below: $0) != nil }
        }
        for step in steps {
            switch step.operation {
            case .readOnly(let path, _): if !isLeft(path) { access.add(path, isReadOnly: true) }
            case .hide(let path): if !isLeft(path) { access.hidden.append(path) }
            case .writable(let path), .directory(let path, _): access.add(path, isReadOnly: false)
            case .tmpfs(let path, _, _, let options), .bind(_, let path, let options):
                access.add(path, isReadOnly: options.readOnly)
            case .keep(let path, _): access.add(path, isReadOnly: true)
            case .file, .replace, .symlink, .proc, .devices, .tap: continue
            }
        }
        access.writable += mounts ? ["/dev", "/proc"] : []
        return access
    }
}

extension LandlockPlan {
    /// Of two entries for one path the later decides, as it does with mounts.
    fileprivate mutating func add(_ path: String, isReadOnly: Bool) {
        readOnly.removeAll { $0 == path }
        writable.removeAll { $0 == path }
        if isReadOnly { readOnly.append(path) } else { writable.append(path) }
    }
}
