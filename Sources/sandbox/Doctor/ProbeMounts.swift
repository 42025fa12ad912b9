import CLinux
import Glibc
import Kernel

/// Mounts that a probe tries in a mount namespace of its own.
enum ProbeMounts {
    /// mount(2) of a tmpfs over /tmp, after cutting propagation to the host.
    static func tmpfs() throws(SystemError) {
        try check("make / private") { Glibc.mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) }
        try check("mount a tmpfs") { Glibc.mount("tmpfs", "/tmp", "tmpfs", 0, nil) }
    }

    static func overlay(options: String) throws(SystemError) {
        try tmpfs()
        for name in ["lower", "upper", "work", "merged"] {
            try check("mkdir") { mkdir("/tmp/\(name)", 0o700) }
        }
        let layers = "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work" + options
        try check("mount an overlay") { Glibc.mount("overlay", "/tmp/merged", "overlay", 0, layers) }
    }

    /// open_tree(2), mount_setattr(2), fsopen(2), fsmount(2), move_mount(2).
    static func calls() throws(SystemError) {
        try check("make / private") { Glibc.mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) }
        let tree = Descriptor(
            try check("open_tree") {
                linux_open_tree(AT_FDCWD, "/", UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC) | UInt32(AT_RECURSIVE))
            })
        try check("mount_setattr") {
            linux_mount_setattr(
                tree.number, "", UInt32(AT_EMPTY_PATH | AT_RECURSIVE), UInt64(MOUNT_ATTR_RDONLY), 0, 0, 0)
        }
        let context = Descriptor(try check("fsopen") { linux_fsopen("tmpfs", UInt32(FSOPEN_CLOEXEC)) })
        try check("fsconfig") { linux_fsconfig(context.number, UInt32(FSCONFIG_CMD_CREATE.rawValue), nil, nil, 0) }
        let mount = Descriptor(try check("fsmount") { linux_fsmount(context.number, UInt32(FSMOUNT_CLOEXEC), 0) })
        try check("move_mount") {
            linux_move_mount(mount.number, "", AT_FDCWD, "/tmp", UInt32(MOVE_MOUNT_F_EMPTY_PATH))
        }
    }

    /// mount_setattr(2) with a user namespace, on a copy of the tree that holds /usr.
    static func idmap() throws(SystemError) {
        try check("unshare") { unshare(CLONE_NEWNS) }
        let child = try check("clone3") { linux_clone3(UInt64(UInt32(bitPattern: CLONE_NEWUSER)), nil, -1) }
        if child == 0 {
            while true { pause() }
        }
        defer {
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
        }
        try writeText("0 100000 65536\n", to: "/proc/\(child)/uid_map")
        try writeText("0 100000 65536\n", to: "/proc/\(child)/gid_map")
        let user = try Descriptor(open: "/proc/\(child)/ns/user", O_RDONLY)
        let tree = Descriptor(
            try check("open_tree") {
                linux_open_tree(AT_FDCWD, "/usr", UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC))
            })
        try check("mount_setattr") {
            linux_mount_setattr(
                tree.number, "", UInt32(AT_EMPTY_PATH), UInt64(MOUNT_ATTR_IDMAP), 0, 0, UInt64(user.number))
        }
    }

    /// The child of a probe leaves at once; the parent waits for it.
    static func reap(_ child: Int32) throws(SystemError) {
        if child == 0 { _exit(0) }
        try check("waitpid") { waitpid(child, nil, 0) }
    }
}
