import Glibc
import Kernel
import Profile

extension Launcher {
    /// Makes the root of a box that comes back, below an empty directory in the calling process's mount namespace, which
    /// is its own. What is mounted below the root is not made but for the layers of an overlay.
    /// - Returns: the root's path.
    public static func makeRoot(_ plan: FilesystemPlan, in directory: String) throws(LaunchError) -> String {
        let root = directory + "/root"
        guard let overlay = plan.overlay else {
            try attributed(to: "filesystem.root") { () throws(SystemError) in
                try check("make \(root)") { mkdir(root, 0o700) }
                let source = try Descriptor(open: plan.tree, O_PATH | O_DIRECTORY)
                let place = try Descriptor(open: root, O_PATH | O_DIRECTORY)
                let tree = try MountTree(cloning: source.number, recursive: false, action: "bind \(plan.tree)")
                try tree.attach(to: place.number, action: "bind \(plan.tree)")
            }
            return root
        }
        let place = try attributed(to: "filesystem.overlay") { () throws(SystemError) in
            try Descriptor(open: directory, O_PATH | O_DIRECTORY)
        }
        let layers = try attributed(to: "filesystem.overlay.upper") { () throws(SystemError) in
            try OverlayLayers(overlay, under: place.number, userNamespace: false)
        }
        _ = try layers.attach(lower: plan.tree, name: "", to: layers.rootMountPoint)
        let base = plan.tree == "/" ? "" : plan.tree
        for path in overlay.layered {
            guard let status = FileStatus(path: base + path), status.kind == .directory else { continue }
            let target = try attributed(to: "filesystem.overlay") { () throws(SystemError) in
                try Descriptor(open: root + path, O_PATH | O_DIRECTORY)
            }
            _ = try layers.attach(lower: base + path, name: path, to: target.number)
        }
        return root
    }
}
