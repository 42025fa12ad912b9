import CLinux
import Glibc
import Kernel
import Launch

/// Compares the mounts of a restored process with those that were saved, and gives them back the attributes that CRIU
/// forgets, those of files bound from elsewhere among them.
struct MountComparison {
    /// In the order of /proc/PID/mountinfo.
    let saved: [SavedMount]

    /// What is missing, of another type, or has other attributes. Of mounts on one place the last is what is seen.
    static func differences(_ saved: [SavedMount], _ restored: [SavedMount]) -> (problem: String?, mends: [SavedMount])
    {
        var mends: [SavedMount] = []
        for path in Set(saved.map(\.path)).sorted() {
            guard let wanted = saved.last(where: { $0.path == path }) else { continue }
            guard let found = restored.last(where: { $0.path == path }) else {
                return ("the mount on \(path) has not come back", [])
            }
            if wanted.type != found.type {
                return ("the mount on \(path) would be of type \(found.type) in place of \(wanted.type)", [])
            }
            if wanted.attributes != found.attributes { mends.append(wanted) }
        }
        return (nil, mends)
    }

    /// The first mount whose place is not there. What lies on another mount than the root comes with that.
    static func misplaced(_ saved: [SavedMount], isThere: (String) -> Bool) -> SavedMount? {
        let below = saved.map(\.path).filter { $0 != "/" }
        return saved.first { mount in
            mount.path != "/" && !below.contains { mount.path.hasPrefix($0 + "/") } && !isThere(mount.path)
        }
    }

    /// To be called where CRIU begins, which would say no more than what it calls the place itself.
    /// - Parameter root: the box's root there.
    /// - Throws: when the place of a mount is not there any more.
    func findPlaces(in root: String) throws(LaunchError) {
        let missing = MountComparison.misplaced(saved) { path in
            FileStatus(path: (root == "/" ? "" : root) + path, follow: false) != nil || errno != ENOENT
        }
        guard let missing else { return }
        throw LaunchError(
            "it cannot be restored: \(missing.path) is not there, on which it has a mount (\(missing.type))",
            mend: "make it again, empty")
    }

    /// - Throws: when a mount is missing, or an attribute cannot be given back.
    func confirm(_ process: Int32) throws(LaunchError) {
        let mends = try look(process)
        if mends.isEmpty { return }
        try LaunchError.wrap { () throws(SystemError) in try MountComparison.mend(mends, of: process) }
        if let left = try look(process).first {
            throw LaunchError("the mount on \(left.path) would not be \(left.words), as it was")
        }
    }

    private func look(_ process: Int32) throws(LaunchError) -> [SavedMount] {
        let restored = try LaunchError.wrap { () throws(SystemError) in
            try MountEntry.all(of: process).map { SavedMount($0) }
        }
        let (problem, mends) = MountComparison.differences(saved, restored)
        if let problem { throw LaunchError(problem) }
        return mends
    }

    /// Only within the mount namespace can its mounts be changed: a child enters it.
    private static func mend(_ mounts: [SavedMount], of process: Int32) throws(SystemError) {
        let namespace = try Descriptor(open: "/proc/\(process)/ns/mnt", O_RDONLY)
        let root = try Descriptor(open: "/proc/\(process)/root", O_PATH | O_DIRECTORY)
        let all: MountAttributes = [.readOnly, .nosuid, .nodev, .noexec, .nosymfollow]
        let child = try startChild(in: []) {
            guard setns(namespace.number, CLONE_NEWNS) == 0, fchdir(root.number) == 0, chroot(".") == 0 else {
                _exit(Int32(errno))
            }
            for mount in mounts {
                do throws(SystemError) {
                    let place = try Descriptor(open: mount.path, O_PATH | O_NOFOLLOW)
                    try setMountAttributes(
                        place.number, mount.attributes, clear: all.subtracting(mount.attributes), recursive: false,
                        action: "mend the mount on \(mount.path)")
                } catch {
                    _exit(error.code)
                }
            }
            _exit(0)
        }
        let status = try waitForEnd(of: child).exitStatus
        if status != 0 { throw SystemError("give restored mounts their attributes", code: status) }
    }
}
