/// What a key takes.
public enum Kind: Sendable {
    case string(Form)
    case boolean
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    /// Bytes: an integer, or text with a unit such as "512M".
    case size(minimum: Int)
    /// Milliseconds: a bare number is seconds, text has a unit such as "100ms".
    case duration(ClosedRange<Int>)
    /// A setrlimit(2) pair: a size, "unlimited", "SOFT:HARD" or a table of both.
    case limit
    /// A user or group: a name or a number.
    case account
    /// What meets a denied system call.
    case action
    /// 64 bits: an integer, or text such as "0xffffffff00000000".
    case word
    /// A list that layers add to; `"!x"` takes `x` out.
    indirect case list(Kind)
    /// A list that a later layer replaces as a whole.
    indirect case vector(Kind)
    /// The same, or one text alone.
    case oneOrMore(Form)
    /// Namespaces: "all", "none", or a list as `list`.
    case namespaces
    /// How ids map: "self", "auto", or a list of triples.
    case idMapping
    /// A list of tables that layers add to; an item is known by its identity, the first of these keys that it has.
    indirect case tables(@Sendable () -> [Key], identity: [String])
    /// A table. A launch reads few of them, so that each makes its keys when it is first asked for them.
    case section(@Sendable () -> [Key])
    /// A table whose keys the user chooses.
    indirect case map(Form, Kind)
}

extension Kind {
    static func table(_ keys: @escaping @autoclosure @Sendable () -> [Key]) -> Kind { .section(keys) }

    static func records(_ keys: @escaping @autoclosure @Sendable () -> [Key], identity: [String]) -> Kind {
        .tables(keys, identity: identity)
    }
}

/// One key of the profile language.
public struct Key: Sendable {
    public let name: String
    public let kind: Kind
    /// One line for manuals and editors.
    public let summary: String
    /// What holds when the key is absent, in words or as a value.
    public let fallback: String?
    /// A value as TOML writes it, for the starter.
    public let example: String
    /// The manual page or document that the key rests on.
    public let basis: String?
    /// Whether a table or record must have it.
    public let isRequired: Bool

    init(
        _ name: String, _ kind: Kind, _ summary: String, example: String = "", fallback: String? = nil,
        basis: String? = nil, required: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.summary = summary
        self.example = example
        self.fallback = fallback
        self.basis = basis
        isRequired = required
    }
}
