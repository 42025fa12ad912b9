import Glibc
import Kernel

extension MountBuilder {
    /// Makes a folder read-only, and every folder on the way to it a mount of its own, which cannot be renamed to put
    /// another in its place. What is missing is made: the box could make it, too.
    func keep(_ folder: String, below home: String, _ key: String) throws(LaunchError) {
        guard let rest = FilesystemPlanner.remainder(of: folder, below: home) else { return }
        var path = home
        for part in rest.split(separator: "/") {
            guard let parent = try locate(path, key) else { return }
            path += "/" + part
            if mkdirat(parent.number, String(part), 0o700) != 0, errno != EEXIST {
                // Where the caller cannot make it, the box cannot either.
                if [EROFS, EACCES, EPERM, ENOENT, ENOTDIR].contains(errno) { return }
                throw LaunchError(SystemError("make \(path)", code: errno), key: key)
            }
            guard let place = try locate(path, key) else { return }
            try attributed(to: key) { () throws(SystemError) in
                guard try FileStatus(place.number, name: path).kind == .directory else { return }
                let tree = try MountTree(cloning: place.number, recursive: true, action: "keep \(path)")
                if path == folder { try tree.setAttributes(.readOnly, recursive: true, action: "keep \(path)") }
                try tree.attach(to: place.number, action: "keep \(path)")
            }
        }
    }
}
