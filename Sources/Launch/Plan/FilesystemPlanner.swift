import Profile

/// Turns [filesystem] into an ordered list of mount steps.
struct FilesystemPlanner {
    let host: HostFacts
    let filesystem: Profile.Filesystem
    let unshare: NamespaceSet
    /// See ``FilesystemPlan/dropsNamespaceFiles``.
    var dropsNamespaceFiles = false
    /// What the network asks for.
    var network: [MountStep] = []
    var display = Profile.Display()
    var dbus = Profile.DBus()

    var paths: PathExpansion { PathExpansion(host: host) }

    func plan() throws(LaunchError) -> FilesystemPlan {
        var plan = FilesystemPlan()
        guard unshare.contains(.mount) else {
            try refuseWithoutMountNamespace()
            plan.landlock = try landlock(plan)
            return plan
        }
        if let root = try filesystem.root.map({ path throws(LaunchError) in
            try paths.expand(path, key: "filesystem.root")
        }), root != "/" {
            plan.root = .tree(root)
        }
        plan.overlay = try overlay(plan.root)
        // Entries apply in the order that the profile language fixes; what makes a foreign root usable comes first.
        plan.steps += foreignRoot(plan.root)
        let readOnly = try list(filesystem.readOnly, "read-only", plan.root) { .readOnly(path: $0, optional: false) }
        let writable = try list(filesystem.writable, "writable", plan.root) { .writable(path: $0) }
        var fresh: [MountStep] = []
        for area in Profile.PrivateArea.allCases where filesystem.privateAreas.contains(area) {
            fresh += privateArea(area)
        }
        var temporary = try tmpfs()
        temporary += displayFolder(fresh + temporary) + busFolder(fresh + temporary)
        let bound = try binds() + displayBinds()
        // What a bind puts below an area is the box's own already.
        let covered = bound.compactMap { step in
            if case .bind(_, let to, _) = step.operation { return to }
            return nil
        }
        let empty = (fresh + temporary).compactMap { $0.operation.emptied }
        plan.steps += readOnly.filter { !isShownThrough($0, empty, covered, plan.root) }
        plan.steps += try freshProc(plan.root)
        plan.steps += fresh + temporary
        plan.steps += (readOnly + writable).filter { isShownThrough($0, empty, covered, plan.root) }
            .map { $0.shownThrough }
        plan.steps += network + bound + (try files())
        plan.steps += writable.filter { !isShownThrough($0, empty, covered, plan.root) }
        plan.steps += kept(plan.steps, plan.root)
        plan.steps += try hidden(plan)
        try refuseRoot(plan.steps)
        plan.landlock = try landlock(plan)
        return plan
    }

    /// Whether an entry lies below an area that becomes empty: then it names what of the caller's shows through there.
    private func isShownThrough(
        _ step: MountStep, _ empty: [String], _ covered: [String], _ root: FilesystemPlan.Root
    ) -> Bool {
        guard root == .host, let path = step.operation.listed else { return false }
        if covered.contains(where: { FilesystemPlanner.remainder(of: path, below: $0) != nil }) { return false }
        return empty.contains { FilesystemPlanner.remainder(of: path, below: $0)?.isEmpty == false }
    }

    /// Without a mount namespace only Landlock can enforce rules, and only those of access.
    private func refuseWithoutMountNamespace() throws(LaunchError) {
        var access = Profile.Filesystem()
        access.landlock = filesystem.landlock
        if filesystem.landlock {
            access.readOnly = filesystem.readOnly
            access.writable = filesystem.writable
            access.hide = filesystem.hide
        }
        if filesystem.root == "/" { access.root = "/" }
        if filesystem.maskedPaths == [] { access.maskedPaths = [] }
        if filesystem.readonlyPaths == [] { access.readonlyPaths = [] }
        guard access != filesystem else { return }
        throw LaunchError(
            key: "filesystem", "[filesystem] needs a mount namespace",
            mend: "add \"mount\" to namespaces.unshare (--unshare mount)")
    }

