import Checkpoint
import Glibc
import Kernel
import Launch
import Profile

extension Registry {
    /// Where the changes of an overlay are kept that goes with its sandbox.
    func upperPath(_ name: String) -> String { path(name) + "/" + File.upper }

    /// Lets a box that can be saved keep an overlay's changes where a save finds them: in the sandbox's directory.
    func placeOverlay(_ plan: inout LaunchPlan, _ name: String) throws(LaunchError) {
        guard plan.isCheckpointable, geteuid() == 0, plan.filesystem.overlay?.upper == .tmpfs else { return }
        try translated { () throws(SystemError) in
            guard let folder = try openFolder(name) else {
                throw SystemError("open the state of \(name)", code: ENOENT)
            }
            // What an earlier run has changed is lost, as with a tmpfs.
            try folder.removeFolder(File.upper)
            _ = try folder.folder(File.upper)
        }
        plan.filesystem.overlay?.upper = .directory(upperPath(name))
    }
}

/// What a box that comes back stands on: its root, and what its foreign mounts are made of. It is made in a mount
/// namespace that ends with CRIU.
struct Surroundings {
    private let plan: FilesystemPlan
    private let mounts: [ForeignMount]
    private let snapshot: String
    /// A directory that is there.
    private let stage: String

    /// Puts the files back that an overlay had changed, and makes the directories.
    /// - Parameter isClone: whether it is one of several, or another's copy: what is kept in one place cannot be shared.
    init(
        _ registry: Registry, _ name: String, _ plan: LaunchPlan, _ mounts: [ForeignMount], _ snapshot: Snapshot,
        isCopy: Bool
    ) throws(LaunchError) {
        var plan = plan
        let archive = "\(snapshot.path)/\(File.changes)"
        if case .directory(let path)? = plan.filesystem.overlay?.upper {
            if isCopy {
                throw LaunchError(
                    key: "filesystem.overlay.upper",
                    "the changes in \(path) belong to \"\(snapshot.manifest.sandbox)\"",
                    mend: "restore it under its own name, or save one with upper = \"tmpfs\"")
            }
            try Surroundings.empty(path)
            try FileTree.unpack(archive, into: path)
        } else if plan.filesystem.overlay != nil {
            try registry.placeOverlay(&plan, name)
            try FileTree.unpack(archive, into: registry.upperPath(name))
        }
        stage = registry.path(name) + "/stage"
        self.plan = plan.filesystem
        self.mounts = mounts
        self.snapshot = snapshot.path
        if isNeeded {
            try translated { () throws(SystemError) in _ = try registry.openFolder(name)?.folder("stage") }
        }
    }

    /// What has been changed since the save is not what the processes know.
    private static func empty(_ path: String) throws(LaunchError) {
        try translated { () throws(SystemError) in
            let store = try StateFolder(existing: path)
            for entry in try store.entries() where entry.hasPrefix("upper") || entry.hasPrefix("work") {
                try store.removeForeign(entry)
            }
        }
    }

    private var isNeeded: Bool { plan.changesRoot || !mounts.isEmpty }

    /// The root where CRIU is.
    var root: String { plan.changesRoot ? stage + "/box/root" : "/" }

    var sources: [(key: String, path: String)] {
        mounts.map { mount in
            switch mount.kind {
            case .file: (mount.key, "\(stage)/files/\(mount.key)")
            case .layer: (mount.key, root + mount.path)
            case .empty: (mount.key, "\(stage)/empty")
            }
        }
    }

    /// Makes them in the calling process, CRIU's before it begins.
    func build() throws(LaunchError) {
        if !isNeeded { return }
        try translated { () throws(SystemError) in
            try unshareNamespaces(.mount)
            let host = try Descriptor(open: "/", O_PATH | O_DIRECTORY)
            try setMountPropagation(host.number, .private, recursive: true, action: "make the mounts private")
            let place = try Descriptor(open: stage, O_PATH | O_DIRECTORY)
            let tree = try MountTree(new: "tmpfs", [("mode", "0700")], action: "mount a tmpfs for restored files")
            try tree.attach(to: place.number, action: "mount a tmpfs for restored files")
            for name in ["files", "box", "empty"] {
                try check("make \(stage)/\(name)") { mkdir("\(stage)/\(name)", 0o700) }
            }
            for mount in mounts where mount.kind == .file { try copy(mount) }
            let action = "mount an empty directory"
            let empty = try Descriptor(open: "\(stage)/empty", O_PATH | O_DIRECTORY)
            try MountTree.hidingDirectory(action: action).attach(to: empty.number, action: action)
        }
        if plan.changesRoot { _ = try Launcher.makeRoot(plan, in: stage + "/box") }
    }

    private func copy(_ mount: ForeignMount) throws(SystemError) {
        let source = try Descriptor(open: "\(snapshot)/\(mount.key)", O_RDONLY | O_NOFOLLOW)
        let target = try Descriptor(open: "\(stage)/files/\(mount.key)", O_WRONLY | O_CREAT | O_EXCL)
        try copyAll(from: source.number, to: target.number, name: mount.path)
        try check("give \(mount.path) its owner") { fchown(target.number, mount.owner, mount.group) }
        try check("give \(mount.path) its mode") { fchmod(target.number, mount.mode) }
    }
}

/// What is saved of a box beside its processes.
struct SavedSurroundings {
    let mounts: BoxMounts?
    /// Where its overlay's changes are; `nil` where it has none.
    private let store: String?

    init(_ registry: Registry, _ record: SandboxRecord, _ profile: Profile, root: Int32) throws(LaunchError) {
        var (layers, store): ([String], String?) = ([], nil)
        if profile.filesystem.overlay != nil {
            let request = try registry.request(record.name)
            let plan = try Planner(host: try Sandbox(record.name, registry).host(of: request)).plan(
                profile, command: record.command, name: record.name, isDetached: true)
            layers = plan.filesystem.overlay?.layered ?? []
            switch plan.filesystem.overlay?.upper {
            case .directory(let path)?: store = path
            default: store = registry.upperPath(record.name)
            }
        }
        self.store = store
        guard record.namespaces.contains(.mount) else {
            mounts = nil
            return
        }
        mounts = try translated { () throws(SystemError) in
            if !record.namespaces.contains(.user) { try dropNamespaceFiles(of: root) }
            return try BoxMounts(of: root, layers: layers)
        }
    }

    /// Copies what is not CRIU's while the box stands still.
    /// - Returns: the foreign mounts, with what is needed to make them again.
    func gather(into folder: borrowing StateFolder, root: Int32) throws(LaunchError) -> [ForeignMount] {
        var foreign: [ForeignMount] = []
        for var mount in mounts?.foreign ?? [] {
            if mount.kind == .file {
                try translated { () throws(SystemError) in
                    let source = try Descriptor(open: "/proc/\(root)/root\(mount.path)", O_RDONLY | O_NOFOLLOW)
                    let status = try FileStatus(source.number, name: mount.path)
                    (mount.mode, mount.owner, mount.group) = (status.mode, status.owner, status.group)
                    let copy = try folder.open(mount.key, O_WRONLY | O_CREAT | O_EXCL)
                    try copyAll(from: source.number, to: copy.number, name: mount.path)
                }
            }
            foreign.append(mount)
        }
        if let store { try FileTree.pack(store, to: "\(folder.path)/\(File.changes)", except: ["work"]) }
        return foreign
    }

    /// The archive's name in the snapshot.
    var archive: String? { store == nil ? nil : File.changes }
}
