/// What a shell offers for a value. The others are asked of `sandbox complete KIND WORD`.
enum Completion: String, Sendable, CaseIterable {
    case none, files, directories
    /// `FROM:TO`, both of them paths.
    case places
    case profiles, namespaces, joins, areas, overlays, users, groups, environment, capabilities, keys, shells
    case sandboxes, snapshots, signals, switches, attachments, functions
    /// Keys of the profile language that a running sandbox can change.
    case resources
}
