import Glibc
import Kernel

/// The memory of a snapshot that is checked when it is brought in, block by block, and what is checked before.
public struct LatePages: Sendable {
    let snapshot: Snapshot
    /// By what CRIU calls the processes.
    let maps: [UInt64: PageMap]

    /// - Parameter snapshot: inspected (``SnapshotStore/inspected(_:)``).
    /// - Returns: `nil` where all of it has been checked, and where it must be before: memory that adds to another
    ///   snapshot's.
    public init?(of snapshot: Snapshot) throws(SnapshotError) {
        if snapshot.unproven.isEmpty { return nil }
        self.snapshot = snapshot
        let folder = try attributed { () throws(SystemError) in try StateFolder(existing: snapshot.path) }
        var maps: [UInt64: PageMap] = [:]
        let (before, after) = ("\(SnapshotStore.images)/pagemap-", ".img")
        for file in snapshot.manifest.files where file.path.hasPrefix(before) && file.path.hasSuffix(after) {
            // Memory that processes share has a word in place of a number: CRIU does not bring that in late.
            guard let number = UInt64(file.path.dropFirst(before.count).dropLast(after.count)) else { continue }
            let image = try SnapshotFiles.open(path: file.path, in: folder)
            let bytes = try attributed { () throws(SystemError) in
                try readBytes(image.number, name: file.path, atMost: file.size)
            }
            guard let map = PageMap(bytes) else { return nil }
            maps[number] = map
        }
        self.maps = maps
    }

    func listed(_ path: String) -> Manifest.File? { snapshot.manifest.files.first { $0.path == path } }

    /// What of a file is read before the processes go on; `nil` for all of it.
    /// - Parameter path: within the snapshot.
    func early(of path: String) -> [Range<Int>]? {
        let own = maps.values.filter { "\(SnapshotStore.images)/\($0.file)" == path }
        if own.isEmpty { return nil }
        return own.flatMap { map in map.ranges.filter { !$0.isLate }.map(\.bytes) }
    }

    /// Checks what is read before the processes go on.
    func checkEarly() throws(SnapshotError) {
        let folder = try attributed { () throws(SystemError) in try StateFolder(existing: snapshot.path) }
        for path in snapshot.unproven {
            guard let listed = listed(path), let ranges = early(of: path) else { continue }
            let file = try ProvenFile(listed, in: folder)
            for range in ranges { try file.check(range) }
        }
    }
}
