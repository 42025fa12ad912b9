import CLinux
import Glibc
public import Kernel
public import Launch
import Profile

/// Named sandboxes, a file each under the state directory, owner-only and written by rename.
public struct Registry: Sendable {
    private let state: StateDirectory
    private static let folder = "sandboxes"

    public init(_ state: StateDirectory) { self.state = state }

    /// The state directory's path.
    var directory: String { state.path }

    /// The registry of the caller's own state directory.
    public static func ofCaller() throws(LaunchError) -> Registry {
        Registry(try translated { () throws(SystemError) in try StateDirectory.ofCaller() })
    }

    /// Whether `name` can be a sandbox's: letters, digits, `.`, `_` and `-`, at most 64, not beginning with `.` or `-`.
    public static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != 0x2e, first != 0x2d, name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x5f, 0x2d: true
            default: false
            }
        }
    }

    /// Enters a running process under `name`; refuses a name that a living sandbox has.
    public func register(_ name: String, pid: Int32) throws(LaunchError) {
        guard Registry.isName(name) else {
            throw LaunchError(
                "\"\(name)\" is no name for a sandbox",
                mend: "use letters, digits, '.', '_' and '-', at most 64, not beginning with '.' or '-'")
        }
        if try find(name) != nil { throw LaunchError("a sandbox named \"\(name)\" is running already") }
        try translated { () throws(SystemError) in
            guard let process = try ProcessIdentity(pid: pid) else {
                throw SystemError("register process \(pid)", code: ESRCH)
            }
            let folder = try state.open(Registry.folder)
            let record = Value.table([
                ("pid", .integer(Int(process.pid))), ("start-time", .integer(Int(process.start))),
            ])
            let temporary = ".\(name).\(getpid())"
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
            let file = Descriptor(
                try check("write the state of \(name)") { linux_openat(folder.number, temporary, flags, 0o600) })
            try writeText(record.compactJSON + "\n", to: file.number, name: "the state of \(name)")
            try check("write the state of \(name)") {
                renameat(folder.number, temporary, folder.number, Registry.file(name))
            }
        }
    }

    /// Forgets `name`; one that is not there is no error.
    public func remove(_ name: String) throws(LaunchError) {
        try translated { () throws(SystemError) in
            let folder = try state.open(Registry.folder)
            if unlinkat(folder.number, Registry.file(name), 0) != 0, errno != ENOENT {
                throw SystemError("forget \(name)", code: errno)
            }
        }
    }

    /// The process of the sandbox `name`, nil when it is not running (any more).
    public func find(_ name: String) throws(LaunchError) -> ProcessIdentity? {
        guard Registry.isName(name), FileStatus(path: state.path) != nil else { return nil }
        return try translated { () throws(SystemError) -> ProcessIdentity? in
            let folder = try state.open(Registry.folder)
            let descriptor = linux_openat(folder.number, Registry.file(name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0)
            if descriptor < 0, errno == ENOENT { return nil }
            let file = Descriptor(try check("read the state of \(name)") { descriptor })
            let text = try readText(file.number, name: "the state of \(name)")
            guard let process = Registry.process(in: text) else {
                throw SystemError(
                    "read the state of \(name)", code: EBADMSG,
                    mend: "remove \(state.path)/\(Registry.folder)/\(Registry.file(name))")
            }
            return try process.isAlive() ? process : nil
        }
    }

    private static func file(_ name: String) -> String { name + ".json" }

    /// The two numbers of a record, in the form in which ``register(_:pid:)`` writes them.
    private static func process(in text: String) -> ProcessIdentity? {
        let numbers = text.split { !$0.isNumber && $0 != "-" }.compactMap { Int64($0) }
        guard text.hasPrefix("{\"pid\":"), numbers.count == 2, let pid = Int32(exactly: numbers[0]), numbers[1] >= 0
        else { return nil }
        return ProcessIdentity(pid: pid, start: UInt64(numbers[1]))
    }
}

/// Runs `body` and turns a failed system call into a launch's error.
func translated<Result>(_ body: () throws(SystemError) -> Result) throws(LaunchError) -> Result {
    do throws(SystemError) { return try body() } catch { throw LaunchError(error) }
}
