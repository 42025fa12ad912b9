import Glibc
import Kernel
import Profile

extension MountBuilder {
    /// The descriptor of `path` in the box, nil when there is nothing.
    func locate(_ path: String, _ key: String, follow: Bool = true) throws(LaunchError) -> Descriptor? {
        let found = try attributed(to: key) { () throws(SystemError) in try root.find(path, follow: follow) }
        return found.map { Descriptor($0) }
    }

    enum TargetKind { case directory, file }

    /// The descriptor of `path`, made when it is missing and lies in a filesystem made for the box.
    func target(_ path: String, _ kind: TargetKind, _ key: String) throws(LaunchError) -> Descriptor {
        if let found = try locate(path, key) {
            let isDirectory = try attributed(to: key) { () throws(SystemError) in
                try FileStatus(found.number, name: path).kind == .directory
            }
            if isDirectory == (kind == .directory) { return found }
            throw LaunchError(
                key: key, "\(path) is \(isDirectory ? "a directory" : "not a directory") in the box",
                mend: "bind a directory on a directory, a file on a file")
        }
        switch kind {
        case .directory: return try makeDirectories(path, mode: 0o755, key)
        case .file:
            let (parent, name) = splitPath(path)
            let directory = try makeDirectories(parent, mode: 0o755, key)
            try refuseForeign(directory.number, path, key)
            try attributed(to: key) { () throws(SystemError) in
                _ = try createFile(name, in: directory.number, content: "", mode: 0o644, path: path)
            }
            guard let made = try locate(path, key) else {
                throw LaunchError(key: key, "\(path) cannot be made", mend: "something else changes that directory")
            }
            return made
        }
    }

    /// Makes the missing directories of `path`, only in filesystems made for the box.
    func makeDirectories(_ path: String, mode: UInt32, _ key: String) throws(LaunchError) -> Descriptor {
        if let found = try locate(path, key) { return found }
        let (parent, name) = splitPath(path)
        let directory = try makeDirectories(parent, mode: 0o755, key)
        try refuseForeign(directory.number, path, key)
        try attributed(to: key) { () throws(SystemError) in
            try check("make \(path)") { mkdirat(directory.number, name, mode) }
            try check("make \(path)") { fchmodat(directory.number, name, mode, 0) }
        }
        guard let made = try locate(path, key) else {
            throw LaunchError(key: key, "\(path) cannot be made", mend: "it leads through a dangling symbolic link")
        }
        return made
    }

    func refuseForeign(_ directory: Int32, _ path: String, _ key: String) throws(LaunchError) {
        let mount = try attributed(to: key) { () throws(SystemError) in try mountNumber(of: directory, name: path) }
        if ownMounts.contains(mount) { return }
        throw LaunchError(
            key: key, "\(path) does not exist, and nothing is created in the host's files",
            mend: "make it, or give the box a layer of its own there (overlay, tmpfs or private)")
    }
}
