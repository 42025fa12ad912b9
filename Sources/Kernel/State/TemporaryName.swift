extension ProcessIdentity {
    /// What the process calls its work on `name`, so that what it leaves when it is killed can be told from work in
    /// progress.
    public func temporary(_ name: String) -> String { ".\(name).\(pid).\(start)" }

    /// The process in such a name.
    public init?(temporary entry: String) {
        var parts = entry.split(separator: ".")
        if parts.last == "old" { parts.removeLast() }
        guard parts.count >= 3, let pid = Int32(parts[parts.count - 2]), let start = UInt64(parts[parts.count - 1])
        else { return nil }
        self.init(pid: pid, start: start)
    }
}
