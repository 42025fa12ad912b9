import Glibc
import Kernel

/// The memory of a snapshot that is checked when it is brought in, block by block, and what is checked before.
public struct LatePages: Sendable {
    let snapshot: Snapshot
    /// By what CRIU calls the processes.
    let maps: [UInt64: PageMap]
    /// The files of memory that they and those of copies before tell of.
    private let known: Set<String>
    /// Images by their names in the place of the snapshot's own; see ``PageMap/rewritten``.
    public let images: [String: [UInt8]]

    /// - Parameter snapshot: inspected (``SnapshotStore/inspected(_:)``).
    /// - Returns: `nil` where all of it has been checked, and it rests on no copies; and where what it rests on is not there
    ///   as CRIU reads it.
    public init?(of snapshot: Snapshot) throws(SnapshotError) {
        if snapshot.unproven.isEmpty, !snapshot.restsOnCopies { return nil }
        if snapshot.isCompressed { return nil }
        self.snapshot = snapshot
        let folder = try attributed { () throws(SystemError) in try StateFolder(existing: snapshot.path) }
        var (maps, known, images): ([UInt64: PageMap], Set<String>, [String: [UInt8]]) = ([:], [], [:])
        let (before, after) = ("\(SnapshotStore.images)/pagemap-", ".img")
        for file in snapshot.manifest.files where file.path.hasPrefix(before) && file.path.hasSuffix(after) {
            // Memory that processes share has a word in place of a number: CRIU does not bring that in late.
            guard let number = UInt64(file.path.dropFirst(before.count).dropLast(after.count)) else { continue }
            let name = "pagemap-\(number).img"
            guard let map = try LatePages.map(name, snapshot, folder, &known) else { return nil }
            maps[number] = map
            if let rewritten = map.rewritten { images[name] = rewritten }
        }
        (self.maps, self.known, self.images) = (maps, known, images)
    }

    /// What an image tells, with those of the copies that it adds to.
    private static func map(
        _ name: String, _ snapshot: Snapshot, _ folder: borrowing StateFolder, _ known: inout Set<String>
    ) throws(SnapshotError) -> PageMap? {
        var map: PageMap?
        for place in (0..<snapshot.roundCount).map({ SnapshotStore.round($0 + 1) }) + [SnapshotStore.images] {
            // A process may have come after a copy.
            guard let file = snapshot.manifest.files.first(where: { $0.path == "\(place)/\(name)" }) else {
                map = nil
                continue
            }
            let image = try SnapshotFiles.open(path: file.path, in: folder)
            let bytes = try attributed { () throws(SystemError) in
                try readBytes(image.number, name: file.path, atMost: file.size)
            }
            guard let next = PageMap(bytes, in: place, before: map) else { return nil }
            known.insert(next.file)
            map = next
        }
        return map
    }

    func listed(_ path: String) -> Manifest.File? { snapshot.manifest.files.first { $0.path == path } }

    /// What of a file is read before the processes go on; `nil` for all of it.
    /// - Parameter path: within the snapshot.
    func early(of path: String) -> [Range<Int>]? {
        if !known.contains(path) { return nil }
        return maps.values.flatMap { map in map.ranges.filter { !$0.isLate && $0.file == path }.map(\.bytes) }
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
