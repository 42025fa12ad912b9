import CLinux
import Glibc
import Kernel

/// The caller's snapshots: `$SANDBOX_STATE/snapshots`, `/var/lib/sandbox/snapshots` for root, or
/// `$XDG_STATE_HOME/sandbox/snapshots` (`~/.local/state/…`). Each is a directory of the caller's own:
/// `manifest.json`, `manifest.sha256`, and what the manifest lists, CRIU's images under `images/`.
public struct SnapshotStore: Sendable, Equatable {
    /// Its absolute path.
    public let path: String

    static let manifest = "manifest.json"
    /// The digest of the manifest's bytes.
    static let seal = "manifest.sha256"
    /// The directory of CRIU's images within a snapshot.
    public static let images = "images"
    /// The directory of the lines that the digests of large files of memory are of, by the names of those.
    static let blocks = "blocks"

    public init(path: String) { self.path = path }

    /// The caller's own store, which need not exist.
    public static func ofCaller() throws(SnapshotError) -> SnapshotStore {
        if let path = variable(StateDirectory.variable) { return SnapshotStore(path: path + "/snapshots") }
        if geteuid() == 0 { return SnapshotStore(path: "/var/lib/sandbox/snapshots") }
        if let path = variable("XDG_STATE_HOME") { return SnapshotStore(path: path + "/sandbox/snapshots") }
        if let home = variable("HOME") { return SnapshotStore(path: home + "/.local/state/sandbox/snapshots") }
        throw SnapshotError(
            "there is no place for snapshots", mend: "set HOME, XDG_STATE_HOME or SANDBOX_STATE to a directory of yours"
        )
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.hasPrefix("/") ? text : nil
    }

    /// Whether a text can name a snapshot: letters, digits, `.`, `_` and `-`, at most 96, not beginning with `.` or `-`.
    public static func isID(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != 0x2e, first != 0x2d, text.utf8.count <= 96 else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x5f, 0x2d: true
            default: false
            }
        }
    }

    static func check(_ id: String) throws(SnapshotError) {
        if isID(id) { return }
        let shown = id.utf8.count > 100 ? String(id.prefix(60)) + "…" : id
        throw SnapshotError(
            "\"\(shown)\" is no name for a snapshot",
            mend: "use letters, digits, '.', '_' and '-', at most 96, not beginning with '.' or '-'")
    }

    /// A free name for a snapshot of `sandbox`: its name and the time in UTC, `web-20260131T120000.123`.
    /// - Parameter now: milliseconds since the epoch.
    public func newID(for sandbox: String, now: Int) -> String {
        var seconds = now / 1000
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        let day =
            digits(Int(parts.tm_year) + 1900, 4) + digits(Int(parts.tm_mon) + 1, 2) + digits(Int(parts.tm_mday), 2)
        let time = digits(Int(parts.tm_hour), 2) + digits(Int(parts.tm_min), 2) + digits(Int(parts.tm_sec), 2)
        let base = "\(sandbox)-\(day)T\(time).\(digits(now % 1000, 3))"
        var (id, next) = (base, 2)
        while FileStatus(path: "\(path)/\(id)", follow: false) != nil {
            id = "\(base)-\(next)"
            next += 1
        }
        return id
    }

    static func unknown(_ id: String) -> SnapshotError {
        SnapshotError("no snapshot \"\(id)\"", mend: "'sandbox snapshot list' lists them")
    }

    /// The ids of all complete snapshots, sorted.
    public func ids() throws(SnapshotError) -> [String] {
        try attributed { () throws(SystemError) in
            guard FileStatus(path: path) != nil else { return [] }
            return try StateFolder(existing: path).entries().filter { SnapshotStore.isID($0) }
        }
    }

    /// The store's directory, made when it is missing.
    func open() throws(SystemError) -> StateFolder {
        try makeParents()
        return try StateDirectory(path: path).open()
    }

    private func makeParents() throws(SystemError) {
        var parent = ""
        for part in path.split(separator: "/").dropLast() {
            parent += "/" + part
            if mkdir(parent, 0o700) != 0, errno != EEXIST { throw SystemError("make \(parent)", code: errno) }
        }
    }

    /// Removes a snapshot with all its files.
    public func delete(_ id: String) throws(SnapshotError) {
        try SnapshotStore.check(id)
        guard FileStatus(path: "\(path)/\(id)", follow: false) != nil else { throw SnapshotStore.unknown(id) }
        try attributed { () throws(SystemError) in
            let folder = try open()
            // Renamed first, so that nobody finds half of it.
            let hidden = try ProcessIdentity.own().temporary(id) + ".old"
            try folder.rename(id, to: hidden)
            try folder.removeFolder(hidden)
        }
    }

    /// Removes what commands that were killed left half made or half removed.
    /// - Returns: the paths removed.
    public func sweep() throws(SnapshotError) -> [String] {
        guard FileStatus(path: path) != nil else { return [] }
        return try attributed { () throws(SystemError) in
            let folder = try StateFolder(existing: path)
            var removed: [String] = []
            for entry in try folder.entries() {
                guard entry.hasPrefix("."), let owner = ProcessIdentity(temporary: entry), try !owner.isAlive() else {
                    continue
                }
                try folder.removeFolder(entry)
                removed.append("\(path)/\(entry)")
            }
            return removed
        }
    }
}
