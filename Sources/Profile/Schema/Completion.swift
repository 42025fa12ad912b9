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
        case .section, .map(.oneOf, _): return false
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
        case .string(let form), .oneOrMore(let form): form.words
        default: []
        }
    }
}

extension Form {
    /// The texts that it takes, when they are words or some of them are.
    var words: [String] {
        switch self {
        case .oneOf(let words): words()
        case .address(let words), .addressOr(let words), .mac(let words): words
        case .pathOr(let word): [word]
        case .capability: ["ALL"] + Names.capabilities
        case .architecture: Names.architectures
        case .restart: Form.restartWords
        case .signal: Names.signals
        default: []
        }
    }
}