    func list(
        _ entries: [String], _ key: String, _ root: FilesystemPlan.Root, _ operation: (String) -> MountOperation
    ) throws(LaunchError) -> [MountStep] {
        var steps: [MountStep] = []
        var tree: String?
        if case .tree(let directory) = root { tree = directory }
        for (index, entry) in entries.enumerated() {
            let place = "filesystem.\(key)[\(index)]"
            for path in try paths.expandGlob(entry, key: place, root: tree) {
                steps.append(MountStep(place, operation(path)))
            }
        }
        return steps
    }

    /// A hidden path is hidden at each place where a bind shows it.
    private func hidden(_ plan: FilesystemPlan) throws(LaunchError) -> [MountStep] {
        let named = try list(filesystem.hide, "hide", plan.root) { .hide(path: $0) } + displayHidden() + busHidden()
        var steps = named
        for step in named {
            guard case .hide(let path) = step.operation else { continue }
            for case .bind(let from, let to, _) in plan.steps.map(\.operation) where from != to {
                if let below = FilesystemPlanner.remainder(of: path, below: from) {
                    steps.append(MountStep(step.key, .hide(path: below.isEmpty ? to : to + "/" + below)))
                } else if FilesystemPlanner.remainder(of: from, below: path) != nil {
                    steps.append(MountStep(step.key, .hide(path: to)))
                }
            }
        }
        if filesystem.proc == .none { steps.append(MountStep("filesystem.proc", .hide(path: "/proc"))) }
        let usual = hasFreshProc(plan.root) ? FilesystemPlanner.usualMaskedPaths : []
        return steps + (try list(filesystem.maskedPaths ?? usual, "masked-paths", plan.root) { .hide(path: $0) })
    }

    /// A mount on the root of the box would cover nothing: who stands on a root stays below what is mounted there.
    private func refuseRoot(_ steps: [MountStep]) throws(LaunchError) {
        for step in steps {
            switch step.operation {
            case .bind(_, "/", _), .tmpfs("/", _, _, _), .hide("/"), .file("/", _, _), .replace("/", _, _, _),
                .symlink("/", _):
                throw LaunchError(
                    key: step.key, "the root of the box cannot be covered",
                    mend: "set filesystem.root, or filesystem.read-only = [\"/\"]")
            default: continue
            }
        }
    }

    /// What follows `parent` in `path`, without the slash between; nil when `path` is not at or below `parent`.
    static func remainder(of path: String, below parent: String) -> String? {
        let prefix = (parent == "/" ? "/" : parent + "/").utf8
        if path.utf8.elementsEqual(parent.utf8) { return "" }
        return path.utf8.starts(with: prefix) ? String(Substring(path.utf8.dropFirst(prefix.count))) : nil
    }
}

extension MountOperation {
    /// The path that this makes empty.
    fileprivate var emptied: String? {
        switch self {
        case .tmpfs(let path, _, _, _), .devices(let path, _): path
        default: nil
        }
    }

    /// The path of a `read-only` or `writable` entry.
    fileprivate var listed: String? {
        switch self {
        case .readOnly(let path, _), .writable(let path): path
        default: nil
        }
    }
}

extension MountStep {
    /// The entry as a bind of what the caller has there.
    fileprivate var shownThrough: MountStep {
        guard let path = operation.listed else { return self }
        var options = Profile.BindOptions()
        if case .readOnly = operation { options.readOnly = true }
        return MountStep(key, .bind(from: path, to: path, options))
    }
}

// MARK: - Single sections

