public import Profile

/// What keeps a box from being saved.
public struct Blocker: Sendable, Equatable {
    /// The process; `nil` for what concerns the whole sandbox.
    public var pid: Int32?
    public var descriptor: Int32?
    /// What it is: a path, or a kind.
    public var subject: String
    /// Why it is in the way.
    public var reason: String
    /// What to do about it.
    public var mend: String

    init(_ subject: String, _ reason: String, mend: String, pid: Int32? = nil, descriptor: Int32? = nil) {
        (self.subject, self.reason, self.mend) = (subject, reason, mend)
        (self.pid, self.descriptor) = (pid, descriptor)
    }

    /// One line without the mend: who, what and why.
    public var message: String {
        var place = pid.map { "process \($0), " } ?? ""
        if let descriptor { place += "descriptor \(descriptor), " }
        return "\(place)\(subject): \(reason)"
    }

    /// For --json.
    public var value: Value {
        .table([
            ("pid", pid.map { .integer(Int($0)) } ?? .null),
            ("descriptor", descriptor.map { .integer(Int($0)) } ?? .null),
            ("subject", .string(subject)), ("reason", .string(reason)), ("mend", .string(mend)),
        ])
    }
}
