import CLinux
import Glibc
import Kernel

/// Network namespaces that no process lives in: kept by a file that they are mounted on (network_namespaces(7)).
enum NetworkNamespace {
    /// Makes one. The calling thread stays where it is.
    static func make() throws(SystemError) -> Descriptor {
        let own = try ownNetworkNamespace()
        try unshareNamespaces(.net)
        let made: Descriptor
        do throws(SystemError) {
            made = try ownNetworkNamespace()
        } catch {
            try joinNamespace(own.number, .net, name: "before")
            throw error
        }
        try joinNamespace(own.number, .net, name: "before")
        return made
    }

    /// Keeps a namespace by a new file in a directory.
    static func pin(_ namespace: Int32, in folder: borrowing StateFolder, as file: String) throws(SystemError) {
        let path = "\(folder.path)/\(file)"
        let target = try folder.open(file, O_RDONLY | O_CREAT | O_EXCL)
        let tree = try MountTree(cloning: namespace, recursive: false, action: "pin a network namespace")
        try tree.attach(to: target.number, action: "pin a network namespace at \(path)")
    }

    /// Opens one that is kept by a file.
    static func open(_ path: String) throws(SystemError) -> Descriptor {
        let file = try Descriptor(open: path, O_RDONLY | O_NOFOLLOW)
        guard isNamespace(file.number) else {
            throw SystemError("use \(path)", code: EINVAL, mend: "it holds no network namespace any more")
        }
        return file
    }

    /// Whether a file keeps the namespace behind a descriptor, still.
    static func isKept(_ namespace: Int32, by path: String) -> Bool {
        var own = stat()
        var kept = stat()
        return fstat(namespace, &own) == 0 && lstat(path, &kept) == 0 && own.st_dev == kept.st_dev
            && own.st_ino == kept.st_ino
    }

    /// Whether a descriptor is a network namespace's own (NS_GET_NSTYPE, ioctl_nsfs(2)).
    private static func isNamespace(_ descriptor: Int32) -> Bool {
        linux_namespace_type(descriptor) == CLONE_NEWNET
    }

    /// Lets a namespace go that is kept by a file; one that holds none is no error.
    static func unpin(_ path: String) throws(SystemError) {
        if umount2(path, Int32(MNT_DETACH) | Int32(UMOUNT_NOFOLLOW)) != 0, errno != EINVAL, errno != ENOENT {
            throw SystemError("unmount \(path)", code: errno)
        }
        if unlink(path) != 0, errno != ENOENT { throw SystemError("remove \(path)", code: errno) }
    }
}
