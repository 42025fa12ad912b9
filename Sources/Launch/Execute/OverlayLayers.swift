import CLinux
import Glibc
import Kernel
import Profile

/// The copy-on-write layers of a box: one overlay per filesystem of the tree below it (overlayfs, kernel
/// Documentation/filesystems/overlayfs.rst).
struct OverlayLayers: ~Copyable {
    let key = "filesystem.overlay"
    private let userNamespace: Bool
    private let hasHandles: Bool
    /// Holds the upper and work directories.
    private let store: Descriptor
    /// A tmpfs that nobody sees, attached on the old root: it goes with it.
    private let stage: MountTree
    private let mountPoint: Descriptor

    /// Where the overlay of the root itself is attached.
    var rootMountPoint: Int32 { mountPoint.number }

    init(_ plan: OverlayPlan, under root: Int32, userNamespace: Bool) throws(SystemError) {
        var options: [(String, String?)] = [("mode", "0700")]
        if let size = plan.size { options.append(("size", String(size))) }
        let stage = try MountTree(new: "tmpfs", options, action: "mount a tmpfs for the overlay")
        try stage.attach(to: root, action: "mount a tmpfs for the overlay")
        let base = stage.descriptor.number
        try check("make the overlay's mount point") { mkdirat(base, "root", 0o755) }
        let mountPoint = Descriptor(
            try check("open the overlay's mount point") { linux_openat(base, "root", O_PATH | O_CLOEXEC, 0) })
        let store =
            switch plan.upper {
            case .tmpfs: Descriptor(try check("open the overlay's store") { fcntlDuplicate(base) })
            case .directory(let path): try OverlayLayers.openStore(path)
            }
        self.userNamespace = userNamespace
        hasHandles = plan.hasHandles
        self.store = store
        self.stage = stage
        self.mountPoint = mountPoint
    }

    /// The kept directory must be the caller's own: what it holds becomes the box's files (CVE-2021-26910).
    private static func openStore(_ path: String) throws(SystemError) -> Descriptor {
        let store = try Descriptor(open: path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let status = try FileStatus(store.number, name: path)
        guard status.owner == geteuid(), status.mode & 0o022 == 0 else {
            throw SystemError(
                "keep changes in \(path)", code: EPERM,
                mend: "it must belong to you and be writable for nobody else (chmod go-w)")
        }
        return store
    }

    /// Mounts an overlay over `lower`, a path of the caller's, on `target`; `name` tells its layer from the others'.
    func attach(lower: String, name: String, to target: Int32) throws(LaunchError) -> MountTree {
        try attributed(to: key) { () throws(SystemError) in
            let action = "mount an overlay over \(lower)"
            let source = try Descriptor(open: lower, O_PATH | O_DIRECTORY)
            let upper = try layer("upper" + name, like: source.number)
            let work = try layer("work" + name, like: nil)
            var options: [(String, String?)] = [
                ("lowerdir", path(source.number)), ("upperdir", path(upper.number)), ("workdir", path(work.number)),
            ]
            if userNamespace { options.append(("userxattr", nil)) }
            let tree = try mount(options, action)
            try tree.attach(to: target, action: action)
            return tree
        }
    }

    /// With handles where the kernel gives them; those of an upper directory that lay over something else it refuses.
    private func mount(_ options: [(String, String?)], _ action: String) throws(SystemError) -> MountTree {
        let handles: [(String, String?)] = [("index", "on"), ("nfs_export", "on")]
        if hasHandles {
            do throws(SystemError) { return try MountTree(new: "overlay", options + handles, action: action) } catch {
                guard [EINVAL, ESTALE, EOPNOTSUPP].contains(error.code) else { throw error }
            }
        }
        return try MountTree(new: "overlay", options, action: action)
    }

    /// Binds `path`, a path of the caller's, on `target` as it is.
    func bind(_ path: String, to target: Int32, readOnly: Bool = false) throws(LaunchError) {
        try attributed(to: key) { () throws(SystemError) in
            let source = try Descriptor(open: path, O_PATH)
            let tree = try MountTree(cloning: source.number, recursive: true, action: "bind \(path)")
            if readOnly { try tree.setAttributes(.readOnly, recursive: true, action: "bind \(path)") }
            try tree.attach(to: target, action: "bind \(path)")
        }
    }

    /// Opens a layer's directory, made when it is missing, never through a symbolic link. A new upper directory takes
    /// owner and mode of what it covers.
    private func layer(_ name: String, like source: Int32?) throws(SystemError) -> Descriptor {
        let name = name.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "%")
        let made = mkdirat(store.number, name, 0o700) == 0
        if !made, errno != EEXIST { throw SystemError("make the overlay's layer \(name)", code: errno) }
        let directory = Descriptor(
            try check("open the overlay's layer \(name)") {
                linux_openat(store.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            })
        if made, let source {
            let status = try FileStatus(source, name: name)
            try check("set the mode of the layer \(name)") { fchmod(directory.number, status.mode) }
            // Where the owner is not mapped into the user namespace, the layer stays the caller's.
            if fchown(directory.number, status.owner, status.group) != 0, errno != EINVAL, errno != EPERM {
                throw SystemError("set the owner of the layer \(name)", code: errno)
            }
        }
        return directory
    }

    private func path(_ descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }
}
