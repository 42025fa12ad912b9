import CLinux
import Glibc
import Kernel
import Profile

/// Without root the kernel refuses an overlay over a tree that has mounts in it: a user namespace may not look below
/// them. The tree is then made anew, down to the directories that have none, and each of these gets an overlay.
extension OverlayLayers {
    /// Attaches such a tree over `lower` at the root's mount point. What is neither a directory nor a symbolic link
    /// beside a mount is bound read-only; a file made there is lost with the box.
    /// - Returns: the mounts made, the root first, as descriptors that the caller closes.
    func attachSplit(lower: String, _ plan: OverlayPlan) throws(LaunchError) -> [Int32] {
        let root = try attributed(to: key) { () throws(SystemError) in
            let action = "mount a tmpfs for the overlay's root"
            let tree = try MountTree(new: "tmpfs", [("mode", "0755")], action: action)
            try tree.attach(to: rootMountPoint, action: action)
            return tree
        }
        var made = [root.take()]
        try fill(made[0], lower == "/" ? "" : lower, "", plan, &made)
        return made
    }

    private func fill(
        _ directory: Int32, _ base: String, _ path: String, _ plan: OverlayPlan, _ made: inout [Int32]
    ) throws(LaunchError) {
        // What the caller may not list stays empty.
        for name in directoryEntries(path.isEmpty && base.isEmpty ? "/" : base + path) ?? [] {
            let child = path + "/" + name
            guard let status = FileStatus(path: base + child, follow: false) else { continue }
            switch status.kind {
            case .symlink: try copyLink(base + child, name, directory)
            case .directory: try fillDirectory(directory, name, status.mode, base, child, plan, &made)
            case .file, .characterDevice, .other:
                let place = try attributed(to: key) { () throws(SystemError) in
                    try createFile(name, in: directory, content: "", mode: 0o644, path: child)
                }
                try bind(base + child, to: place.number, readOnly: true)
            }
        }
    }

    private func fillDirectory(
        _ directory: Int32, _ name: String, _ mode: UInt32, _ base: String, _ path: String, _ plan: OverlayPlan,
        _ made: inout [Int32]
    ) throws(LaunchError) {
        let place = try attributed(to: key) { () throws(SystemError) in
            try check("make \(path)") { mkdirat(directory, name, mode) }
            try check("make \(path)") { fchmodat(directory, name, mode, 0) }
            return Descriptor(
                try check("open \(path)") {
                    linux_openat(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
                })
        }
        if plan.bound.contains(path) { return try bind(base + path, to: place.number) }
        let hasMounts = (plan.layered + plan.bound).contains {
            FilesystemPlanner.remainder(of: $0, below: path)?.isEmpty == false
        }
        if hasMounts { return try fill(place.number, base, path, plan, &made) }
        made.append(try attach(lower: base + path, name: path, to: place.number).take())
    }

    private func copyLink(_ source: String, _ name: String, _ directory: Int32) throws(LaunchError) {
        try attributed(to: key) { () throws(SystemError) in
            var target = [CChar](repeating: 0, count: 4097)
            try check("read the symbolic link \(source)") { Int32(readlink(source, &target, 4096)) }
            try check("make the symbolic link \(source)") { symlinkat(target, directory, name) }
        }
    }
}
