extension Schema {
    /// A new profile: every key in a comment, with what it does and what holds without it.
    public static func starterText(name: String) -> String {
        var text = """
            # A profile of sandbox: what one application shall see and may do.
            # Take the "#" from the lines that you need, then try: sandbox profile check \(name)
            # Every key is described in profile(5).

            description = \(Value.string(name).toml)

            # Profiles that this one adds to: lists append, "!x" removes x, other values replace.
            # extends = ["base"]

            """
        for key in root where key.name != "description" && key.name != "extends" {
            // With it the profile would be no application's.
            if key.name == "function" { continue }
            switch key.kind {
            case .section(let keys): section(key, keys(), into: &text)
            case .map: map(key, into: &text)
            default: continue
            }
        }
        return text
    }

    private static func section(_ key: Key, _ keys: [Key], into text: inout String) {
        text += "\n# \(key.summary)\(key.basis.map { ": \($0)" } ?? "").\n[\(key.name)]\n"
        lines(keys, prefix: "", into: &text)
    }

    private static func map(_ key: Key, into text: inout String) {
        text += "\n# \(key.summary)\(key.basis.map { ": \($0)" } ?? "").\n[\(key.name)]\n"
        text += "# nofile = \(key.example)\n"
    }

    private static func lines(_ keys: [Key], prefix: String, into text: inout String) {
        for key in keys {
            switch key.kind {
            case .section(let inner): lines(inner(), prefix: prefix + key.name + ".", into: &text)
            default:
                let fallback = key.fallback.map { " (default: \($0))" } ?? ""
                text += "# \(key.summary)\(fallback)\n# \(prefix)\(key.name) = \(key.example)\n"
            }
        }
    }
}
