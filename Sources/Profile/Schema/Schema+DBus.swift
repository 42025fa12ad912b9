extension Schema {
    static let dbus: [Key] =
        bus(
            "session", prefix: "",
            "the caller's own bus; without this key it is out of reach of a box with a display, and else nothing is done "
                + "about it")
        + bus(
            "system", prefix: "system-",
            "the machine's bus; without this key it is out of reach where the session's is filtered, and else nothing is "
                + "done about it")

    private static func bus(_ name: String, prefix: String, _ which: String) -> [Key] {
        [
            Key(
                name, .string(.choice(Profile.BusAccess.allCases.map { $0.rawValue })),
                "What the box reaches of D-Bus, \(which): none; filtered, by xdg-dbus-proxy, what the lists name and nothing "
                    + "more; host, nothing is done about it",
                example: "\"filtered\"", basis: "xdg-dbus-proxy(1)"),
            Key(
                prefix + "talk", .vector(.string(.busName)),
                "Names on the \(name) bus that the box calls as it likes; \".*\" at the end means those below, too",
                example: "[\"org.freedesktop.Notifications\"]", fallback: "[]"),
            Key(
                prefix + "own", .vector(.string(.busName)), "Names on the \(name) bus that the box may take for itself",
                example: "[\"org.example.App.*\"]", fallback: "[]"),
            Key(
                prefix + "see", .vector(.string(.busName)),
                "Names on the \(name) bus whose coming and going the box sees, without a call",
                example: "[\"org.freedesktop.secrets\"]", fallback: "[]"),
            Key(
                prefix + "call", .vector(.string(.busRule)),
                "Calls on the \(name) bus, NAME=METHOD@PATH: an interface's method, or *, or INTERFACE.*, and the path of "
                    + "an object, with /* at the end those below, too",
                example: "[\"org.freedesktop.portal.Desktop=org.freedesktop.portal.OpenURI.*@/*\"]", fallback: "[]"),
            Key(
                prefix + "broadcast", .vector(.string(.busRule)),
                "Signals on the \(name) bus that reach the box, NAME=SIGNAL@PATH, written as calls are",
                example: "[\"org.freedesktop.portal.Desktop=*@/org/freedesktop/portal/*\"]", fallback: "[]"),
        ]
    }
}

extension Form {
    /// A well-known name, `.*` at its end aside: two parts or more, none of which begins with a digit.
    static func busNameProblem(_ text: String) -> Problem? {
        let name = text.hasSuffix(".*") ? text.dropLast(2) : text[...]
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let isName = parts.count > 1 && name.utf8.count <= 255 && parts.allSatisfy { isBusWord($0) }
        if isName || (text.hasSuffix(".*") && parts.count == 1 && isBusWord(name)) { return nil }
        return Problem(
            "\(quote(text)) is no name on a bus", mend: "write it like \"org.example.App\", or \"org.example.*\"")
    }

    private static func isBusWord(_ word: Substring) -> Bool {
        guard let first = word.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return word.utf8.allSatisfy { isPlain($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || byte == UInt8(ascii: "_")
    }

    /// `NAME=RULE`, the rule being a method, a path behind `@`, or both.
    static func busRuleProblem(_ text: String) -> Problem? {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if let problem = busNameProblem(String(parts[0])) { return problem }
        let mend = "write it like \"org.example.App=org.example.Interface.Method@/org/example/*\""
        guard parts.count == 2, !parts[1].isEmpty else { return Problem("\(quote(text)) has no rule", mend: mend) }
        let rule = parts[1].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let method = rule[0].hasSuffix(".*") ? rule[0].dropLast(2) : rule[0]
        let words = method.split(separator: ".", omittingEmptySubsequences: false)
        let isMethod = rule[0] == "*" || (rule.count == 2 && rule[0].isEmpty) || words.allSatisfy { isBusWord($0) }
        let isPath = rule.count == 1 || isBusPath(rule[1])
        return isMethod && isPath ? nil : Problem("\(quote(text)) has no rule that can be read", mend: mend)
    }

    private static func isBusPath(_ text: Substring) -> Bool {
        if text == "/" || text == "/*" { return true }
        guard text.hasPrefix("/") else { return false }
        let path = text.hasSuffix("/*") ? text.dropLast(2) : text
        return path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { isPlain($0) }
        }
    }

    static let busNamePattern = "^[A-Za-z_-][A-Za-z0-9_-]*(\\.[A-Za-z_-][A-Za-z0-9_-]*)*(\\.\\*)?$"
    static let busRulePattern = "^[A-Za-z_-][A-Za-z0-9_.*-]*=[^=]+$"
}
