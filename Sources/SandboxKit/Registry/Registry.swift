import CLinux
import Glibc
public import Kernel
public import Launch
import Profile

/// Named sandboxes: a directory each under the state directory, owner-only, its files written by rename.
public struct Registry: Sendable {
    let state: StateDirectory
    static let folder = "sandboxes"
    static let lockFile = "lock"
    /// How long a command waits for another on the same name, in milliseconds.
    static let patience = 2000

    /// The registry in a state directory.
    public init(_ state: StateDirectory) { self.state = state }

    /// The registry of the caller's own state directory.
    public static func ofCaller() throws(LaunchError) -> Registry {
        Registry(try translated { () throws(SystemError) in try StateDirectory.ofCaller() })
    }

    /// Whether `name` can be a sandbox's: letters, digits, `.`, `_` and `-`, at most 64, not beginning with `.` or `-`.
    public static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != 0x2e, first != 0x2d, name.utf8.count <= 64 else { return false }
        for byte in name.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x5f, 0x2d: continue
            default: return false
            }
        }
        return true
    }

    static func check(_ name: String) throws(LaunchError) {
        if isName(name) { return }
        let shown = name.utf8.count > 80 ? String(name.prefix(60)) + "…" : name
        throw LaunchError(
            "\"\(shown)\" is no name for a sandbox",
            mend: "use letters, digits, '.', '_' and '-', at most 64, not beginning with '.' or '-'")
    }

    /// The names of all sandboxes, sorted.
    public func names() throws(LaunchError) -> [String] {
        let entries = try translated { () throws(SystemError) in
            try state.existing()?.existing(Registry.folder)?.entries() ?? []
        }
        var names: [String] = []
        for entry in entries where Registry.isName(entry) { names.append(entry) }
        return names
    }

    /// What is known of `name`, as it was last written: see ``settle(_:)``.
    public func record(_ name: String) throws(LaunchError) -> SandboxRecord {
        try find(name).orThrow(Registry.unknown(name))
    }

    /// What `name` was asked for.
    public func request(_ name: String) throws(LaunchError) -> LaunchRequest {
        try Registry.check(name)
        let folder = try translated { () throws(SystemError) in try openFolder(name) }
        guard let folder, let value = try read(File.request, in: folder, name) else { throw Registry.unknown(name) }
        guard let request = LaunchRequest(value) else { throw corrupt(File.request, name) }
        return request
    }

    /// The record of `name`; `nil` when there is none.
    public func find(_ name: String) throws(LaunchError) -> SandboxRecord? {
        try Registry.check(name)
        guard let folder = try translated({ () throws(SystemError) in try openFolder(name) }) else { return nil }
        guard let value = try read(File.state, in: folder, name) else {
            // Removed while it was looked at, or a directory without the file.
            let isReplaced = try translated { () throws(SystemError) in
                guard let now = FileStatus(path: path(name), follow: false) else { return true }
                return try FileStatus(folder.descriptor.number, name: path(name)).inode != now.inode
            }
            if isReplaced { return try find(name) }
            throw corrupt(File.state, name)
        }
        guard let record = SandboxRecord(value, name: name) else { throw corrupt(File.state, name) }
        return record
    }

    /// Keeps other commands off `name` until the value goes away.
    /// - Throws: when another has it for longer than two seconds.
    public func lock(_ name: String) throws(LaunchError) -> NameLock { try lock(name, patience: Registry.patience) }

    /// The same with a patience of so many milliseconds.
    func lock(_ name: String, patience: Int) throws(LaunchError) -> NameLock {
        guard let lock = try lockIfFree(name, patience: patience) else {
            throw LaunchError("another command is at work on \"\(name)\"", mend: "try again when it is done")
        }
        return lock
    }

    /// The lock; `nil` when another command has it for longer than so many milliseconds.
    func lockIfFree(_ name: String, patience: Int = 0) throws(LaunchError) -> NameLock? {
        try Registry.check(name)
        let lock = try translated { () throws(SystemError) in
            let file = try state.open().open(Registry.lockFile, O_RDWR | O_CREAT)
            return try ByteLock(file, offset: Registry.offset(name), milliseconds: patience)
        }
        guard let lock else { return nil }
        return NameLock(name: name, lock: lock)
    }

    /// FNV-1a, without the sign bit.
    private static func offset(_ name: String) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(hash >> 2)
    }

    static func unknown(_ name: String) -> LaunchError {
        LaunchError("no sandbox \"\(name)\"", mend: "'sandbox ps -a' lists them")
    }

    func path(_ name: String) -> String { "\(state.path)/\(Registry.folder)/\(name)" }

    func corrupt(_ file: String, _ name: String) -> LaunchError {
        LaunchError(
            "\(path(name))/\(file) is damaged",
            mend: "'sandbox rm -f \(name)' ends what is left of it and forgets it")
    }
}

extension Registry? {
    /// Itself, or the caller's.
    package func orOfCaller() throws(LaunchError) -> Registry {
        if let self { return self }
        return try Registry.ofCaller()
    }
}

