import CLinux
import Glibc
import Kernel
import Profile

extension SnapshotStore {
    /// Makes a snapshot of an archive that ``export(_:to:)`` wrote. Nothing in the archive is believed: it holds plain
    /// files only, those that its manifest lists, once each, with the sizes and digests listed there; and what it holds
    /// becomes the caller's alone. It appears when all of it is there and right, or not at all.
    ///
    /// - Parameter file: an open file, or a pipe.
    /// - Parameter name: what errors call it.
    /// - Parameter keys: to decrypt it, and who must have signed it.
    /// - Parameter arrived: files of it that came before it.
    public func take(
        from file: Int32, name: String, _ keys: ArchiveKeys = ArchiveKeys(), _ arrived: ArrivedCopies? = nil
    ) throws(SnapshotError) -> Snapshot {
        do throws(SnapshotError) {
            let opening = try ArchiveOpening(file, keys)
            let zstd = try Zstandard.expanding(opening.file)
            opening.handOver()
            let reader = ArchiveReader(zstd)
            do throws(SnapshotError) {
                return try take(reader, arrived) { () throws(SnapshotError) in try opening.finish() }
            } catch {
                // An archive that is cut off, or none: who decrypts, and zstd, know why their streams have ended.
                if reader.isAtEnd {
                    if let complaint = opening.complaint() { throw complaint }
                    try zstd.finish()
                }
                throw error
            }
        } catch {
            throw SnapshotError("\(name): \(error.message)")
        }
    }

    /// - Parameter confirm: called when all of it has been read, before it becomes a snapshot.
    private func take(
        _ reader: ArchiveReader, _ arrived: ArrivedCopies?, _ confirm: () throws(SnapshotError) -> Void
    ) throws(SnapshotError) -> Snapshot {
        let (id, text, manifest) = try readManifest(reader)
        try checkSpace(manifest, arrived)
        let draft = if let begun = arrived?.draft { begun } else { try begin(id) }
        do throws(SnapshotError) {
            let folder = try attributed { () throws(SystemError) in try StateFolder(existing: draft.path) }
            var missing: [String: Manifest.File] = [:]
            for file in manifest.files { missing[file.path] = file }
            for (path, file) in arrived?.files ?? [:] {
                guard draft.id == id, missing.removeValue(forKey: path) == file else {
                    throw SnapshotStore.altered(path)
                }
            }
            while let header = try reader.next() {
                guard let path = SnapshotStore.path(header.path, in: id), let listed = missing.removeValue(forKey: path)
                else { throw SnapshotError("\"\(header.path)\" in it is not what its manifest lists") }
                guard header.size == listed.size else { throw SnapshotStore.altered(path) }
                let file = try SnapshotFiles.create(path: path, in: folder)
                guard try reader.copy(header, to: file.number, name: path) == listed.digest else {
                    throw SnapshotStore.altered(path)
                }
            }
            if let first = missing.keys.min() { throw SnapshotError("\"\(first)\" is missing in it") }
            try reader.end()
            try confirm()
            try draft.complete(text)
        } catch {
            // The first error tells more than what cleaning up may meet; `gc` takes away what is left.
            do throws(SnapshotError) { try draft.discard() } catch {}
            throw error
        }
        return Snapshot(path: "\(path)/\(id)", manifest: manifest)
    }

    private static func path(_ path: String, in id: String) -> String? {
        path.hasPrefix(id + "/") ? String(path.dropFirst(id.count + 1)) : nil
    }

    private static func altered(_ path: String) -> SnapshotError {
        SnapshotError("\"\(path)\" in it has been altered: it is not what its manifest lists", mend: "export it again")
    }

