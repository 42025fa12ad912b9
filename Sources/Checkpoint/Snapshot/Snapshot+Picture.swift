import Glibc
import Kernel

extension Snapshot {
    /// The file with what the display showed, a PNG.
    public static let picture = "screen.png"

    /// Whether it holds a picture of its display.
    public var hasPicture: Bool { manifest.files.contains { $0.path == Snapshot.picture } }

    /// The picture's bytes, checked; nil where it holds none.
    public func readPicture() throws(SnapshotError) -> [UInt8]? {
        guard let listed = manifest.files.first(where: { $0.path == Snapshot.picture }) else { return nil }
        let folder = try attributed { () throws(SystemError) in try StateFolder(existing: path) }
        try SnapshotFiles.checkFile(Snapshot.picture, in: folder)
        let bytes = try attributed { () throws(SystemError) in
            try read(try folder.open(Snapshot.picture, O_RDONLY), listed.size)
        }
        var digest = FileDigest()
        bytes.withUnsafeBytes { digest.add($0) }
        guard bytes.count == listed.size, digest.finish() == listed.digest else {
            throw SnapshotError(
                "\(path)/\(Snapshot.picture) has been altered: it is not what the manifest lists",
                mend: "take another snapshot")
        }
        return bytes
    }

    /// As many bytes as the manifest says, and one more where there is one.
    private func read(_ file: borrowing Descriptor, _ size: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size + 1)
        var filled = 0
        while filled < bytes.count {
            let count = try check("read \(path)/\(Snapshot.picture)") {
                bytes.withUnsafeMutableBytes { buffer in
                    Int32(
                        Glibc.read(
                            file.number, buffer.baseAddress.map { $0 + filled }, min(buffer.count - filled, 1 << 20)))
                }
            }
            if count == 0 { break }
            filled += Int(count)
        }
        return Array(bytes[..<filled])
    }
}
