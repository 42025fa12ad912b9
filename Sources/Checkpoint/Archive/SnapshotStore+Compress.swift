import Glibc
import Kernel
public import Launch

extension SnapshotStore {
    /// Ends the names of compressed files.
    static let suffix = ".zst"
    /// Smaller files are left as they are, in bytes.
    private static let least = 1 << 16

    /// Compresses the images of a snapshot. Another snapshot with the same content takes its place, in one step.
    public func compress(_ id: String) throws(SnapshotError) {
        let before = try snapshot(id)
        let isLarge = { (file: Manifest.File) in
            file.size >= SnapshotStore.least && file.expandedSize == nil && SnapshotStore.isImage(file.path)
        }
        guard before.manifest.files.contains(where: isLarge) else { return }
        let draft = try replace(id)
        do throws(SnapshotError) {
            let source = try attributed { () throws(SystemError) in try StateFolder(existing: before.path) }
            let target = try attributed { () throws(SystemError) in try StateFolder(existing: draft.path) }
            var manifest = before.manifest
            // What is compressed is read from its beginning to its end, or not at all.
            manifest.files.removeAll { $0.path.hasPrefix(SnapshotStore.blocks + "/") }
            for index in manifest.files.indices {
                let file = manifest.files[index]
                guard isLarge(file) else {
                    let copy = try SnapshotFiles.create(path: file.path, in: target)
                    try SnapshotStore.read(file, in: source) { bytes throws(SnapshotError) in
                        try attributed { () throws(SystemError) in
                            try writeBytes(Array(bytes), to: copy.number, name: file.path)
                        }
                    }
                    continue
                }
                let packed = file.path + SnapshotStore.suffix
                let copy = try SnapshotFiles.create(path: packed, in: target)
                let zstd = try Zstandard.compressing(into: copy.number, level: 1)
                try SnapshotStore.read(file, in: source) { bytes throws(SnapshotError) in try zstd.write(bytes) }
                try zstd.finish()
                manifest.files[index].path = packed
                manifest.files[index].expandedSize = file.size
            }
            try draft.commit(manifest)
        } catch {
            // The first error tells more; `gc` takes away what is left.
            do throws(SnapshotError) { try draft.discard() } catch {}
            throw error
        }
    }

