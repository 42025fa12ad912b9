/// Profiles along a search path. Files are read through the closures given: the module makes no system calls.
public struct ProfileStore: Sendable {
    /// A file's bytes; nil when there is no such file. Reading may stop beyond `TOMLDocument.sizeLimit`.
    public typealias Read = @Sendable (_ path: String) throws(ProfileError) -> [UInt8]?
    /// The names in a directory; none when there is no such directory.
    public typealias List = @Sendable (_ directory: String) throws(ProfileError) -> [String]

    /// How deep `extends` may go.
    static let depthLimit = 16

    /// Searched in this order.
    public let directories: [String]
    /// Searched after them for a file that is named, not listed.
    let further: [String]
    let read: Read
    let entries: List

    public init(directories: [String], read: @escaping Read, list: @escaping List) {
        self.init(directories: directories, further: [], read: read, list: list)
    }

    init(directories: [String], further: [String], read: @escaping Read, list: @escaping List) {
        self.directories = directories
        self.further = further
        self.read = read
        entries = list
    }

    /// Reads, merges and checks profiles, given by name or path (which has a `/` or ends with `.toml`), left to right;
    /// `overrides` come last. Stops at the first thing that is wrong.
    ///
    /// `contradictions` that only the whole has are left to the caller when false, as listings do.
    public func load(
        _ names: [String], overrides: [Override] = [], contradictions: Bool = true
    ) throws(ProfileError) -> LoadedProfile {
        let layers = try layers(names, overrides)
        for layer in layers {
            if let first = Validation(layer).findings.first { throw first.error }
        }
        let loaded = try LoadedProfile(layers)
        if contradictions, let first = loaded.contradictions().first { throw first.error }
        return loaded
    }

    /// Whether a profile is given by its file's path.
    public static func isPath(_ name: String) -> Bool {
        name.utf8.contains(UInt8(ascii: "/")) || name.hasSuffix(".toml")
    }

    /// Whether it can be a profile's or a sandbox's name: letters, digits, `.`, `_`, `-`, not beginning with `.` or `-`.
    public static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "."), first != UInt8(ascii: "-") else { return false }
        return text.utf8.count <= 128 && text.utf8.allSatisfy { DocumentPath.isBare($0) || $0 == UInt8(ascii: ".") }
    }

    static func join(_ directory: String, _ name: String) -> String {
        directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }
}
