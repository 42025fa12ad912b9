/// A profile that cannot be used: where, which key, what is wrong and how to mend it. One line.
public struct ProfileError: Error, Sendable, Equatable {
    public var place: SourceReference?
    /// The key's path, `section.key`.
    public var key: String?
    public var problem: String
    public var mend: String?

    public init(place: SourceReference? = nil, key: String? = nil, problem: String, mend: String? = nil) {
        self.place = place
        self.key = key
        self.problem = problem
        self.mend = mend
    }

    public var message: String {
        var text = ""
        if let place { text += place.text + ": " }
        if let key { text += key + ": " }
        text += problem
        if let mend { text += "; " + mend }
        return text
    }
}
