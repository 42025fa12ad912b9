import Glibc
import Kernel

/// Copies of a sandbox's memory that come from another host before the snapshot that rests on them: parts of it, in the
/// hidden directory that it will be. What is not taken in the end goes away with the value, or by ``discard()``.
public final class ArrivedCopies {
    private let store: SnapshotStore
    private(set) var draft: SnapshotDraft?
    /// By their paths.
    private(set) var files: [String: Manifest.File] = [:]
    private var count = 0

    public init(in store: SnapshotStore) { self.store = store }

    /// Takes in the next one. As with a snapshot nothing in the archive is believed.
    /// - Parameter file: a pipe, from which one archive comes.
    public func take(from file: Int32) throws(SnapshotError) {
        let zstd = try Zstandard.expanding(file)
        let reader = ArchiveReader(zstd)
        do throws(SnapshotError) {
            try take(reader)
        } catch {
            // One that is cut off, or none: zstd knows why.
            if reader.isAtEnd { try zstd.finish() }
            throw error
        }
    }

    private func take(_ reader: ArchiveReader) throws(SnapshotError) {
        count += 1
        while let header = try reader.next() {
            let parts = header.path.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
            guard parts.count == 3, SnapshotStore.round(of: "\(parts[1])/\(parts[2])") == count else {
                throw ArrivedCopies.stray(header.path)
            }
            let path = "\(parts[1])/\(parts[2])"
            guard SnapshotFiles.isPath(path), header.size < 1 << 50, files.count < 1 << 20 else {
                throw ArrivedCopies.stray(header.path)
            }
            try SnapshotStore.check(parts[0])
            if draft == nil { draft = try store.begin(parts[0]) }
            guard let draft, draft.id == parts[0] else { throw ArrivedCopies.stray(header.path) }
            try store.requireSpace(UInt64(header.size))
            let folder = try attributed { () throws(SystemError) in try StateFolder(existing: draft.path) }
            let file = try SnapshotFiles.create(path: path, in: folder)
            let digest = try reader.copy(header, to: file.number, name: path)
            files[path] = Manifest.File(path: path, size: header.size, digest: digest)
        }
        try reader.end()
    }

    private static func stray(_ path: String) -> SnapshotError {
        SnapshotError("\"\(path)\" in it is no part of a copy of memory")
    }

    /// Removes all of them.
    public func discard() throws(SnapshotError) {
        try draft?.discard()
        draft = nil
    }
}
