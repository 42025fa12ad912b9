import CLinux
import Glibc
import Kernel
public import Launch

/// Copies of a box's memory that are made while it runs, each of what has changed since the one before. They are parts of
/// the snapshot that is being made, in directories of their own beside its images: `round-1`, `round-2` and so on.
public final class MemoryCopies {
    private let draft: SnapshotDraft
    /// What is known of them.
    public private(set) var rounds: [Manifest.Round] = []

    public init(in draft: SnapshotDraft) { self.draft = draft }

    /// The path from the images to the last one; `nil` where there is none.
    public var last: String? { rounds.isEmpty ? nil : "../" + SnapshotStore.round(rounds.count) }

    /// Whether there is to be another one.
    public func goOn(_ plan: PreCopyPlan) -> Bool { plan.goesOn(after: rounds.map(\.copied)) }

    /// Makes another one.
    /// - Parameter abandon: done by another process when this one is killed.
    /// - Returns: its files.
    public func add(
        _ engine: CRIUEngine, root: Int32, abandon: @escaping @Sendable () -> Void
    ) throws(LaunchError) -> [Manifest.File] {
        let name = SnapshotStore.round(rounds.count + 1)
        let folder = try LaunchError.wrap { () throws(SystemError) in
            try StateFolder(existing: draft.path).folder(name)
        }
        let digests = try LaunchError.wrap { () throws(SystemError) in try MemoryDigests(of: folder) }
        let round = CopyRound(
            root: root, images: folder.descriptor.number, path: folder.path, parent: last, abandon: abandon)
        try round.run(engine)
        do throws(SystemError) {
            let files = try measure(folder, try digests.finish())
            let memory = files.filter { $0.path.hasPrefix("\(name)/\(MemoryDigests.prefix)") }
            rounds.append(
                Manifest.Round(
                    copied: memory.reduce(0) { $0 + $1.size },
                    frozen: DumpStatistics.pause(try MemoryCopies.statistics(in: folder))))
            return files
        } catch {
            throw LaunchError(error)
        }
    }

    /// Its files, and the beginning of putting them on disk, so that nobody waits for either while the box stands still.
    private func measure(
        _ folder: borrowing StateFolder, _ measures: [String: MemoryDigests.Measure]
    ) throws(SystemError) -> [Manifest.File] {
        let name = SnapshotStore.round(rounds.count + 1)
        var files: [Manifest.File] = []
        for entry in try folder.entries() where entry != MemoryCopies.link {
            let file = try folder.open(entry, O_RDONLY)
            let size = Int(try FileStatus(file.number, name: entry).size)
            var measure = measures[entry] ?? MemoryDigests.Measure(size: -1, digest: "", lines: [])
            if measure.size != size {
                var digest = FileDigest()
                try digest.addAll(of: file.number, name: entry)
                let sum = digest.finish()
                measure = MemoryDigests.Measure(size: digest.size, digest: sum, lines: digest.lines)
            }
            _ = linux_begin_writing(file.number, 0, 0)
            draft.told["\(name)/\(entry)"] = measure
            files.append(.init(path: "\(name)/\(entry)", size: measure.size, digest: measure.digest))
        }
        return files
    }

    private static func statistics(in folder: borrowing StateFolder) throws(SystemError) -> [UInt8] {
        let path = "\(folder.path)/\(DumpStatistics.file)"
        guard FileStatus(path: path, follow: false) != nil else { return [] }
        let file = try folder.open(DumpStatistics.file, O_RDONLY)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try check("read \(path)") {
            Int32(pread(file.number, &bytes, bytes.count, 0))
        }
        return Array(bytes.prefix(Int(count)))
    }

    /// Once the box is saved: a snapshot has no links. Those of CRIU's own, from each copy to the one before, are made anew
    /// by who restores it.
    public func unlink() throws(LaunchError) {
        if rounds.isEmpty { return }
        try LaunchError.wrap { () throws(SystemError) in
            let folder = try StateFolder(existing: draft.path)
            for name in [SnapshotStore.images] + (1...rounds.count).map({ SnapshotStore.round($0) }) {
                try folder.existing(name)?.remove(MemoryCopies.link)
            }
        }
    }

    /// CRIU's name for the copy before.
    static let link = "parent"
}

extension SnapshotStore {
    /// The directory of a copy within a snapshot, the first one 1.
    static func round(_ number: Int) -> String { "round-\(number)" }

    /// Which copy a path within a snapshot belongs to; `nil` for what is of none.
    static func round(of path: String) -> Int? {
        guard let slash = path.firstIndex(of: "/") else { return nil }
        let name = path[..<slash]
        guard name.hasPrefix("round-"), let number = Int(name.dropFirst(6)), name == round(number),
            PreCopyPlan.limits.contains(number)
        else { return nil }
        return number
    }

    /// Whether a path within a snapshot is that of an image of CRIU's.
    static func isImage(_ path: String) -> Bool { path.hasPrefix(images + "/") || round(of: path) != nil }

    /// Whether it is that of a file of memory, the only ones that are large.
    static func isMemory(_ path: String) -> Bool {
        guard isImage(path), let slash = path.firstIndex(of: "/") else { return false }
        return path[path.index(after: slash)...].hasPrefix(MemoryDigests.prefix)
    }
}

extension Snapshot {
    /// How many copies of memory its images rest on.
    var roundCount: Int { manifest.files.reduce(0) { max($0, SnapshotStore.round(of: $1.path) ?? 0) } }

    /// Whether there are any: CRIU alone brings memory in late from one set of images only; see ``LatePages``.
    public var restsOnCopies: Bool { roundCount > 0 }
}
