import CLinux
import Glibc
public import Kernel
public import Launch
public import Profile

/// Where snapshots are kept: `$SANDBOX_STATE/snapshots`, `/var/lib/sandbox/snapshots` for root.
public struct SnapshotDirectory: Sendable {
    private static let root = "/var/lib/sandbox"
    private static let folder = "snapshots"
    static let manifest = "manifest.toml"
    static let images = "images"
    private let parent: StateDirectory

    /// The snapshots that belong to a state directory.
    public init(of state: StateDirectory) {
        let isMoved = getenv(StateDirectory.variable) != nil
        parent = isMoved || geteuid() != 0 ? state : StateDirectory(path: SnapshotDirectory.root)
    }

    private func open() throws(SystemError) -> StateFolder { try parent.open().folder(SnapshotDirectory.folder) }

    /// Begins a new snapshot under a name that nobody finds.
    public func begin(_ id: String) throws(LaunchError) -> ImageDraft {
        try LaunchError.wrapped { () throws(SystemError) in
            let all = try open()
            if try all.existing(id) != nil {
                throw SystemError("make the snapshot \(id)", code: EEXIST, mend: "name another with --snapshot")
            }
            let hidden = try ProcessIdentity.own().temporary(id)
            try all.removeFolder(hidden)
            let folder = try all.folder(hidden)
            let images = try folder.folder(SnapshotDirectory.images)
            return ImageDraft(id: id, hidden: hidden, all: all, folder: folder, images: images)
        }
    }

    /// Removes what a process that was killed had begun.
    public func discard(_ id: String, of owner: ProcessIdentity) throws(LaunchError) {
        try LaunchError.wrapped { () throws(SystemError) in try open().removeFolder(owner.temporary(id)) }
    }

    /// A complete snapshot.
    public func find(_ id: String) throws(LaunchError) -> ImageFolder {
        if id.hasPrefix(".") || id.contains("/") { throw LaunchError("\"\(id)\" is no name for a snapshot") }
        let found = try LaunchError.wrapped { () throws(SystemError) in try open().existing(id) }
        guard let folder = consume found else { throw LaunchError("no snapshot \"\(id)\"") }
        let text = try LaunchError.wrapped { () throws(SystemError) in try folder.read(SnapshotDirectory.manifest) }
        guard let text else { throw LaunchError("\(folder.path) has no manifest") }
        do throws(ProfileError) {
            let manifest = try TOMLDocument(file: SnapshotDirectory.manifest, text: text).value
            return ImageFolder(id: id, folder: folder, manifest: manifest)
        } catch {
            throw LaunchError("\(folder.path)/\(SnapshotDirectory.manifest) is damaged")
        }
    }
}

/// A snapshot that is being made.
public struct ImageDraft: ~Copyable {
    public let id: String
    private let hidden: String
    private let all: StateFolder
    public let folder: StateFolder
    public let images: StateFolder

    fileprivate init(
        id: String, hidden: String, all: consuming StateFolder, folder: consuming StateFolder,
        images: consuming StateFolder
    ) {
        (self.id, self.hidden) = (id, hidden)
        self.all = all
        self.folder = folder
        self.images = images
    }

    /// The draft's path, for who removes it in place of this process.
    public var path: String { folder.path }

    /// Makes it a snapshot.
    public func commit(_ manifest: Value) throws(LaunchError) {
        guard case .table(let fields) = manifest else { throw LaunchError("a manifest is a table") }
        var lines = ""
        for (key, value) in fields { lines += "\(key) = \(value.toml)\n" }
        try LaunchError.wrapped { () throws(SystemError) in
            try folder.write(SnapshotDirectory.manifest, lines)
            try all.rename(hidden, to: id)
        }
    }

    /// Leaves nothing of it.
    public func discard() throws(LaunchError) {
        try LaunchError.wrapped { () throws(SystemError) in try all.removeFolder(hidden) }
    }
}

/// A snapshot as it lies on disk.
public struct ImageFolder: ~Copyable {
    public let id: String
    public let folder: StateFolder
    public let manifest: Value

    fileprivate init(id: String, folder: consuming StateFolder, manifest: Value) {
        self.id = id
        self.folder = folder
        self.manifest = manifest
    }

    /// Its images; only the caller may have written there.
    public func images() throws(LaunchError) -> StateFolder {
        let images = try LaunchError.wrapped { () throws(SystemError) in
            try folder.existing(SnapshotDirectory.images)
        }
        guard let images = consume images else { throw LaunchError("the snapshot \"\(id)\" has no images") }
        return images
    }
}

extension LaunchError {
    static func wrapped<Result: ~Copyable>(
        _ body: () throws(SystemError) -> Result
    ) throws(LaunchError) -> Result {
        do throws(SystemError) { return try body() } catch { throw LaunchError(error) }
    }
}
