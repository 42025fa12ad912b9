extension Schema {
    static let lifecycle: [Key] = [
        Key(
            "restart", .string(.restart),
            "Whether a detached box begins again when its command has ended: no; on-failure, after a signal or a "
                + "status other than 0; on-failure:N, so often in a row at most; always; from-snapshot, after a failure from "
                + "its newest snapshot on",
            example: "\"on-failure:5\"", fallback: "no"),
        Key(
            "restart-delay", .duration(1...day),
            "Time before the first new start; doubled for each further one, up to a minute, and taken back to this "
                + "once the command has lasted ten seconds",
            example: "\"100ms\"", fallback: "\"100ms\""),
        Key(
            "stop-signal", .string(.signal), "Asks the command to end: a name, with or without SIG",
            example: "\"TERM\"", fallback: "TERM", basis: "signal(7)"),
        Key(
            "stop-timeout", .duration(0...day), "Time from the stop signal to SIGKILL", example: "\"10s\"",
            fallback: "\"10s\""),
        Key(
            "record-exit", .boolean,
            "Whether a small process stays with a detached box that needs none otherwise, to record how it ended",
            example: "true", fallback: "true"),
        Key(
            "log-size", .size(minimum: 4096),
            "Most bytes of a detached box's output that are kept, the newest; with it our process copies what the "
                + "command would write to the file itself",
            example: "\"1M\"", fallback: "all"),
    ]

    /// In milliseconds.
    private static let day = 24 * 3_600_000
}

extension Profile.Restart {
    /// Reads `no`, `on-failure`, `on-failure:N` or `always`.
    init?(text: String) {
        switch text {
        case "no": self = .no
        case "on-failure": self = .onFailure(limit: nil)
        case "always": self = .always
        case "from-snapshot": self = .fromSnapshot
        default:
            let prefix = "on-failure:"
            guard text.hasPrefix(prefix), let count = Quantity.plain(text.dropFirst(prefix.utf8.count)),
                count >= 1, count <= UInt64(Int32.max)
            else { return nil }
            self = .onFailure(limit: Int(count))
        }
    }

    /// As the profile language writes it.
    public var text: String {
        switch self {
        case .no: "no"
        case .onFailure(limit: nil): "on-failure"
        case .onFailure(limit: let count?): "on-failure:\(count)"
        case .always: "always"
        case .fromSnapshot: "from-snapshot"
        }
    }
}

extension Form {
    static let restartWords = ["no", "on-failure", "always", "from-snapshot"]

    static func restartProblem(_ text: String) -> Problem? {
        if Profile.Restart(text: text) != nil { return nil }
        if text.hasPrefix("on-failure:") {
            return Problem("\(quote(text)) counts no starts", mend: "write it like \"on-failure:5\", from 1 on")
        }
        return unknown("value", text, among: restartWords)
    }

    static func signalProblem(_ text: String) -> Problem? {
        let name = Names.signal(text)
        if let base = ["RTMIN+", "RTMAX-"].first(where: name.hasPrefix) {
            let offset = Quantity.plain(name.dropFirst(base.utf8.count))
            if let offset, offset <= Names.realtimeOffset { return nil }
            return Problem(
                "\(quote(text)) is no real-time signal", mend: "use \(base)0 to \(base)\(Names.realtimeOffset)")
        }
        return unknown("signal", name, among: Names.signals, shown: text)
    }
}
