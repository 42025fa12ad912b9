import Glibc
import Kernel
import Profile

/// Builds what the box sees, by descriptors: every target is resolved inside the new root, every bind source in the
/// caller's view before anything changed.
struct MountBuilder: ~Copyable {
    var root: RootDirectory
    /// Detached copies of the bind sources, by step; nil for an optional one that is missing.
    var sources: [Int: Int32] = [:]
    /// Mounts made for this box, by number: nowhere else is a file or directory created.
    var ownMounts: [UInt64] = []
    /// An empty tree attached at the first hidden directory, copied for the others.
    var hiddenDirectory: Int32?
    /// Mount points that were read-only before, or that a bind asked to be so: `writable` leaves them.
    var keptReadOnly: Set<String> = []
    var submounts: [String] = []
    /// Directories that the box's user shall own.
    private(set) var owned: [Int32] = []
    let userNamespace: Bool

    /// - Parameter mapped: detached trees of binds with idmap, by step.
    init(userNamespace: Bool, mapped: [Int: Int32]) throws(LaunchError) {
        self.userNamespace = userNamespace
        sources = mapped
        root = RootDirectory(
            try attributed(to: nil) { () throws(SystemError) in try Descriptor(open: "/", O_PATH | O_DIRECTORY) })
    }

    /// Executes `plan` in the caller's mount namespace, which is new.
    mutating func build(_ plan: FilesystemPlan) throws(LaunchError) {
        // A source keeps its tie to the host's mounts only when its options say so.
        try openSources(plan.steps)
        try attributed(to: nil) { () throws(SystemError) in
            try setMountPropagation(
                root.descriptor.number, .private, recursive: true, action: "make the mounts private")
        }
        if plan.dropsNamespaceFiles {
            try attributed(to: "checkpoint.enabled") { () throws(SystemError) in try dropNamespaceFiles() }
        }
        try rememberReadOnly(plan)
        if plan.changesRoot { try enterRoot(plan) }
        for (index, step) in plan.steps.enumerated() {
            try apply(step, index)
        }
        if plan.changesRoot {
            try attributed(to: nil) { () throws(SystemError) in try pivotRoot(to: root.descriptor.number) }
        }
    }

    mutating func apply(_ step: MountStep, _ index: Int) throws(LaunchError) {
        let key = step.key
        switch step.operation {
        case .bind(let from, let to, let options): try bind(index, from, to, options, key)
        case .readOnly(let path, let optional): try readOnly(path, optional: optional, key)
        case .writable(let path): try writable(path, key)
        case .hide(let path): try hide(path, key)
        case .tmpfs(let path, let size, let mode, let options): try tmpfs(path, size, mode, options, key)
        case .directory(let path, let mode): try directory(path, mode, key)
        case .file(let path, let content, let mode): try file(path, content, mode, key)
        case .replace(let path, let content, let mode, let optional):
            // What was to be told before now was not.
            if content.isEmpty, optional { return }
            try replace(path, content, mode, optional: optional, key)
        case .symlink(let path, let target): try symbolicLink(path, target, key)
        case .keep(let folder, let home): try keep(folder, below: home, key)
        case .proc(let path): try proc(path, key)
        case .devices(let path, let messageQueues): try devices(path, messageQueues: messageQueues, key)
        case .tap(let interface): try tap(interface, key)
        }
    }
}

// MARK: - Steps

extension MountBuilder {
    private mutating func bind(
        _ index: Int, _ from: String, _ to: String, _ options: Profile.BindOptions, _ key: String
    ) throws(LaunchError) {
        guard let number = sources.removeValue(forKey: index) else { return }
        let tree = MountTree(Descriptor(number))
        let status = try attributed(to: key) { () throws(SystemError) in try FileStatus(number, name: from) }
        let place = try target(to, status.kind == .directory ? .directory : .file, key)
        try attributed(to: key) { () throws(SystemError) in
            try restrict(tree, options, action: "bind \(from)")
            try tree.attach(to: place.number, action: "bind \(from) on \(to)")
        }
    }

    private func restrict(
        _ tree: borrowing MountTree, _ options: Profile.BindOptions, action: String
    ) throws(SystemError) {
        var attributes: MountAttributes = []
        if options.readOnly { attributes.insert(.readOnly) }
        if options.nosuid { attributes.insert(.nosuid) }
        if options.nodev { attributes.insert(.nodev) }
        if options.noexec { attributes.insert(.noexec) }
        if options.nosymfollow { attributes.insert(.nosymfollow) }
        if !attributes.isEmpty {
            try tree.setAttributes(attributes, recursive: options.recursive, action: "\(action) with its options")
        }
        guard let propagation = options.propagation else { return }
        let (type, recursive): (MountPropagation, Bool) =
            switch propagation {
            case .private: (.private, false)
            case .rprivate: (.private, true)
            case .slave: (.slave, false)
            case .rslave: (.slave, true)
            case .shared: (.shared, false)
            case .rshared: (.shared, true)
            }
        try setMountPropagation(tree.descriptor.number, type, recursive: recursive, action: action)
    }

