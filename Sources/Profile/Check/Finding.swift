/// One thing that is wrong with a profile, or of no effect.
public struct Finding: Sendable, Equatable {
    public enum Severity: String, Sendable { case error, warning }
    public var severity: Severity
    public var place: SourceReference?
    /// The key's path, `section.key`.
    public var key: String?
    public var text: String
    public var mend: String?

    public init(
        _ severity: Severity, place: SourceReference? = nil, key: String? = nil, text: String, mend: String? = nil
    ) {
        self.severity = severity
        self.place = place
        self.key = key
        self.text = text
        self.mend = mend
    }

    init(_ error: ProfileError) {
        self.init(.error, place: error.place, key: error.key, text: error.problem, mend: error.mend)
    }

    /// The finding as what a launch stops with.
    public var error: ProfileError { ProfileError(place: place, key: key, problem: text, mend: mend) }

    /// One line: place, key, text and mend; a warning says that it is one.
    public var message: String {
        guard severity == .warning else { return error.message }
        return (place.map { $0.text + ": " } ?? "") + "warning: "
            + ProfileError(key: key, problem: text, mend: mend).message
    }
}
