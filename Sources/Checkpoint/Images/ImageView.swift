import Glibc
public import Kernel
public import Launch

/// A directory that shows the images of a snapshot, some of them changed: symbolic links and a few small files. CRIU
/// reads it in place of the snapshot's own, which stays as it is and is never copied.
public enum ImageView {
    /// Makes one while `body` runs.
    /// - Parameter images: the snapshot's images.
    /// - Parameter work: the path of a directory of the caller's own, in which it is.
    /// - Parameter others: by their names, in the place of the snapshot's own.
    public static func show<Result>(
        _ images: borrowing StateFolder, in work: String, _ changes: AddressChanges, _ others: [String: [UInt8]] = [:],
        _ body: (borrowing StateFolder) throws(LaunchError) -> Result
    ) throws(LaunchError) -> Result {
        let above = try LaunchError.wrap { () throws(SystemError) in try StateFolder(existing: work) }
        // What a process that was killed leaves is known by its name.
        let name = try LaunchError.wrap { () throws(SystemError) in try ProcessIdentity.own().temporary("images") }
        let result: Result
        do throws(LaunchError) {
            let view = try LaunchError.wrap { () throws(SystemError) in
                try above.removeFolder(name)
                return try above.folder(name)
            }
            try fill(view, images, changes, others)
            result = try body(view)
        } catch {
            var error = error
            do throws(SystemError) { try above.removeFolder(name) } catch let second {
                error.message += "; \(second.message)"
            }
            throw error
        }
        try LaunchError.wrap { () throws(SystemError) in try above.removeFolder(name) }
        return result
    }

    private static func fill(
        _ view: borrowing StateFolder, _ images: borrowing StateFolder, _ changes: AddressChanges,
        _ others: [String: [UInt8]]
    ) throws(LaunchError) {
        var others = others
        if !changes.isEmpty {
            others[SocketImage.file] = try SocketImage.readdressed(try read(SocketImage.file, in: images), changes)
        }
        let (source, number) = (images.path, view.descriptor.number)
        try LaunchError.wrap { () throws(SystemError) in
            for entry in try images.entries() where others[entry] == nil {
                try check("make \(view.path)/\(entry)") { symlinkat("\(source)/\(entry)", number, entry) }
            }
        }
        try LaunchError.wrap { () throws(SystemError) in
            for (name, bytes) in others {
                let file = try view.open(name, O_WRONLY | O_CREAT | O_EXCL)
                try writeBytes(bytes, to: file.number, name: "\(view.path)/\(name)")
            }
        }
    }

    /// A table of a box's open files has a hundred bytes for each.
    private static let limit = 256 << 20

    private static func read(_ name: String, in folder: borrowing StateFolder) throws(LaunchError) -> [UInt8] {
        do throws(SystemError) {
            let file = try folder.open(name, O_RDONLY)
            let size = try FileStatus(file.number, name: name).size
            guard size <= limit else { throw SystemError("read \(folder.path)/\(name)", code: EFBIG) }
            var bytes = [UInt8](repeating: 0, count: Int(size))
            var done = 0
            while done < bytes.count {
                let count = try check("read \(folder.path)/\(name)") {
                    bytes.withUnsafeMutableBytes {
                        Int32(Glibc.read(file.number, $0.baseAddress?.advanced(by: done), $0.count - done))
                    }
                }
                if count == 0 { throw SystemError("read \(folder.path)/\(name)", code: EIO) }
                done += Int(count)
            }
            return bytes
        } catch {
            throw LaunchError(error)
        }
    }
}
