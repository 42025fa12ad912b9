import CLinux
import Glibc
import Kernel

/// A snapshot that was checked.
public struct Snapshot: Sendable, Equatable {
    /// Its directory.
    public let path: String
    public let manifest: Manifest

    /// Files of memory whose digests have not been taken: ``ImageProof`` does that.
    var unproven: [String] = []

    /// Where its images are as CRIU reads them, while ``SnapshotStore/expanded(_:_:)`` has them.
    var expanded: String?

    /// Where its images are; see ``SnapshotStore/expanded(_:_:)`` for those that are compressed.
    public var images: String { expanded ?? "\(path)/\(SnapshotStore.images)" }
    /// Bytes that its files take.
    public var size: Int { manifest.files.reduce(0) { $0 + $1.size } }
    /// Whether files must be expanded before CRIU can read them.
    public var isCompressed: Bool { expanded == nil && manifest.files.contains { $0.expandedSize != nil } }
    /// Bytes that its files take once they are expanded.
    public var expandedSize: Int { manifest.files.reduce(0) { $0 + ($1.expandedSize ?? $1.size) } }
}

extension SnapshotStore {
    /// A snapshot by its manifest alone: its files are looked at by ``verified(_:)``.
    public func snapshot(_ id: String) throws(SnapshotError) -> Snapshot {
        let folder = try folder(of: id)
        return Snapshot(path: folder.path, manifest: try manifest(in: folder, id))
    }

    /// A snapshot with every file checked: owner, mode, links, size and SHA-256. Nothing else may be restored.
    public func verified(_ id: String) throws(SnapshotError) -> Snapshot { try inspected(id, leaving: { _ in false }) }

    /// The same, but that the digests of CRIU's files of memory are left to an ``ImageProof``, which takes them while CRIU
    /// reads them: nothing is led by what is in them before the restored application goes on.
    public func inspected(_ id: String) throws(SnapshotError) -> Snapshot {
        try inspected(id) { file in
            file.expandedSize == nil && SnapshotStore.isMemory(file.path)
        }
    }

    private func inspected(
        _ id: String, leaving isLeft: (Manifest.File) -> Bool
    ) throws(SnapshotError) -> Snapshot {
        let folder = try folder(of: id)
        let manifest = try manifest(in: folder, id)
        var unproven: [String] = []
        var missing: [String: Manifest.File] = [:]
        for file in manifest.files { missing[file.path] = file }
        try SnapshotFiles.visit(folder, at: "") { descriptor, path throws(SnapshotError) in
            guard let listed = missing.removeValue(forKey: path) else {
                throw SnapshotFiles.refusal(path, in: folder.path, "the manifest does not list it")
            }
            let isWhole = try attributed { () throws(SystemError) in
                if isLeft(listed) {
                    unproven.append(path)
                    return try FileStatus(descriptor, name: path).size == listed.size
                }
                return try FileDigest.of(file: descriptor, name: path) == (listed.digest, listed.size)
            }
            guard isWhole else {
                throw SnapshotError(
                    "\(folder.path)/\(path) has been altered: it is not what the manifest lists",
                    mend: "take another snapshot")
            }
        }
        if let first = missing.keys.min() { throw SnapshotError("\(folder.path)/\(first) is missing") }
        var snapshot = Snapshot(path: folder.path, manifest: manifest)
        snapshot.unproven = unproven
        return snapshot
    }

    /// The snapshots of a sandbox, oldest first; all of them for `nil`. One that cannot be read is given to `problem`.
    public func snapshots(
        of sandbox: String? = nil, problem: (_ id: String, SnapshotError) -> Void
    ) throws(SnapshotError) -> [Snapshot] {
        var found: [Snapshot] = []
        for id in try ids() {
            do throws(SnapshotError) {
                let snapshot = try snapshot(id)
                if sandbox == nil || snapshot.manifest.sandbox == sandbox { found.append(snapshot) }
            } catch {
                problem(id, error)
            }
        }
        return found.sorted { ($0.manifest.created, $0.manifest.id) < ($1.manifest.created, $1.manifest.id) }
    }

