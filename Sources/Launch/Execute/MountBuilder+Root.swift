import Glibc
import Kernel
import Profile

extension MountBuilder {
    mutating func enterRoot(_ plan: FilesystemPlan) throws(LaunchError) {
        let lower = plan.tree
        guard let overlay = plan.overlay else {
            let tree = try attributed(to: "filesystem.root") { () throws(SystemError) in
                let source = try Descriptor(open: lower, O_PATH | O_DIRECTORY)
                let tree = try MountTree(cloning: source.number, recursive: true, action: "bind \(lower)")
                try tree.attach(to: root.descriptor.number, action: "attach the root \(lower)")
                return tree
            }
            root = RootDirectory(try duplicate(tree.descriptor.number))
            // Another root tree is the box's: mount points may be made in it.
            return try adopt(root.descriptor.number)
        }
        let layers = try attributed(to: "filesystem.overlay.upper") { () throws(SystemError) in
            try OverlayLayers(overlay, under: root.descriptor.number, userNamespace: userNamespace)
        }
        if userNamespace, !overlay.layered.isEmpty || !overlay.bound.isEmpty {
            let made = try layers.attachSplit(lower: lower, overlay)
            root = RootDirectory(try duplicate(made[0]))
            for mount in made {
                try adopt(mount)
                close(mount)
            }
            return
        }
        let tree = try layers.attach(lower: lower, name: "", to: layers.rootMountPoint)
        root = RootDirectory(try duplicate(tree.descriptor.number))
        try adopt(root.descriptor.number)
        let base = lower == "/" ? "" : lower
        for path in overlay.layered + overlay.bound {
            guard let target = try locate(path, "filesystem.overlay") else { continue }
            if overlay.bound.contains(path) {
                try layers.bind(base + path, to: target.number)
            } else if try attributed(
                to: nil,
                { () throws(SystemError) in
                    try FileStatus(target.number, name: path).kind == .directory
                })
            {
                let layer = try layers.attach(lower: base + path, name: path, to: target.number)
                try adopt(layer.descriptor.number)
            } else {
                // What `writable` must not lift: behind it lies the host's own file.
                try layers.bind(base + path, to: target.number, readOnly: true)
                keptReadOnly.insert(path)
            }
        }
    }

    func duplicate(_ descriptor: Int32) throws(LaunchError) -> Descriptor {
        try attributed(to: nil) { () throws(SystemError) in
            Descriptor(try check("duplicate a descriptor") { fcntlDuplicate(descriptor) })
        }
    }

    /// From now on files may be created in the mount behind `descriptor`.
    mutating func adopt(_ descriptor: Int32) throws(LaunchError) {
        ownMounts.append(
            try attributed(to: nil) { () throws(SystemError) in
                try mountNumber(of: descriptor, name: "a new filesystem")
            })
    }
}

// MARK: - Sources

extension MountBuilder {
    mutating func openSources(_ steps: [MountStep]) throws(LaunchError) {
        for (index, step) in steps.enumerated() {
            guard case .bind(let from, _, let options) = step.operation, !options.idmap else { continue }
            do throws(SystemError) {
                let flags = O_PATH | (options.nofollow ? O_NOFOLLOW : 0)
                let source = try Descriptor(open: from, flags)
                if options.nofollow, try FileStatus(source.number, name: from).kind == .symlink {
                    throw SystemError("bind \(from)", code: ELOOP, mend: "it is a symbolic link, and nofollow is set")
                }
                let tree = try MountTree(
                    cloning: source.number, recursive: options.recursive, action: "bind \(from)")
                if options.propagation == nil {
                    try setMountPropagation(
                        tree.descriptor.number, .private, recursive: true, action: "bind \(from)")
                }
                sources[index] = tree.take()
            } catch {
                if error.code == ENOENT, options.optional { continue }
                throw LaunchError(error, key: step.key)
            }
        }
    }

    /// Reads the mount table only when a `writable` entry will need to know.
    mutating func rememberReadOnly(_ plan: FilesystemPlan) throws(LaunchError) {
        let asksWritable = plan.steps.contains { step in
            if case .writable = step.operation { return true }
            return false
        }
        guard asksWritable else { return }
        let table = try attributed(to: nil) { () throws(SystemError) in try readText("/proc/self/mountinfo") }
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 5 else { continue }
            guard let below = FilesystemPlanner.remainder(of: unescapeMountPath(fields[4]), below: plan.tree) else {
                continue
            }
            let path = "/" + below
            submounts.append(path)
            // A layer over what is read-only can be written.
            let isLayered = plan.overlay.map { below.isEmpty || $0.layered.contains(path) } ?? false
            if !isLayered, fields[5].split(separator: ",").contains("ro") { keptReadOnly.insert(path) }
        }
        for case .bind(_, let to, let options) in plan.steps.map(\.operation) where options.readOnly {
            keptReadOnly.insert(to)
        }
    }
}
