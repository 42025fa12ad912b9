import CLinux
import Glibc
public import Kernel
import Profile

/// A snapshot in the making: a hidden directory that becomes a snapshot whole, or goes away.
public final class SnapshotDraft {
    public let id: String
    /// The hidden directory's absolute path.
    public let path: String
    private let store: SnapshotStore
    private let name: String
    /// Whether it takes the place of one that is there.
    private let isReplacing: Bool
    private var isDone = false
    /// Of files that are not written to any more, by their paths: they are not digested again.
    var told: [String: MemoryDigests.Measure] = [:]
    /// Whether it is on disk once it is a snapshot. Where it is not, a power cut soon afterwards can take it; what is left
    /// then is no snapshot, or refused for its digests.
    public var isSynced = true

    /// Bytes that the disk is told to write at a time.
    private static let piece = 8 << 20

    /// Where CRIU's images are to be written.
    public var images: String { "\(path)/\(SnapshotStore.images)" }

    fileprivate init(_ store: SnapshotStore, id: String, hidden name: String, isReplacing: Bool) {
        self.store = store
        self.isReplacing = isReplacing
        self.id = id
        self.name = name
        path = "\(store.path)/\(name)"
    }

    /// Makes the snapshot of what is in the directory: every file is made owner-only, measured and put on disk, the
    /// manifest written last, the directory renamed.
    /// - Parameter manifest: what is known of it; `files` is filled in here, but for `expandedSize` of those listed.
    /// - Parameter digests: of images, as they were taken while they were written.
    /// - Returns: the complete manifest.
    @discardableResult
    public func commit(_ manifest: Manifest, _ digests: MemoryDigests? = nil) throws(SnapshotError) -> Manifest {
        do throws(SnapshotError) {
            let measures = try attributed { () throws(SystemError) in try digests?.finish() ?? [:] }
            let complete = try seal(manifest, measures)
            isDone = true
            return complete
        } catch {
            isDone = true
            remove()
            throw error
        }
    }

    private func seal(
        _ manifest: Manifest, _ measures: [String: MemoryDigests.Measure]
    ) throws(SnapshotError) -> Manifest {
        var manifest = manifest
        manifest.id = id
        if let parent = manifest.parent { try SnapshotStore.check(parent) }
        let known = manifest.files
        let folder = try attributed { () throws(SystemError) in try StateFolder(existing: path) }
        manifest.files = []
        var lists: [(name: String, lines: [UInt8])] = []
        try SnapshotFiles.visit(folder, at: "") { file, path throws(SnapshotError) in
            try attributed { () throws(SystemError) in
                try check("set the mode of \(path)") { fchmod(file, 0o600) }
                let measure = try measure(file, path, measures)
                let expanded = known.first { $0.path == path }?.expandedSize
                manifest.files.append(
                    .init(path: path, size: measure.size, digest: measure.digest, expandedSize: expanded))
                if let name = MemoryDigests.list(of: path), measure.size > FileDigest.block {
                    lists.append((name, measure.lines))
                }
            }
        }
        try attributed { () throws(SystemError) in
            for list in lists { manifest.files.append(try write(list.lines, of: list.name, in: folder)) }
        }
        manifest.files.sort { $0.path < $1.path }
        try finish(manifest.document.json + "\n", in: folder)
        return manifest
    }

    /// What has been told is taken for a file that has not grown since.
    private func measure(
        _ file: Int32, _ path: String, _ measures: [String: MemoryDigests.Measure]
    ) throws(SystemError) -> MemoryDigests.Measure {
        let known = MemoryDigests.image(path).map { measures[$0] } ?? told[path]
        if let known, known.size == Int(try FileStatus(file, name: path).size) {
            beginWriting(file, 0, 0)
            return known
        }
        // The disk writes one part of a large file while the next is digested: to tell it of all waits for most of it.
        let size = Int(try FileStatus(file, name: path).size)
        var digest = FileDigest()
        try digest.addPairsHelped(of: file, to: size, name: path) { place in
            if place % SnapshotDraft.piece == 0 { beginWriting(file, place, SnapshotDraft.piece) }
        }
        beginWriting(file, 0, 0)
        try digest.addAll(of: file, name: path)
        let sum = digest.finish()
        return .init(size: digest.size, digest: sum, lines: digest.lines)
    }

    /// Nothing waits for it here, so that an error is found by who does.
    private func beginWriting(_ file: Int32, _ start: Int, _ count: Int) {
        if isSynced { _ = linux_begin_writing(file, Int64(start), Int64(count)) }
    }