/// The files of a sandbox's directory.
enum File {
    static let request = "request.toml"
    static let state = "state.toml"
    /// Written by our init when the command has ended: three digits.
    static let exit = "exit"
    static let log = "log"
    /// The ring that a resident process writes the output to.
    static let ring = ["log.0", "log.1"]
    static let marks = "log.marks"
    static let terminal = "terminal"
    /// What the command has written, in whatever form.
    static let output = [log] + ring + [marks]
    /// An overlay's changes, where they go with the sandbox.
    static let upper = "upper"
    /// The same in a snapshot, as an archive.
    static let changes = "changes.tar"
    /// Present while the sandbox is being stopped: it shall not begin anew.
    static let stopping = "stopping"
    /// Present while its memory comes in: the name tells by which process.
    static let late = "memory"
    /// Present while it is paused since it may run on another host.
    static let left = "left"
    /// Of a proxy: who waits for its connections to end.
    static let draining = "draining"
}

/// The right to change what is known of a name.
public struct NameLock: ~Copyable {
    /// Which name it is of.
    public let name: String
    private let lock: ByteLock

    fileprivate init(name: String, lock: consuming ByteLock) {
        self.name = name
        self.lock = lock
    }

    /// Gives it back before the value goes away, in every process that shares it.
    func release() { lock.release() }

    var descriptor: Int32 { lock.descriptor }
    /// What can give it back where this value cannot be reached.
    var releaser: () -> Void { lock.releaser }
}

// MARK: - Files

extension Registry {
    /// The directory of `name`; `nil` when there is none.
    func openFolder(_ name: String) throws(SystemError) -> StateFolder? {
        try state.existing()?.existing(Registry.folder)?.existing(name)
    }

    private func read(_ file: String, in folder: borrowing StateFolder, _ name: String) throws(LaunchError) -> Value? {
        let text: String?
        do throws(SystemError) {
            text = try folder.read(file)
        } catch {
            if error.code == EFBIG { throw corrupt(file, name) }
            throw LaunchError(error)
        }
        guard let text else { return nil }
        do throws(ProfileError) {
            return try TOMLDocument(file: file, text: text).value
        } catch {
            throw corrupt(file, name)
        }
    }

    /// Enters a new sandbox: complete, or not at all. What was known under its name is forgotten.
    func create(_ record: SandboxRecord, _ request: LaunchRequest, _ lock: borrowing NameLock) throws(LaunchError) {
        try translated { () throws(SystemError) in
            let all = try state.open().folder(Registry.folder)
            let temporary = record.launcher.temporary(record.name)
            do throws(SystemError) {
                let folder = try all.folder(temporary)
                try folder.write(File.request, request.text)
                try folder.write(File.state, record.text)
                try Registry.forget(record.name, in: all, by: record.launcher)
                try all.rename(temporary, to: record.name)
            } catch {
                try all.removeFolder(temporary)
                throw error
            }
        }
    }

    func write(_ record: SandboxRecord) throws(LaunchError) {
        try translated { () throws(SystemError) in
            guard let folder = try openFolder(record.name) else {
                throw SystemError("write the state of \(record.name)", code: ENOENT)
            }
            try folder.write(File.state, record.text)
        }
    }

    /// Forgets `name` and all its files; one that is not there is no error.
    func remove(_ lock: borrowing NameLock) throws(LaunchError) {
        try translated { () throws(SystemError) in
            try Registry.forget(lock.name, in: try state.open().folder(Registry.folder), by: .own())
        }
        try EventLog(state).add("removed", lock.name)
    }

    /// Renamed first, so that nobody finds half of it.
    private static func forget(
        _ name: String, in all: borrowing StateFolder, by own: ProcessIdentity
    ) throws(SystemError) {
        let hidden = own.temporary(name) + ".old"
        do throws(SystemError) {
            try all.rename(name, to: hidden)
        } catch {
            if error.code == ENOENT { return }
            throw error
        }
        try all.removeFolder(hidden)
    }

    /// Removes what commands that were killed left half made or half removed.
    /// - Returns: the paths removed.
    func sweepTemporary() throws(LaunchError) -> [String] {
        try translated { () throws(SystemError) in
            guard let all = try state.existing()?.existing(Registry.folder) else { return [] }
            var removed: [String] = []
            for entry in try all.entries() {
                if try isAbandoned(entry) {
                    try all.removeFolder(entry)
                    removed.append("\(all.path)/\(entry)")
                } else if let folder = try all.existing(entry) {
                    for file in try folder.entries() where try isAbandoned(file) {
                        // A view of images, or a file.
                        if FileStatus(path: "\(folder.path)/\(file)", follow: false)?.kind == .directory {
                            try folder.removeFolder(file)
                        } else {
                            try folder.remove(file)
                        }
                        removed.append("\(folder.path)/\(file)")
                    }
                }
            }
            return removed
        }
    }

    private func isAbandoned(_ entry: String) throws(SystemError) -> Bool {
        guard entry.utf8.first == 0x2e, let owner = ProcessIdentity(temporary: entry) else { return false }
        return try !owner.isAlive()
    }
}

extension Optional {
    fileprivate func orThrow<Failure: Error>(_ error: @autoclosure () -> Failure) throws(Failure) -> Wrapped {
        guard let self else { throw error() }
        return self
    }
}

/// Runs `body` and turns a failed system call into a launch's error.
func translated<Result: ~Copyable>(_ body: () throws(SystemError) -> Result) throws(LaunchError) -> Result {
    do throws(SystemError) { return try body() } catch { throw LaunchError(error) }
}

extension Registry {
    /// The merged profile of `name`.
    func profile(of name: String) throws(LaunchError) -> Profile { try profile(try request(name), name) }

    func profile(_ request: LaunchRequest, _ name: String) throws(LaunchError) -> Profile {
        do throws(ProfileError) {
            return try Profile(document: request.profile, name: File.request)
        } catch {
            throw corrupt(File.request, name)
        }
    }
}
