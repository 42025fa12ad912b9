import Glibc
import Kernel

extension SnapshotStore {
    /// The level of zstd(1) for archives.
    private static let level = 3

    /// Writes a snapshot, which is checked before, as one file: a tar archive (POSIX ustar) compressed by zstd, the
    /// manifest first.
    /// - Parameter file: an open file, which gets no position but its end.
    public func export(_ id: String, to file: Int32) throws(SnapshotError) {
        try export(verified(id), leaving: [], to: file)
    }

    /// - Parameter gone: paths of files that whoever gets it has already. Of the others each is looked at when it is read.
    public func export(_ id: String, leaving gone: Set<String>, to file: Int32) throws(SnapshotError) {
        try export(snapshot(id), leaving: gone, to: file)
    }

    private func export(_ snapshot: Snapshot, leaving gone: Set<String>, to file: Int32) throws(SnapshotError) {
        let id = snapshot.manifest.id
        let folder = try attributed { () throws(SystemError) in try StateFolder(existing: snapshot.path) }
        let zstd = try Zstandard.compressing(into: file, level: SnapshotStore.level)
        for name in [SnapshotStore.manifest, SnapshotStore.seal] {
            let content = try text(name, in: folder)
            try SnapshotStore.begin(name, of: id, size: content.utf8.count, zstd)
            try SnapshotStore.write(Array(content.utf8), zstd)
            try SnapshotStore.pad(content.utf8.count, zstd)
        }
        for listed in snapshot.manifest.files where !gone.contains(listed.path) {
            try SnapshotStore.add(listed, of: id, in: folder, zstd)
        }
        try SnapshotStore.end(zstd)
    }

    private static func end(_ zstd: Zstandard) throws(SnapshotError) {
        try write([UInt8](repeating: 0, count: 2 * TarHeader.blockSize), zstd)
        try zstd.finish()
    }

    private static func begin(_ path: String, of id: String, size: Int, _ zstd: Zstandard) throws(SnapshotError) {
        guard let block = TarHeader(path: "\(id)/\(path)", size: size).block else {
            throw SnapshotError("the name of \(path) is too long for an archive")
        }
        try write(block, zstd)
    }

    private static func pad(_ size: Int, _ zstd: Zstandard) throws(SnapshotError) {
        try write([UInt8](repeating: 0, count: TarHeader(path: "", size: size).padding), zstd)
    }

    private static func write(_ bytes: [UInt8], _ zstd: Zstandard) throws(SnapshotError) {
        var failure: SnapshotError?
        bytes.withUnsafeBytes { buffer in
            do throws(SnapshotError) { try zstd.write(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private static func add(
        _ listed: Manifest.File, of id: String, in folder: borrowing StateFolder, _ zstd: Zstandard
    ) throws(SnapshotError) {
        try begin(listed.path, of: id, size: listed.size, zstd)
        try read(listed, in: folder) { bytes throws(SnapshotError) in try zstd.write(bytes) }
        try pad(listed.size, zstd)
    }

    /// Writes files of a snapshot in the making as ``export(_:to:)`` would.
    public static func export(_ files: [Manifest.File], of draft: SnapshotDraft, to file: Int32) throws(SnapshotError) {
        let folder = try attributed { () throws(SystemError) in try StateFolder(existing: draft.path) }
        let zstd = try Zstandard.compressing(into: file, level: 1)
        for listed in files { try add(listed, of: draft.id, in: folder, zstd) }
        try end(zstd)
    }
}

/// A file that appears when it is complete, or not at all.
public final class FinishedFile {
    /// Where to write.
    public let descriptor: Int32
    private let path: String
    private let isHidden: Bool
    private var isDone = false

    /// Only the caller may read it: it holds an application's memory.
    /// - Throws: when there is something of that name.
    public init(path: String) throws(SnapshotError) {
        self.path = path
        if FileStatus(path: path, follow: false) != nil {
            throw SnapshotError("there is a file \(path)", mend: "name another, or remove it")
        }
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let hidden = Glibc.open(folder, O_WRONLY | O_CLOEXEC | FinishedFile.temporary, 0o600)
        isHidden = hidden >= 0
        descriptor = try attributed { () throws(SystemError) in
            if hidden >= 0 { return hidden }
            // A file system without files that have no name.
            guard errno == EOPNOTSUPP || errno == EISDIR else { throw SystemError("make \(path)", code: errno) }
            return try check("make \(path)") { Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
        }
    }

    /// O_TMPFILE, which is a macro that Swift does not see.
    private static let temporary = 0o20000000 | O_DIRECTORY

    /// Puts it on disk under its name.
    public func commit() throws(SnapshotError) {
        try attributed { () throws(SystemError) in
            try check("write \(path) to disk") { fsync(descriptor) }
            guard isHidden else { return }
            try check("make \(path)") {
                linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW)
            }
        }
        isDone = true
    }

    deinit {
        close(descriptor)
        if !isDone, !isHidden { unlink(path) }
    }
}
