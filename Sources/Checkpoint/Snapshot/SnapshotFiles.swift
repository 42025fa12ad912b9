import CLinux
import Glibc
import Kernel

/// The files of a snapshot as the disk has them.
enum SnapshotFiles {
    /// Whether a path stays within a snapshot: plain names, two levels at most, none hidden.
    static func isPath(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy { SnapshotStore.isID(String($0)) }
    }

    /// Visits every file but the manifest and its seal, open and checked: regular, the caller's, with no other name,
    /// writable for nobody else, below directories of the same kind.
    static func visit(
        _ folder: borrowing StateFolder, at prefix: String,
        _ body: (_ file: Int32, _ path: String) throws(SnapshotError) -> Void
    ) throws(SnapshotError) {
        for entry in try attributed({ () throws(SystemError) in try folder.entries() }) {
            let path = prefix + entry
            if prefix.isEmpty, entry == SnapshotStore.manifest || entry == SnapshotStore.seal { continue }
            guard isPath(path) else { throw refusal(path, in: folder.path, "its name is none that we give") }
            let opened = try open(entry, in: folder)
            let status = try attributed { () throws(SystemError) in try FileStatus(opened.number, name: path) }
            if status.kind == .directory, prefix.isEmpty {
                try check(status, path, in: folder.path)
                let below = try attributed { () throws(SystemError) in try folder.existing(entry) }
                guard let below else { throw refusal(path, in: folder.path, "it went away meanwhile") }
                try visit(below, at: path + "/", body)
                continue
            }
            try checkFile(opened.number, status, path, in: folder.path)
            try body(opened.number, path)
        }
    }

    private static func open(_ entry: String, in folder: borrowing StateFolder) throws(SnapshotError) -> Descriptor {
        // What is a pipe instead would be waited for.
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let number = linux_openat(folder.descriptor.number, entry, flags, 0)
        if number >= 0 { return Descriptor(number) }
        switch errno {
        case ELOOP: throw refusal(entry, in: folder.path, "it is a symbolic link")
        case ENOENT: throw SnapshotError("\(folder.path)/\(entry) is missing")
        default: throw SnapshotError(SystemError("open \(folder.path)/\(entry)", code: errno))
        }
    }

    /// Opens a file by its path within a snapshot, for reading.
    static func open(path: String, in folder: borrowing StateFolder) throws(SnapshotError) -> Descriptor {
        let parts = path.split(separator: "/").map { String($0) }
        if parts.count == 1 { return try open(path, in: folder) }
        let below = try attributed { () throws(SystemError) in try folder.existing(parts[0]) }
        guard let below else { throw SnapshotError("\(folder.path)/\(path) is missing") }
        return try open(parts[1], in: below)
    }

    /// Makes a file by its path within a snapshot, and the directory that it is in.
    static func create(path: String, in folder: borrowing StateFolder) throws(SnapshotError) -> Descriptor {
        let parts = path.split(separator: "/").map { String($0) }
        let flags = O_WRONLY | O_CREAT | O_EXCL
        return try attributed { () throws(SystemError) in
            if parts.count == 1 { return try folder.open(path, flags) }
            return try folder.folder(parts[0]).open(parts[1], flags)
        }
    }

    /// Checks a file at the top of a snapshot.
    static func checkFile(_ name: String, in folder: borrowing StateFolder) throws(SnapshotError) {
        let opened = try open(name, in: folder)
        let status = try attributed { () throws(SystemError) in try FileStatus(opened.number, name: name) }
        try checkFile(opened.number, status, name, in: folder.path)
    }

    private static func checkFile(
        _ file: Int32, _ status: FileStatus, _ path: String, in folder: String
    ) throws(SnapshotError) {
        guard status.kind == .file else { throw refusal(path, in: folder, "it is no regular file") }
        try check(status, path, in: folder)
        var raw = stat()
        try attributed { () throws(SystemError) in try Kernel.check("look at \(path)") { fstat(file, &raw) } }
        if raw.st_nlink != 1 { throw refusal(path, in: folder, "it has another name elsewhere (a hard link)") }
    }

    private static func check(_ status: FileStatus, _ path: String, in folder: String) throws(SnapshotError) {
        if status.owner != geteuid() { throw refusal(path, in: folder, "it is not yours") }
        if status.mode & 0o022 != 0 {
            throw refusal(path, in: folder, "others may write it", mend: "chmod go-w, if you know that nobody did")
        }
    }

    static func refusal(
        _ path: String, in folder: String, _ reason: String, mend: String? = nil
    ) -> SnapshotError {
        let name = path.split(separator: "/").last.map { String($0) } ?? path
        return SnapshotError("\(folder)/\(name) is not trusted: \(reason)", mend: mend)
    }
}
