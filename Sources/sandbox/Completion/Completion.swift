/// What a shell offers for a value. Those that depend on this machine are asked of `sandbox complete KIND WORD`.
enum Completion: String, Sendable, CaseIterable {
    case none, files, directories
    case profiles, namespaces, joins, areas, overlays, users, groups, environment, capabilities, keys, shells

    /// Whether the shell must ask the executable.
    var isAsked: Bool {
        switch self {
        case .none, .files, .directories: false
        default: true
        }
    }
}
