import CLinux
import Glibc
import Kernel

/// A duplicate of `descriptor`, close-on-exec, or -1 with errno (fcntl(2), `F_DUPFD_CLOEXEC`).
func fcntlDuplicate(_ descriptor: Int32) -> Int32 { linux_fcntl(descriptor, F_DUPFD_CLOEXEC, 3) }

/// The directory and the last component of a path without a slash at its end.
func splitPath(_ path: String) -> (parent: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let parent = path[..<slash]
    return (parent.isEmpty ? "/" : String(parent), String(path[path.utf8.index(after: slash)...]))
}

/// Creates a new file in `directory`; `mode` is exact, whatever the umask.
func createFile(
    _ name: String, in directory: Int32, content: String, mode: UInt32, path: String
) throws(SystemError) -> Descriptor {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let file = Descriptor(try check("make \(path)") { linux_openat(directory, name, flags, mode) })
    try check("make \(path)") { fchmod(file.number, mode) }
    if !content.isEmpty { try writeText(content, to: file.number, name: path) }
    return file
}

/// Covers the file at `place` with one that holds `content`, whatever filesystem it lies on.
///
/// Only a file of an attached mount can be bound before Linux 6.15: the tmpfs that holds it is attached on `root`,
/// where no path leads, for as long as that takes.
func coverWithFile(
    _ place: Int32, _ content: String, _ mode: UInt32, _ path: String, under root: Int32
) throws(SystemError) {
    let action = "make \(path)"
    let store = try MountTree(new: "tmpfs", [("mode", "0755")], attributes: [.nosuid, .nodev], action: action)
    _ = try createFile("file", in: store.descriptor.number, content: content, mode: mode, path: path)
    try store.attach(to: root, action: action)
    let file = Descriptor(
        try check(action) { linux_openat(store.descriptor.number, "file", O_PATH | O_CLOEXEC, 0) })
    let tree = try MountTree(cloning: file.number, recursive: false, action: action)
    try check(action) { umount2("/proc/self/fd/\(store.descriptor.number)", Int32(MNT_DETACH)) }
    try tree.attach(to: place, action: action)
}

/// The names in a directory without `.` and `..`; nil for what cannot be listed.
func directoryEntries(_ path: String) -> [String]? {
    guard let stream = opendir(path) else { return nil }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
