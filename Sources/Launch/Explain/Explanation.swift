public import Profile

/// One thing that a box can see or do, or that is kept from it, in plain words.
public struct Statement: Sendable, Equatable {
    /// What a hostile application could make of it.
    public enum Risk: String, Sendable, CaseIterable, Comparable {
        /// Kept from the box.
        case confined
        /// It learns something, or may be a nuisance.
        case low
        /// It reaches data or programs of the caller, or more of the kernel than it needs.
        case medium
        /// It may act outside of the box with the caller's rights.
        case high

        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .confined: 0
            case .low: 1
            case .medium: 2
            case .high: 3
            }
        }
    }

    public var risk: Risk
    /// `files`, `network`, `processes`, …: stable words.
    public var subject: String
    public var text: String
    /// The key or option that closes it.
    public var mend: String?

    public init(_ risk: Risk, _ subject: String, _ text: String, mend: String? = nil) {
        self.risk = risk
        self.subject = subject
        self.text = text
        self.mend = mend
    }
}

/// Says what a box with this profile can see and do, the riskiest first.
///
/// `isRoot` is whether the caller's effective uid is 0. The answer rests on the profile alone: what the kernel would
/// refuse is `sandbox doctor`'s to say.
public func explain(_ profile: Profile, isRoot: Bool) -> [Statement] {
    let box = Explanation(profile: profile.forCheckpoints, isRoot: isRoot)
    let statements =
        box.identity + box.capabilities + box.files + box.sockets + box.processes + box.network + box.terminal
        + box.display + box.buses + box.kernel + box.resources + box.environment + box.names
        + box.saving
    let ranked = statements.enumerated().sorted { left, right in
        left.element.risk == right.element.risk
            ? left.offset < right.offset : left.element.risk > right.element.risk
    }
    return ranked.map(\.element)
}

/// The profile with the questions that several statements ask of it.
struct Explanation {
    var profile: Profile
    var isRoot: Bool

    /// Without root any new namespace brings a user namespace with it.
    func isIsolated(_ kind: NamespaceKind) -> Bool {
        let unshare = profile.namespaces.unshare
        if unshare.contains(kind) || profile.namespaces.join[kind] != nil { return true }
        return kind == .user && !isRoot && !unshare.isEmpty
    }

    /// Whether the box's `/` is the host's own tree.
    var showsHostTree: Bool { profile.filesystem.root == nil || profile.filesystem.root == "/" }

    /// Whether root in the box is root on the host.
    var isHostRoot: Bool {
        guard isRoot, !isIsolated(.user) else { return false }
        return profile.process.user.map { $0 == "root" || $0 == "0" } ?? true
    }

    /// Whether `path` is covered by an entry of `hide` for it or for a directory above it.
    func isHidden(_ path: String) -> Bool {
        profile.filesystem.hide.contains { $0 == path || path.hasPrefix($0 == "/" ? "/" : $0 + "/") }
    }
}
