import Profile

/// How the options with a syntax of their own become keys of the profile language.
extension Override {
    /// `KEY=VALUE`, or `KEY+=VALUE` to add to a list; the value as TOML writes it, or plain text.
    static func assignment(_ text: String) throws(UsageError) -> Override {
        guard let (key, _) = text.split(at: "="), !key.isEmpty else {
            throw UsageError("--set '\(text)' is not KEY=VALUE, as in --set resources.memory=512M")
        }
        do throws(ProfileError) {
            return try Override(parsing: text)
        } catch {
            throw UsageError("--set '\(text)': \(error.message)")
        }
    }

    /// Words are added to a list; `!x` takes x away.
    static func words(_ key: String, _ words: [String]) -> [Override] {
        let removed = words.filter { $0.utf8.first == UInt8(ascii: "!") }
        let added = words.filter { $0.utf8.first != UInt8(ascii: "!") }
        var overrides: [Override] = []
        if !added.isEmpty { overrides.append(.exactly(key, .strings(added), operation: .append)) }
        if !removed.isEmpty { overrides.append(.exactly(key, .strings(removed))) }
        return overrides
    }

    /// Comma-separated kinds of namespaces, `!kind` to take one away, `all` or `none` to begin with.
    static func unshare(_ text: String) throws(UsageError) -> [Override] {
        let key = "namespaces.unshare"
        var overrides: [Override] = []
        var kinds: [String] = []
        for word in words(text) {
            switch word {
            case "all": overrides.append(.exactly(key, .strings(NamespaceKind.allCases.map(\.rawValue))))
            case "none": overrides.append(.exactly(key, .array([])))
            default:
                let isRemoval = word.utf8.first == UInt8(ascii: "!")
                let kind = try namespace(isRemoval ? String(word.dropFirst()) : word, option: "--unshare")
                kinds.append((isRemoval ? "!" : "") + kind.rawValue)
            }
        }
        return overrides + words(key, kinds)
    }

    /// The words between commas, empty ones too.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var rest = Substring(text)
        while let comma = rest.utf8.firstIndex(of: UInt8(ascii: ",")) {
            words.append(String(rest[..<comma]))
            rest = rest[rest.utf8.index(after: comma)...]
        }
        words.append(String(rest))
        return words
    }

    /// `NS=WHERE`.
    static func join(_ text: String) throws(UsageError) -> Override {
        guard let (kind, place) = text.split(at: "="), !place.isEmpty else {
            throw UsageError("--join '\(text)' is not NS=WHERE, as in --join net=/run/netns/blue")
        }
        let name = try namespace(kind, option: "--join").rawValue
        return .exactly("namespaces.join", .table([(name, .string(place))]))
    }

    /// `FROM[:TO[:OPTIONS]]`; a backslash takes a colon's meaning away.
    static func bind(_ text: String, directory: () -> String) throws(UsageError) -> Override {
        let parts = fields(text)
        guard parts.count <= 3, let source = parts.first, !source.isEmpty else {
            throw UsageError("--bind '\(text)' is not FROM[:TO[:OPTIONS]]")
        }
        let from = absolute(source, directory)
        let to = parts.count > 1 ? parts[1] : from
        guard ["/", "~", "$"].contains(to.first) else {
            throw UsageError("--bind '\(text)': the target '\(to)' is not an absolute path; write FROM:TO:OPTIONS")
        }
        var entry: [(key: String, value: Value)] = [("from", .string(from)), ("to", .string(to))]
        if parts.count > 2 {
            let options = parts[2].split(separator: ",").map { String($0) }
            entry.append(("options", .strings(options)))
        }
        return .exactly("filesystem.bind", .array([.table(entry)]), operation: .append)
    }

    /// `PATH[:size=SIZE,mode=MODE,OPTION…]`.
    static func tmpfs(_ text: String) throws(UsageError) -> Override {
        let parts = fields(text)
        guard parts.count <= 2, let path = parts.first, ["/", "~", "$"].contains(path.first) else {
            throw UsageError("--tmpfs '\(text)' is not an absolute PATH[:OPTIONS]")
        }
        var entry: [(key: String, value: Value)] = [("path", .string(path))]
        var options: [String] = []
        for option in parts.count > 1 ? parts[1].split(separator: ",") : [] {
            switch String(option).split(at: "=") {
            case ("size", let value)?: entry.append(("size", .string(value)))
            case ("mode", let value)?: entry.append(("mode", .string(value)))
            default: options.append(String(option))
            }
        }
        if !options.isEmpty { entry.append(("options", .strings(options))) }
        return .exactly("filesystem.tmpfs", .array([.table(entry)]), operation: .append)
    }

    /// `NAME=VALUE`, or `NAME` to keep the caller's value.
    static func environment(_ text: String) throws(UsageError) -> Override {
        guard let (name, value) = text.split(at: "=") else {
            if text.isEmpty { throw UsageError("--env has an empty name") }
            return .exactly("process.environment.keep", .strings([text]), operation: .append)
        }
        if name.isEmpty { throw UsageError("--env '\(text)' has an empty name") }
        return .exactly("process.environment.set", .table([(name, .string(value))]))
    }

    private static func namespace(_ word: String, option: String) throws(UsageError) -> NamespaceKind {
        if let kind = NamespaceKind(rawValue: word == "mnt" ? "mount" : word) { return kind }
        let known = NamespaceKind.allCases.map(\.rawValue)
        let near = nearest(word, in: known).map { "; did you mean '\($0)'?" } ?? ""
        throw UsageError("\(option): unknown namespace '\(word)' (known: \(known.joined(separator: ", ")))\(near)")
    }
}

/// The parts of `text` between colons; `\:` is a colon and `\\` a backslash.
private func fields(_ text: String) -> [String] {
    var parts = [""]
    var isEscaped = false
    for character in text {
        if isEscaped {
            if character != ":" && character != "\\" { parts[parts.count - 1].append("\\") }
            parts[parts.count - 1].append(character)
            isEscaped = false
        } else if character == "\\" {
            isEscaped = true
        } else if character == ":" {
            parts.append("")
        } else {
            parts[parts.count - 1].append(character)
        }
    }
    if isEscaped { parts[parts.count - 1].append("\\") }
    return parts
}

extension String {
    /// What stands before and after the first `separator`.
    func split(at separator: Character) -> (String, String)? {
        guard let index = firstIndex(of: separator) else { return nil }
        return (String(self[..<index]), String(self[self.index(after: index)...]))
    }
}
