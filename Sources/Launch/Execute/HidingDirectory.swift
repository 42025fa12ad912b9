public import Kernel

extension MountTree {
    /// An empty directory that nobody may enter, to hide another with.
    public static func hidingDirectory(action: @autoclosure () -> String) throws(SystemError) -> MountTree {
        try MountTree(
            new: "tmpfs", [("size", "4k"), ("nr_inodes", "1"), ("mode", "0000")],
            attributes: [.readOnly, .nosuid, .nodev, .noexec], action: action())
    }
}
