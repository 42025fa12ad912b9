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
        try SnapshotFiles.visit(folder, at: "") { file, path throws(SnapshotError) in
            try attributed { () throws(SystemError) in
                try check("set the mode of \(path)") { fchmod(file, 0o600) }
                let (sum, size) = try measure(file, path, measures)
                _ = linux_begin_writing(file, 0, 0)
                let expanded = known.first { $0.path == path }?.expandedSize
                manifest.files.append(.init(path: path, size: size, digest: sum, expandedSize: expanded))
            }
        }
        // The disk has begun with all of them: to wait for one after the other takes a fraction then.
        try SnapshotFiles.visit(folder, at: "") { file, path throws(SnapshotError) in
            try attributed { () throws(SystemError) in _ = try check("write \(path) to disk") { fsync(file) } }
        }
        try finish(manifest.document.json + "\n", in: folder)
        return manifest
    }

    /// What has been told is taken for a file that has not grown since.
    private func measure(
        _ file: Int32, _ path: String, _ measures: [String: MemoryDigests.Measure]
    ) throws(SystemError) -> (sum: String, size: Int) {
        let folder = SnapshotStore.images + "/"
        let measure = path.hasPrefix(folder) ? measures[String(path.dropFirst(folder.utf8.count))] : told[path]
        if let told = measure, told.size == Int(try FileStatus(file, name: path).size) {
            return (told.digest, told.size)
        }
        return try Digest.of(file: file, name: path)
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
            try check("write \(path) to disk") { fsync(folder.descriptor.number) }
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
            try check("write \(store.path) to disk") { fsync(all.descriptor.number) }
        }
    }

    /// RENAME_EXCHANGE of renameat2(2), which not every header has.
    private static let exchange: UInt32 = 2

    private func write(_ file: String, _ text: String, in folder: borrowing StateFolder) throws(SystemError) {
        let opened = try folder.open(file, O_WRONLY | O_CREAT | O_EXCL)
        try writeText(text, to: opened.number, name: file)
        try check("write \(file) to disk") { fsync(opened.number) }
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