    /// The newest snapshot of a sandbox.
    public func latest(of sandbox: String) throws(SnapshotError) -> String {
        var bad: SnapshotError?
        let newest = try snapshots(of: sandbox) { _, error in bad = error }.last
        if let newest { return newest.manifest.id }
        if let bad { throw bad }
        throw SnapshotError("there is no snapshot of \"\(sandbox)\"", mend: "'sandbox checkpoint \(sandbox)' takes one")
    }

    /// What a word of the command line means: a snapshot's id, or a sandbox's name for its newest one.
    public func resolve(_ word: String) throws(SnapshotError) -> String {
        try SnapshotStore.check(word)
        if FileStatus(path: "\(path)/\(word)", follow: false) != nil { return word }
        do throws(SnapshotError) {
            return try latest(of: word)
        } catch {
            if try ids().isEmpty { throw SnapshotStore.unknown(word) }
            throw error
        }
    }

    private func folder(of id: String) throws(SnapshotError) -> StateFolder {
        try SnapshotStore.check(id)
        guard FileStatus(path: path, follow: false) != nil else { throw SnapshotStore.unknown(id) }
        let found = try attributed { () throws(SystemError) in try StateFolder(existing: path).existing(id) }
        guard let folder = consume found else { throw SnapshotStore.unknown(id) }
        return folder
    }

    private func manifest(in folder: borrowing StateFolder, _ id: String) throws(SnapshotError) -> Manifest {
        try SnapshotFiles.checkFile(SnapshotStore.manifest, in: folder)
        try SnapshotFiles.checkFile(SnapshotStore.seal, in: folder)
        let text = try text(SnapshotStore.manifest, in: folder)
        let seal = try self.text(SnapshotStore.seal, in: folder)
        guard seal == Digest.of(text) + "\n" else {
            throw SnapshotError("\(folder.path)/\(SnapshotStore.manifest) has been altered: its digest is another one")
        }
        let manifest: Manifest
        do throws(SnapshotError) {
            guard let document = ManifestText.document(text) else { throw SnapshotError("it is no JSON document") }
            manifest = try Manifest(document)
            try check(manifest, id)
        } catch {
            throw SnapshotError("\(folder.path)/\(SnapshotStore.manifest): \(error.message)")
        }
        return manifest
    }

    /// A small file at the top of a snapshot.
    func text(_ file: String, in folder: borrowing StateFolder) throws(SnapshotError) -> String {
        do throws(SystemError) {
            let opened = try folder.open(file, O_RDONLY)
            return try readText(opened.number, name: "\(folder.path)/\(file)", atMost: ManifestText.limit)
        } catch {
            throw SnapshotError(error)
        }
    }

    func check(_ manifest: Manifest, _ id: String) throws(SnapshotError) {
        guard manifest.id == id else {
            throw SnapshotError("it is the manifest of \"\(manifest.id)\"", mend: "a snapshot keeps its name")
        }
        if let parent = manifest.parent { try SnapshotStore.check(parent) }
        var seen: Set<String> = []
        for file in manifest.files {
            guard SnapshotFiles.isPath(file.path), seen.insert(file.path).inserted else {
                throw SnapshotError("\"\(file.path)\" is no path within a snapshot")
            }
        }
        for file in manifest.files {
            guard let size = file.expandedSize else { continue }
            let plain = String(file.path.dropLast(SnapshotStore.suffix.count))
            guard SnapshotStore.isImage(file.path), file.path.hasSuffix(SnapshotStore.suffix),
                (0..<1 << 50).contains(size), SnapshotFiles.isPath(plain), seen.insert(plain).inserted
            else { throw SnapshotError("\"\(file.path)\" is no compressed image") }
        }
        if let upper = manifest.upper, !seen.contains(upper) {
            throw SnapshotError("\"\(upper)\" is none of its files")
        }
    }
}
