import CLinux
import Glibc

/// Removes a directory with all that is in it, whosever that is; no symbolic link is followed. One that is not there is no
/// error.
func removeTree(at directory: Int32, _ name: String, path: String) throws(SystemError) {
    let number = linux_openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
    if number < 0, errno == ENOENT { return }
    let folder = StateFolder(Descriptor(try check("open \(path)") { number }), path: path)
    for entry in try folder.entries() {
        if unlinkat(folder.descriptor.number, entry, 0) == 0 || errno == ENOENT { continue }
        guard errno == EISDIR else { throw SystemError("remove \(path)/\(entry)", code: errno) }
        try removeTree(at: folder.descriptor.number, entry, path: "\(path)/\(entry)")
    }
    if unlinkat(directory, name, AT_REMOVEDIR) != 0, errno != ENOENT {
        throw SystemError("remove \(path)", code: errno)
    }
}