    /// Writes the digests of the blocks of a file of memory.
    private func write(
        _ lines: [UInt8], of name: String, in folder: borrowing StateFolder
    ) throws(SystemError) -> Manifest.File {
        let path = "\(SnapshotStore.blocks)/\(name)"
        let file = try folder.folder(SnapshotStore.blocks).open(name, O_WRONLY | O_CREAT | O_EXCL)
        try writeBytes(lines, to: file.number, name: path)
        var digest = FileDigest()
        lines.withUnsafeBytes { digest.add($0) }
        return .init(path: path, size: lines.count, digest: digest.finish())
    }

    /// Makes the snapshot of files that are what a manifest lists, and on disk.
    /// - Parameter manifest: its text, which stays as it is.
    func complete(_ manifest: String) throws(SnapshotError) {
        let folder = try attributed { () throws(SystemError) in try StateFolder(existing: path) }
        try finish(manifest, in: folder)
        isDone = true
    }

    private func finish(_ text: String, in folder: borrowing StateFolder) throws(SnapshotError) {
        try attributed { () throws(SystemError) in
            try write(SnapshotStore.manifest, text, in: folder)
            try write(SnapshotStore.seal, Digest.of(text) + "\n", in: folder)
        }
        if isSynced { try flush(folder) }
        try attributed { () throws(SystemError) in
            let all = try store.open()
            if isReplacing {
                try check("put \(store.path)/\(id) in place of the one that is there") {
                    renameat2(all.descriptor.number, name, all.descriptor.number, id, SnapshotDraft.exchange)
                }
                try all.removeFolder(name)
            } else {
                // Never over one that is there: renameat(2) would not replace a directory with entries.
                try all.rename(name, to: id)
            }
            if isSynced { try check("write \(store.path) to disk") { fsync(all.descriptor.number) } }
        }
    }

    /// RENAME_EXCHANGE of renameat2(2), which not every header has.
    private static let exchange: UInt32 = 2

    private func write(_ file: String, _ text: String, in folder: borrowing StateFolder) throws(SystemError) {
        let opened = try folder.open(file, O_WRONLY | O_CREAT | O_EXCL)
        try writeText(text, to: opened.number, name: file)
    }

    /// Waits until all of it is on disk. The disk has begun with the large ones, and the first that is waited for takes
    /// the names and places of all others with it.
    private func flush(_ folder: borrowing StateFolder) throws(SnapshotError) {
        try SnapshotFiles.visit(folder, at: "") { file, path throws(SnapshotError) in
            try attributed { () throws(SystemError) in _ = try check("write \(path) to disk") { fsync(file) } }
        }
        try attributed { () throws(SystemError) in
            for name in [SnapshotStore.manifest, SnapshotStore.seal] {
                let file = try folder.open(name, O_RDONLY)
                try check("write \(name) to disk") { fsync(file.number) }
            }
            for name in [SnapshotStore.images, SnapshotStore.blocks] {
                guard let below = try folder.existing(name) else { continue }
                try check("write \(name) to disk") { fsync(below.descriptor.number) }
            }
            try check("write \(path) to disk") { fsync(folder.descriptor.number) }
        }
    }

    /// Removes all that was written.
    public func discard() throws(SnapshotError) {
        isDone = true
        try attributed { () throws(SystemError) in try store.open().removeFolder(name) }
    }

    // What cannot be removed now is hidden, and `sandbox gc` takes it away once this process has ended.
    private func remove() {
        do throws(SystemError) { try store.open().removeFolder(name) } catch {}
    }

    deinit { if !isDone { remove() } }
}

extension SnapshotStore {
    /// Removes what another process had begun, in its place.
    public func discard(_ id: String, of owner: ProcessIdentity) throws(SnapshotError) {
        try attributed { () throws(SystemError) in try open().removeFolder(owner.temporary(id)) }
    }

    /// Begins a snapshot.
    /// - Throws: when there is one of that id.
    public func begin(_ id: String) throws(SnapshotError) -> SnapshotDraft {
        try SnapshotStore.check(id)
        if FileStatus(path: "\(path)/\(id)", follow: false) != nil {
            throw SnapshotError(
                "there is a snapshot \"\(id)\"", mend: "choose another name, or 'sandbox snapshot delete \(id)'")
        }
        return try begin(id, isReplacing: false)
    }

    /// Begins another snapshot in the place of one that is there.
    func replace(_ id: String) throws(SnapshotError) -> SnapshotDraft { try begin(id, isReplacing: true) }

    private func begin(_ id: String, isReplacing: Bool) throws(SnapshotError) -> SnapshotDraft {
        let name = try attributed { () throws(SystemError) in
            let name = try ProcessIdentity.own().temporary(id)
            let folder = try open()
            try folder.removeFolder(name)
            let hidden = try folder.folder(name)
            _ = try hidden.folder(SnapshotStore.images)
            return name
        }
        return SnapshotDraft(self, id: id, hidden: name, isReplacing: isReplacing)
    }
}