    private func readOnly(_ path: String, optional: Bool, _ key: String) throws(LaunchError) {
        guard let place = try locate(path, key) else {
            if optional { return }
            throw LaunchError(key: key, "\(path) does not exist in the box", mend: "remove it, or make it")
        }
        try attributed(to: key) { () throws(SystemError) in
            do throws(SystemError) {
                try setMountAttributes(
                    place.number, .readOnly, recursive: true, action: "make \(path) read-only")
            } catch {
                guard error.code == EINVAL else { throw error }
                // Not a mount point yet.
                let tree = try MountTree(cloning: place.number, recursive: true, action: "make \(path) read-only")
                try tree.setAttributes(.readOnly, recursive: true, action: "make \(path) read-only")
                try tree.attach(to: place.number, action: "make \(path) read-only")
            }
        }
    }

    private func writable(_ path: String, _ key: String) throws(LaunchError) {
        guard let place = try locate(path, key) else {
            throw LaunchError(key: key, "\(path) does not exist in the box", mend: "remove it, or make it")
        }
        if let holder = longestMountPoint(holding: path), keptReadOnly.contains(holder) {
            throw LaunchError(
                key: key, "\(path) lies on the mount \(holder), which is read-only on the host or by its own options")
        }
        try attributed(to: key) { () throws(SystemError) in
            let action = "make \(path) writable"
            let tree = try MountTree(cloning: place.number, recursive: true, action: action)
            try tree.setAttributes([], clear: .readOnly, recursive: false, action: action)
            try tree.attach(to: place.number, action: action)
        }
        for mount in submounts where !keptReadOnly.contains(mount) {
            guard let below = FilesystemPlanner.remainder(of: mount, below: path), !below.isEmpty else { continue }
            guard let place = try locate(mount, key) else { continue }
            try attributed(to: key) { () throws(SystemError) in
                do throws(SystemError) {
                    try setMountAttributes(
                        place.number, [], clear: .readOnly, recursive: false, action: "make \(mount) writable")
                } catch {
                    // Covered by another entry, so that it is no mount point any more.
                    if error.code != EINVAL { throw error }
                }
            }
        }
    }

    private func longestMountPoint(holding path: String) -> String? {
        submounts.filter { FilesystemPlanner.remainder(of: path, below: $0) != nil }.max { $0.count < $1.count }
    }

    /// Covers a directory with an empty one that nobody may enter, and anything else with a device that cannot be
    /// opened; a missing path needs nothing.
    private mutating func hide(_ path: String, _ key: String) throws(LaunchError) {
        guard let place = try locate(path, key) else { return }
        let kind = try attributed(to: key) { () throws(SystemError) in
            try FileStatus(place.number, name: path).kind
        }
        let action = "hide \(path)"
        let made: Int32? = try attributed(to: key) { () throws(SystemError) in
            guard kind == .directory else {
                try coverFile(place.number, action)
                return nil
            }
            if let hiddenDirectory {
                let tree = try MountTree(cloning: hiddenDirectory, recursive: false, action: action)
                try tree.attach(to: place.number, action: action)
                return nil
            }
            let tree = try MountTree.hidingDirectory(action: action)
            try tree.attach(to: place.number, action: action)
            return tree.take()
        }
        if let made { hiddenDirectory = made }
    }

    /// Binds /dev/null with `nodev`: opening it fails for everyone.
    private func coverFile(_ place: Int32, _ action: String) throws(SystemError) {
        let null = try openDevice(.null)
        let tree = try MountTree(cloning: null.number, recursive: false, action: action)
        try tree.setAttributes([.readOnly, .nosuid, .nodev, .noexec], recursive: false, action: action)
        try tree.attach(to: place, action: action)
    }