    /// Reads a file of a snapshot piece by piece.
    /// - Throws: when it is not what the manifest says.
    static func read(
        _ listed: Manifest.File, in folder: borrowing StateFolder,
        _ body: (UnsafeRawBufferPointer) throws(SnapshotError) -> Void
    ) throws(SnapshotError) {
        let file = try SnapshotFiles.open(path: listed.path, in: folder)
        let name = "\(folder.path)/\(listed.path)"
        var digest = FileDigest()
        var left = listed.size
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        while left > 0 {
            let count = try attributed { () throws(SystemError) in
                try Kernel.check("read \(name)") {
                    Int32(Glibc.read(file.number, buffer.baseAddress, min(left, buffer.count)))
                }
            }
            if count == 0 { break }
            left -= Int(count)
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)])
            digest.add(bytes)
            try body(bytes)
        }
        guard left == 0, digest.finish() == listed.digest else {
            throw SnapshotError(
                "\(name) has been altered: it is not what the manifest lists", mend: "take another snapshot")
        }
    }

    /// Calls `body` with a snapshot whose images can be read as they are: itself, or one with a hidden directory of
    /// expanded images, and of links to those that are what they are, which goes away afterwards. Copies of memory that
    /// the images rest on are below that, each in the directory `parent` of the one that came after it.
    /// - Parameter snapshot: verified.
    public func expanded<Result>(
        _ snapshot: Snapshot, _ body: (Snapshot) throws(LaunchError) -> Result
    ) throws(LaunchError) -> Result {
        guard snapshot.isCompressed || snapshot.expanded == nil && snapshot.roundCount > 0 else {
            return try body(snapshot)
        }
        let all = try LaunchError.wrap { () throws(SystemError) in try open() }
        // What a process that was killed leaves is known by its name.
        let name = try LaunchError.wrap { () throws(SystemError) in
            try ProcessIdentity.own().temporary(snapshot.manifest.id + ".images")
        }
        let result: Result
        do throws(LaunchError) {
            var ready = snapshot
            ready.expanded = "\(path)/\(name)"
            try expand(snapshot, into: name, all)
            result = try body(ready)
        } catch {
            var error = error
            do throws(SystemError) { try all.removeFolder(name) } catch let second {
                error.message += "; \(second.message)"
            }
            throw error
        }
        try LaunchError.wrap { () throws(SystemError) in try all.removeFolder(name) }
        return result
    }

    private func expand(
        _ snapshot: Snapshot, into name: String, _ all: borrowing StateFolder
    ) throws(LaunchError) {
        do throws(SnapshotError) {
            try requireSpace(snapshot.manifest.files.reduce(0) { $0 + UInt64($1.expandedSize ?? 0) })
            let folder = try attributed { () throws(SystemError) in
                try all.removeFolder(name)
                return try all.folder(name)
            }
            let source = try attributed { () throws(SystemError) in try StateFolder(existing: snapshot.path) }
            try expand(snapshot, SnapshotStore.images, into: folder, source)
            try expandRounds(of: snapshot, snapshot.roundCount, into: folder, source)
        } catch {
            throw LaunchError(error.message)
        }
    }

    /// - Parameter number: how many copies of memory the one in `folder` rests on.
    private func expandRounds(
        of snapshot: Snapshot, _ number: Int, into folder: borrowing StateFolder, _ source: borrowing StateFolder
    ) throws(SnapshotError) {
        if number == 0 { return }
        let below = try attributed { () throws(SystemError) in try folder.folder(MemoryCopies.link) }
        try expand(snapshot, SnapshotStore.round(number), into: below, source)
        try expandRounds(of: snapshot, number - 1, into: below, source)
    }

    /// - Parameter part: a directory within the snapshot.
    private func expand(
        _ snapshot: Snapshot, _ part: String, into folder: borrowing StateFolder, _ source: borrowing StateFolder
    ) throws(SnapshotError) {
        let number = folder.descriptor.number
        for file in snapshot.manifest.files where file.path.hasPrefix(part + "/") {
            let entry = String(file.path.dropFirst(part.count + 1))
            if let size = file.expandedSize {
                let plain = String(entry.dropLast(SnapshotStore.suffix.count))
                try expand(file, to: size, as: plain, in: folder, source)
            } else {
                let path = "\(folder.path)/\(entry)"
                try attributed { () throws(SystemError) in
                    try Kernel.check("make \(path)") { symlinkat("\(snapshot.path)/\(file.path)", number, entry) }
                }
            }
        }
    }

    private func expand(
        _ file: Manifest.File, to size: Int, as name: String, in folder: borrowing StateFolder,
        _ source: borrowing StateFolder
    ) throws(SnapshotError) {
        let packed = try SnapshotFiles.open(path: file.path, in: source)
        let target = try attributed { () throws(SystemError) in
            try folder.open(name, O_WRONLY | O_CREAT | O_EXCL)
        }
        let zstd = try Zstandard.expanding(packed.number)
        var left = size
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try zstd.read(buffer)
            left -= count
            if left < 0 || count == 0 { break }
            var done = 0
            while done < count {
                let written = try attributed { () throws(SystemError) in
                    try Kernel.check("write \(folder.path)/\(name)") {
                        Int32(write(target.number, buffer.baseAddress?.advanced(by: done), count - done))
                    }
                }
                done += Int(written)
            }
        }
        if left >= 0 { try zstd.finish() }
        guard left == 0 else {
            throw SnapshotError("\(source.path)/\(file.path) does not hold the \(size) bytes that its manifest lists")
        }
    }
}