    /// The manifest and its digest come first.
    private func readManifest(_ reader: ArchiveReader) throws(SnapshotError) -> (String, String, Manifest) {
        guard let first = try reader.next(), first.path.hasSuffix("/" + SnapshotStore.manifest) else {
            throw SnapshotError("it is no archive of a snapshot: no manifest comes first")
        }
        let id = String(first.path.dropLast(SnapshotStore.manifest.count + 1))
        try SnapshotStore.check(id)
        let text = try reader.text(first, atMost: ManifestText.limit)
        guard let second = try reader.next(), second.path == "\(id)/\(SnapshotStore.seal)",
            try reader.text(second, atMost: 1024) == Digest.of(text) + "\n"
        else {
            throw SnapshotError("its manifest has been altered: its digest is another one", mend: "export it again")
        }
        do throws(SnapshotError) {
            guard let document = ManifestText.document(text) else { throw SnapshotError("it is no JSON document") }
            let manifest = try Manifest(document)
            try check(manifest, id)
            return (id, text, manifest)
        } catch {
            throw SnapshotError("\(SnapshotStore.manifest): \(error.message)")
        }
    }

    private func checkSpace(_ manifest: Manifest, _ arrived: ArrivedCopies?) throws(SnapshotError) {
        var needed: UInt64 = 0
        for file in manifest.files {
            guard let size = UInt64(exactly: file.size), size < 1 << 50, manifest.files.count < 1 << 20 else {
                throw SnapshotError("its manifest lists what no snapshot holds: \"\(file.path)\" of \(file.size) bytes")
            }
            if arrived?.files[file.path] == nil { needed += size }
        }
        try requireSpace(needed)
    }

    /// - Throws: when the store's file system has fewer bytes.
    func requireSpace(_ needed: UInt64) throws(SnapshotError) {
        var status = statvfs()
        try attributed { () throws(SystemError) in
            _ = try open()
            try Kernel.check("look at the file system of \(path)") { statvfs(path, &status) }
        }
        let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
        if needed > free {
            throw SnapshotError(
                "it needs \(needed) bytes in \(path), where \(free) are free", mend: "delete snapshots, or make room")
        }
    }
}

/// An archive as it comes out of zstd(1).
final class ArchiveReader {
    private let zstd: Zstandard
    /// Whether the stream has ended before its time.
    private(set) var isAtEnd = false

    init(_ zstd: Zstandard) { self.zstd = zstd }

    /// The next file's header; `nil` behind the last.
    func next() throws(SnapshotError) -> TarHeader? {
        let block = try take(TarHeader.blockSize)
        if block.allSatisfy({ $0 == 0 }) { return nil }
        return try TarHeader(block)
    }

    func text(_ header: TarHeader, atMost limit: Int) throws(SnapshotError) -> String {
        guard header.size <= limit else { throw SnapshotError("\"\(header.path)\" in it is too large") }
        let bytes = try take(header.size)
        _ = try take(header.padding)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Copies the content.
    /// - Returns: its digest.
    func copy(_ header: TarHeader, to file: Int32, name: String) throws(SnapshotError) -> String {
        var digest = FileDigest()
        var left = header.size
        while left > 0 {
            let bytes = try take(min(left, 1 << 18))
            bytes.withUnsafeBytes { digest.add($0) }
            try attributed { () throws(SystemError) in try writeBytes(bytes, to: file, name: name) }
            left -= bytes.count
        }
        // All of them are waited for in the end.
        _ = linux_begin_writing(file, 0, 0)
        _ = try take(header.padding)
        return digest.finish()
    }

    /// Nothing but zero bytes may follow: as many as a tape's record has.
    func end() throws(SnapshotError) {
        var rest = [UInt8](repeating: 0, count: 1 << 20)
        let count = try read(&rest)
        guard count >= TarHeader.blockSize, count < rest.count, rest[..<count].allSatisfy({ $0 == 0 }) else {
            throw SnapshotError("something follows behind its end")
        }
        try zstd.finish()
    }

    private func take(_ count: Int) throws(SnapshotError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard try read(&bytes) == count else {
            isAtEnd = true
            throw SnapshotError("it is cut off")
        }
        return bytes
    }

    private func read(_ bytes: inout [UInt8]) throws(SnapshotError) -> Int {
        var failure: SnapshotError?
        let count = bytes.withUnsafeMutableBytes { buffer in
            do throws(SnapshotError) { return try zstd.read(buffer) } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return count
    }
}
