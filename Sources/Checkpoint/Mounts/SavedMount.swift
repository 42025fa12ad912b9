public import Kernel
public import Profile

/// A mount of a box, by what must be the same after a restore.
public struct SavedMount: Sendable, Equatable {
    /// Where it is in the box.
    public var path: String
    /// The filesystem's type.
    public var type: String
    public var attributes: MountAttributes

    public init(path: String, type: String, attributes: MountAttributes) {
        (self.path, self.type, self.attributes) = (path, type, attributes)
    }

    init(_ entry: MountEntry) {
        self.init(path: entry.path, type: entry.type, attributes: SavedMount.attributes(entry.options))
    }

    private static let words: [(String, MountAttributes)] = [
        ("ro", .readOnly), ("nosuid", .nosuid), ("nodev", .nodev), ("noexec", .noexec), ("nosymfollow", .nosymfollow),
    ]

    private static func attributes(_ options: [String]) -> MountAttributes {
        var attributes: MountAttributes = []
        for (word, attribute) in words where options.contains(word) { attributes.insert(attribute) }
        return attributes
    }

    /// What a person calls them: `ro,nosuid`.
    var words: String {
        let words = SavedMount.words.filter { attributes.contains($0.1) }.map(\.0)
        return words.isEmpty ? "rw" : words.joined(separator: ",")
    }

    /// As a snapshot has it.
    public var value: Value { .array([.string(path), .string(type), .integer(Int(attributes.rawValue))]) }

    /// The opposite of ``value``; `nil` for what we did not write.
    public init?(_ value: Value) {
        guard case .array(let parts) = value, parts.count == 3, case .string(let path) = parts[0],
            case .string(let type) = parts[1], case .integer(let bits) = parts[2], let bits = UInt64(exactly: bits)
        else { return nil }
        self.init(path: path, type: type, attributes: MountAttributes(rawValue: bits))
    }
}

/// A mount that the box's mount namespace alone has, or that CRIU could not make anew: we do.
public struct ForeignMount: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// One file of a filesystem that is mounted nowhere.
        case file
        /// A layer of the box's overlay.
        case layer
        /// An empty directory that nobody may enter, with which something is hidden. CRIU would start programs to pack
        /// nothing, while the box stands still.
        case empty
    }
    public var path: String
    public var kind: Kind
    /// CRIU's name for it.
    public var key: String
    /// Of a file.
    public var mode: UInt32 = 0
    public var owner: UInt32 = 0
    public var group: UInt32 = 0

    public init(_ path: String, _ kind: Kind, key: String) { (self.path, self.kind, self.key) = (path, kind, key) }

    /// As a snapshot has it.
    public var value: Value {
        .array([
            .string(path), .string(kind.rawValue), .string(key), .integer(Int(mode)), .integer(Int(owner)),
            .integer(Int(group)),
        ])
    }

    /// The opposite of ``value``; `nil` for what we did not write.
    public init?(_ value: Value) {
        guard case .array(let parts) = value, parts.count == 6, case .string(let path) = parts[0],
            case .string(let word) = parts[1], let kind = Kind(rawValue: word), case .string(let key) = parts[2],
            case .integer(let mode) = parts[3], case .integer(let owner) = parts[4],
            case .integer(let group) = parts[5], let mode = UInt32(exactly: mode),
            let owner = UInt32(exactly: owner), let group = UInt32(exactly: group)
        else { return nil }
        self.init(path, kind, key: key)
        (self.mode, self.owner, self.group) = (mode, owner, group)
    }
}
