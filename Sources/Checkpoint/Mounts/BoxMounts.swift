import Glibc
public import Kernel

/// The mounts of a box that is to be saved.
public struct BoxMounts: Sendable {
    /// Those that a restore brings back.
    public let entries: [MountEntry]
    /// Mount points that it need not and cannot bring back: pinned namespaces of the host, which are none of the box's,
    /// and what lies below another mount, where no path leads.
    public let skipped: [String]
    /// Those that CRIU is told not to look after.
    public let foreign: [ForeignMount]

    /// Those of a process of the caller's /proc.
    /// - Parameter layers: mount points of its overlay, but for its root.
    public init(of process: Int32, layers: [String] = []) throws(SystemError) {
        let all = try MountEntry.all(of: process)
        let host = Set(try MountEntry.all(of: getpid()).map(\.device))
        var skipped: Set<String> = []
        for entry in all {
            let isHidden = FileStatus(path: "/proc/\(process)/root\(entry.path)", follow: false) == nil
            if isHidden || entry.type == "nsfs" { skipped.insert(entry.path) }
        }
        self.init(all, host: host, skipped: skipped, layers: layers) { path in
            FileStatus(path: "/proc/\(process)/root\(path)", follow: false)?.kind == .file
        }
    }

    /// - Parameter host: filesystems that are mounted where CRIU is, by device.
    /// - Parameter isFile: whether a path of the box is a regular file.
    init(
        _ all: [MountEntry], host: Set<String>, skipped: Set<String>, layers: [String], isFile: (String) -> Bool
    ) {
        entries = all.filter { !skipped.contains($0.path) }
        self.skipped = skipped.sorted()
        let whole = Set(entries.filter { $0.root == "/" }.map(\.device))
        var foreign: [ForeignMount] = []
        for entry in entries where !foreign.contains(where: { $0.path == entry.path }) {
            if entry.type == "overlay", layers.contains(entry.path) {
                foreign.append(ForeignMount(entry.path, .layer, key: "layer-\(foreign.count)"))
            } else if entry.isEmptyForGood {
                foreign.append(ForeignMount(entry.path, .empty, key: "empty-\(foreign.count)"))
            } else if !whole.contains(entry.device), !host.contains(entry.device), isFile(entry.path) {
                foreign.append(ForeignMount(entry.path, .file, key: "file-\(foreign.count)"))
            }
        }
        self.foreign = foreign
    }

    /// What a restore is compared with.
    public var saved: [SavedMount] { entries.filter { !BoxMounts.forgotten.contains($0.type) }.map { SavedMount($0) } }

    /// Views of the kernel that CRIU does not mount again.
    private static let forgotten: Set<String> = ["tracefs", "debugfs", "autofs"]
}

extension MountEntry {
    /// Whether it is what a launch hides directories with: read-only, with no entry but its root, which nobody may enter.
    fileprivate var isEmptyForGood: Bool {
        let marks: Set<String> = ["nr_inodes=1", "mode=000"]
        return type == "tmpfs" && root == "/" && options.contains("ro") && marks.isSubset(of: filesystemOptions)
    }
}