    private mutating func tmpfs(
        _ path: String, _ size: UInt64?, _ mode: UInt32, _ options: Profile.BindOptions, _ key: String
    ) throws(LaunchError) {
        if options.optional, try locate(path, key) == nil { return }
        let place = try target(path, .directory, key)
        var settings: [(String, String?)] = [("mode", String(mode, radix: 8))]
        if let size { settings.append(("size", String(size))) }
        let tree = try attributed(to: key) { () throws(SystemError) in
            let tree = try MountTree(new: "tmpfs", settings, action: "mount a tmpfs on \(path)")
            try restrict(tree, options, action: "mount a tmpfs on \(path)")
            try tree.attach(to: place.number, action: "mount a tmpfs on \(path)")
            return tree
        }
        try adopt(tree.descriptor.number)
        if mode == 0o700 { owned.append(tree.take()) }
    }

    private mutating func directory(_ path: String, _ mode: UInt32, _ key: String) throws(LaunchError) {
        let made = try makeDirectories(path, mode: mode, key)
        owned.append(made.take())
    }

    private mutating func file(
        _ path: String, _ content: String, _ mode: UInt32, _ key: String
    ) throws(LaunchError) {
        // In a tree that outlives the box only an empty mount point stays behind.
        let place = try target(path, .file, key)
        try attributed(to: key) { () throws(SystemError) in
            try coverWithFile(place.number, content, mode, path, under: root.descriptor.number)
        }
    }

    private mutating func replace(
        _ path: String, _ content: String, _ mode: UInt32, optional: Bool, _ key: String
    ) throws(LaunchError) {
        if let place = try locate(path, key, follow: false) {
            let kind = try attributed(to: key) { () throws(SystemError) in
                try FileStatus(place.number, name: path).kind
            }
            if kind == .directory {
                throw LaunchError(key: key, "\(path) is a directory in the box", mend: "remove it")
            }
            return try attributed(to: key) { () throws(SystemError) in
                try coverWithFile(place.number, content, mode, path, under: root.descriptor.number)
            }
        }
        let parent = try locate(splitPath(path).parent, key)
        guard let parent else {
            if optional { return }
            return try file(path, content, mode, key)
        }
        let mount = try attributed(to: key) { () throws(SystemError) in try mountNumber(of: parent.number, name: path) }
        if optional, !ownMounts.contains(mount) { return }
        try file(path, content, mode, key)
    }

    private func symbolicLink(_ path: String, _ destination: String, _ key: String) throws(LaunchError) {
        let (parent, name) = splitPath(path)
        let directory = try makeDirectories(parent, mode: 0o755, key)
        try refuseForeign(directory.number, path, key)
        if symlinkat(destination, directory.number, name) == 0 { return }
        let code = errno
        // Left there by an earlier box in the same tree.
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlinkat(directory.number, name, &buffer, buffer.count)
        if code == EEXIST, count == destination.utf8.count, memcmp(buffer, destination, count) == 0 { return }
        throw LaunchError(SystemError("make the symbolic link \(path)", code: code), key: key)
    }

    /// A directory at `path` itself: a symbolic link there is refused (CVE-2019-19921 and its kin).
    private func plainDirectory(_ path: String, _ key: String) throws(LaunchError) -> Descriptor {
        guard let place = try locate(path, key, follow: false) else {
            return try makeDirectories(path, mode: 0o755, key)
        }
        let kind = try attributed(to: key) { () throws(SystemError) in
            try FileStatus(place.number, name: path).kind
        }
        if kind == .directory { return place }
        throw LaunchError(key: key, "\(path) is not a directory in the box", mend: "no symbolic link is allowed there")
    }

    private func proc(_ path: String, _ key: String) throws(LaunchError) {
        let place = try plainDirectory(path, key)
        try attributed(to: key) { () throws(SystemError) in
            do throws(SystemError) {
                let tree = try MountTree(
                    new: "proc", attributes: [.nosuid, .nodev, .noexec], action: "mount a fresh proc on \(path)")
                try tree.attach(to: place.number, action: "mount a fresh proc on \(path)")
            } catch {
                if error.code != EPERM { throw error }
                throw SystemError(
                    error.action, code: EPERM,
                    mend: "the caller's own /proc is partly covered: set filesystem.proc = \"host\"")
            }
        }
    }

    private mutating func tap(_ interface: String, _ key: String) throws(LaunchError) {
        let devices = try plainDirectory("/dev", key)
        try refuseForeign(devices.number, "/dev", key)
        owned.append(
            try attributed(to: key) { () throws(SystemError) in try TapDevice(interface).make(in: devices.number).take()
            })
    }

    private mutating func devices(_ path: String, messageQueues: Bool, _ key: String) throws(LaunchError) {
        let place = try plainDirectory(path, key)
        let tree = try attributed(to: key) { () throws(SystemError) in
            try DeviceDirectory(messageQueues: messageQueues).mount(on: place.number)
        }
        try adopt(tree.descriptor.number)
    }
}
