extension Schema {
    /// What can follow on the command line after `--set PREFIX`: keys with `=`, then the values of a key that has few.
    public static func completions(of prefix: String) -> [String] {
        guard let sign = prefix.firstIndex(of: "=") else {
            var keys: [String] = []
            for path in paths where isSettable(path) && path.text.hasPrefix(prefix) { keys.append(path.text + "=") }
            return keys
        }
        var name = prefix[..<sign]
        if name.hasSuffix("+") { name = name.dropLast() }
        let typed = prefix[prefix.index(after: sign)...]
        guard let path = DocumentPath(parsing: String(name)), let kind = kind(at: path) else { return [] }
        var values: [String] = []
        for word in kind.words where word.hasPrefix(typed) { values.append(String(prefix[...sign]) + word) }
        return values
    }

    private static func isSettable(_ path: DocumentPath) -> Bool {
        if path.keys == ["extends"] { return false }
        switch kind(at: path) {
        case .table, .map(.choice, _): return false
        default: return true
        }
    }
}

extension Kind {
    /// The values that a key takes, when they are words.
    var words: [String] {
        switch self {
        case .boolean: ["true", "false"]
        case .namespaces: ["all", "none"] + Schema.kindNames
        case .idMapping: ["self", "auto"]
        case .action: Names.actions + Names.errnos
        case .limit: ["unlimited"]
        case .list(let element), .vector(let element): element.words
        case .string(.choice(let words)), .string(.choiceSoFar(let words, _)): words
        case .string(.pathOr(let word)): [word]
        case .string(.capability): ["ALL"] + Names.capabilities
        case .string(.architecture): Names.architectures
        case .string(.restart): Form.restartWords
        case .string(.signal): Names.signals
        default: []
        }
    }
}