extension FilesystemPlanner {
    /// The OCI runtime specification's usual lists, as runtimes ship them.
    static let usualMaskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
        "/sys/firmware",
    ]
    static let usualReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    private func hasFreshProc(_ root: FilesystemPlan.Root) -> Bool {
        switch filesystem.proc {
        case .auto: unshare.contains(.pid)
        case .fresh: true
        case .host, .none: false
        }
    }

    /// A tree from elsewhere has no device nodes, /proc or /sys of its own.
    private func foreignRoot(_ root: FilesystemPlan.Root) -> [MountStep] {
        guard case .tree = root else { return [] }
        var steps: [MountStep] = []
        if !filesystem.privateAreas.contains(.dev) { steps += privateArea(.dev) }
        if filesystem.proc == .host || (filesystem.proc == .auto && !hasFreshProc(root)) {
            steps.append(MountStep("filesystem.proc", .bind(from: "/proc", to: "/proc", .init())))
        }
        var system = Profile.BindOptions()
        system.readOnly = true
        system.optional = true
        steps.append(MountStep("filesystem.root", .bind(from: "/sys", to: "/sys", system)))
        return steps
    }

    /// Paths that a profile names are covered in the host's /proc too, the usual ones in a fresh one only.
    private func freshProc(_ root: FilesystemPlan.Root) throws(LaunchError) -> [MountStep] {
        let isFresh = hasFreshProc(root)
        let readonly = filesystem.readonlyPaths ?? (isFresh ? FilesystemPlanner.usualReadonlyPaths : [])
        return (isFresh ? [MountStep("filesystem.proc", .proc(path: "/proc"))] : [])
            + (try list(readonly, "readonly-paths", root) { .readOnly(path: $0, optional: true) })
    }

    private func privateArea(_ area: Profile.PrivateArea) -> [MountStep] {
        func tmpfs(_ path: String, mode: UInt32) -> MountStep {
            var options = Profile.BindOptions()
            options.nosuid = true
            options.nodev = true
            options.optional = true
            return MountStep("filesystem.private", .tmpfs(path: path, size: nil, mode: mode, options))
        }
        switch area {
        case .tmp: return [tmpfs("/tmp", mode: 0o1777), tmpfs("/var/tmp", mode: 0o1777)]
        case .run: return [tmpfs("/run", mode: 0o755)]
        case .dev:
            return [
                MountStep(
                    "filesystem.private", .devices(path: "/dev", messageQueues: unshare.contains(.ipc)))
            ]
        case .home:
            let homes = [tmpfs("/home", mode: 0o755), tmpfs("/root", mode: 0o700)]
            if host.home == "/root" || host.home == "/" { return homes }
            if FilesystemPlanner.remainder(of: host.home, below: "/home") != nil {
                return homes + [MountStep("filesystem.private", .directory(path: host.home, mode: 0o700))]
            }
            return homes + [tmpfs(host.home, mode: 0o700)]
        }
    }

    private func tmpfs() throws(LaunchError) -> [MountStep] {
        var steps: [MountStep] = []
        for (index, entry) in filesystem.tmpfs.enumerated() {
            let key = "filesystem.tmpfs[\(index)]"
            let path = try paths.expand(entry.path, key: key)
            steps.append(
                MountStep(key, .tmpfs(path: path, size: entry.size, mode: entry.mode, entry.options)))
        }
        return steps
    }

    private func binds() throws(LaunchError) -> [MountStep] {
        var steps: [MountStep] = []
        for (index, entry) in filesystem.binds.enumerated() {
            let key = "filesystem.bind[\(index)]"
            let from = try paths.expand(entry.from, key: key)
            let to = try paths.expand(entry.to, key: key)
            steps.append(MountStep(key, .bind(from: from, to: to, entry.options)))
        }
        return steps
    }

    private func files() throws(LaunchError) -> [MountStep] {
        var steps: [MountStep] = []
        for (index, entry) in filesystem.files.enumerated() {
            let key = "filesystem.files[\(index)]"
            let path = try paths.expand(entry.path, key: key)
            steps.append(MountStep(key, .file(path: path, content: entry.content, mode: entry.mode)))
        }
        for (index, entry) in filesystem.symlinks.enumerated() {
            let key = "filesystem.symlinks[\(index)]"
            let path = try paths.expand(entry.path, key: key)
            steps.append(MountStep(key, .symlink(path: path, target: entry.target)))
        }
        return steps
    }
}
