import CLinux
import Glibc

/// An open directory of the state, the caller's own.
public struct StateFolder: ~Copyable {
    public let descriptor: Descriptor
    public let path: String

    /// The largest file of ours that is read whole, in bytes.
    private static let sizeLimit = 1 << 20

    init(_ descriptor: consuming Descriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// A directory of the state that is there.
    public init(existing path: String) throws(SystemError) {
        self.init(try StateDirectory.openOwn(at: AT_FDCWD, path, name: path, makes: false), path: path)
    }

    /// A directory below, made when it is missing.
    public func folder(_ name: String) throws(SystemError) -> StateFolder {
        let below = path + "/" + name
        return StateFolder(
            try StateDirectory.openOwn(at: descriptor.number, name, name: below, makes: true), path: below)
    }

    /// A directory below; `nil` when there is none.
    public func existing(_ name: String) throws(SystemError) -> StateFolder? {
        let below = path + "/" + name
        do throws(SystemError) {
            return StateFolder(
                try StateDirectory.openOwn(at: descriptor.number, name, name: below, makes: false), path: below)
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    /// Opens a file for appending, made when it is missing.
    public func append(_ name: String) throws(SystemError) -> Descriptor {
        try open(name, O_WRONLY | O_CREAT | O_APPEND)
    }

    public func open(_ name: String, _ flags: Int32) throws(SystemError) -> Descriptor {
        // What is a pipe instead would be waited for.
        let opened = Descriptor(
            try check("open \(path)/\(name)") {
                linux_openat(descriptor.number, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o600)
            })
        let status = try FileStatus(opened.number, name: "\(path)/\(name)")
        guard status.kind == .file, status.owner == geteuid() else {
            throw SystemError("use \(path)/\(name)", code: EPERM, mend: "it must be a file of yours")
        }
        if flags & O_NONBLOCK == 0 {
            try check("open \(path)/\(name)") { linux_fcntl(opened.number, F_SETFL, flags & O_APPEND) }
        }
        return opened
    }

    /// A small file's text; `nil` when there is none.
    public func read(_ name: String) throws(SystemError) -> String? {
        let file: Descriptor
        do throws(SystemError) {
            file = try open(name, O_RDONLY)
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
        let size = try FileStatus(file.number, name: name).size
        guard size <= StateFolder.sizeLimit else { throw SystemError("read \(path)/\(name)", code: EFBIG) }
        return try readText(file.number, name: "\(path)/\(name)", partsOf: size + 1)
    }

    /// Puts a whole file in place by rename(2), so that nobody sees half of it.
    /// - Parameter mode: who may read it, whatever the caller's umask says.
    public func write(_ name: String, _ text: String, mode: UInt32 = 0o600) throws(SystemError) {
        try write(name, Array(text.utf8), mode: mode)
    }

    /// The same of bytes.
    public func write(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(SystemError) {
        let temporary = try ProcessIdentity.own().temporary(name)
        do throws(SystemError) {
            let file = try open(temporary, O_WRONLY | O_CREAT | O_TRUNC)
            CrashPoint.pass("open \(name)")
            let number = file.number
            if mode != 0o600 { try check("make \(path)/\(name)") { fchmod(number, mode) } }
            try writeBytes(bytes, to: number, name: "\(path)/\(name)")
        } catch {
            _ = unlinkat(descriptor.number, temporary, 0)
            throw error
        }
        try rename(temporary, to: name)
    }

    public func rename(_ name: String, to other: String) throws(SystemError) {
        try check("rename \(path)/\(name)") {
            renameat(descriptor.number, name, descriptor.number, other)
        }
        CrashPoint.pass("rename to \(other)")
    }

    /// Removes a file; one that is not there is no error.
    public func remove(_ name: String) throws(SystemError) {
        if unlinkat(descriptor.number, name, 0) != 0, errno != ENOENT {
            throw SystemError("remove \(path)/\(name)", code: errno)
        }
        CrashPoint.pass("remove \(name)")
    }

    /// Removes a directory below with all that is in it; one that is not there is no error.
    public func removeFolder(_ name: String) throws(SystemError) {
        guard let folder = try existing(name) else { return }
        for entry in try folder.entries() {
            do throws(SystemError) {
                try folder.remove(entry)
            } catch {
                // None of ours, but nothing else would ever take it away.
                guard error.code == EISDIR else { throw error }
                try removeTree(at: folder.descriptor.number, entry, path: "\(folder.path)/\(entry)")
            }
        }
        if unlinkat(descriptor.number, name, AT_REMOVEDIR) != 0, errno != ENOENT {
            throw SystemError("remove \(path)/\(name)", code: errno)
        }
        CrashPoint.pass("remove \(name)")
    }

    /// The same for a directory whose owner may be anybody, as that of files which a box has made.
    public func removeForeign(_ name: String) throws(SystemError) {
        try removeTree(at: descriptor.number, name, path: "\(path)/\(name)")
    }

    /// The names in it, sorted.
    public func entries() throws(SystemError) -> [String] {
        let copy = try check("read \(path)") { linux_openat(descriptor.number, ".", O_RDONLY | O_CLOEXEC, 0) }
        guard let stream = fdopendir(copy) else {
            let code = errno
            close(copy)
            throw SystemError("read \(path)", code: code)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw SystemError("read \(path)", code: errno) }
                return names.sorted()
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }
}
