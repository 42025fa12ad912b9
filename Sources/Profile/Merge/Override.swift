/// One `--set`: the last layer, over every file.
public struct Override: Sendable, Equatable {
    public enum Operation: Sendable {
        /// `key=value`: a scalar is replaced, a table merged, a list replaced (or thinned by `"!x"`).
        case assign
        /// `key+=value`: added to a list.
        case append
    }
    /// `section.key`.
    public var key: String
    public var operation: Operation
    public var value: Value
    /// The value as typed: a key that takes text gets it, though TOML would read a number.
    private var words: String?
    /// Whether the value is such as the key takes.
    private var isExact = false

    /// - Parameter value: one item will do for a list, and text for what is written as text.
    public init(_ key: String, _ value: Value, operation: Operation = .assign) {
        self.key = key
        self.operation = operation
        self.value = value
    }

    /// How sure one is of a value is no part of it.
    public static func == (one: Override, other: Override) -> Bool {
        one.key == other.key && one.operation == other.operation && one.value == other.value && one.words == other.words
    }

    /// A value such as the key takes, and `.append` for lists alone: nothing about the key is looked up.
    public static func exactly(_ key: String, _ value: Value, operation: Operation = .assign) -> Override {
        var override = Override(key, value, operation: operation)
        override.isExact = true
        return override
    }

    /// Reads `section.key=value` or `section.key+=value`. The value is TOML, or else plain text.
    public init(parsing text: String) throws(ProfileError) {
        guard let sign = text.firstIndex(of: "=") else {
            throw ProfileError(
                place: Layer.commandLine, problem: "\(Form.quote(text)) sets nothing", mend: "write section.key=value")
        }
        var name = text[..<sign]
        operation = name.hasSuffix("+") ? .append : .assign
        if operation == .append { name = name.dropLast() }
        key = Override.trim(name)
        let words = Override.trim(text[text.index(after: sign)...])
        self.words = words
        value = try Override.value(words, key: key)
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text = text.dropFirst() }
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }

    /// Text that begins as a TOML list, table or string must be one; other text may be a word.
    private static func value(_ words: String, key: String) throws(ProfileError) -> Value {
        if isWord(words) { return .string(words) }
        let isOpen = words.hasPrefix("[") || words.hasPrefix("{") || words.hasPrefix("\"") || words.hasPrefix("'")
        do {
            let document = try TOMLDocument(file: Layer.commandLine.file, text: "value = " + words)
            // A newline in the text would let it hold more than one value.
            if case .table(let entries) = document.value, entries.count == 1, let value = document.value["value"] {
                return value == .null ? .string(words) : value
            }
            return .string(words)
        } catch {
            guard isOpen || words.utf8.contains(0) else { return .string(words) }
            throw ProfileError(place: Layer.commandLine, key: key, problem: error.problem, mend: error.mend)
        }
    }

    /// Whether the text can only be a plain word. The parser would say so too, by a C++ exception: 12 ms the first time.
    private static func isWord(_ text: String) -> Bool {
        guard let first = text.utf8.first, !["true", "false", "inf", "nan"].contains(text) else { return false }
        func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) }
        // A size or a duration. No number of TOML's ends in one of these letters.
        let number = text.utf8.prefix { (0x30...0x39).contains($0) }
        let unit = text.utf8.dropFirst(number.count)
        if !number.isEmpty, !unit.isEmpty, unit.count <= 2, unit.allSatisfy("KMGTkmgths".utf8.contains) { return true }
        let starts = isLetter(first) || first == UInt8(ascii: "/") || first == UInt8(ascii: "~")
        return starts
            && text.utf8.allSatisfy { byte in
                isLetter(byte) || (0x30...0x39).contains(byte) || "-_./:@%,".utf8.contains(byte)
            }
    }

    /// The layer that it makes.
    func layer() throws(ProfileError) -> Layer {
        guard let path = DocumentPath(parsing: key), path.keys.count == path.parts.count else {
            throw ProfileError(
                place: Layer.commandLine, problem: "\(Form.quote(key)) is no key", mend: "write section.key=value")
        }
        if path.keys.first == "extends" {
            throw ProfileError(
                place: Layer.commandLine, key: key, problem: "only a file can extend a profile",
                mend: "name the profile with -p")
        }
        let kind = isExact ? nil : Schema.kind(at: path)
        if operation == .append, let kind, !kind.takesItems {
            throw ProfileError(
                place: Layer.commandLine, key: key, problem: "+= adds to lists; this is none", mend: "write =")
        }
        var value = kind.map(fitted) ?? self.value
        for name in path.keys.reversed() { value = .table([(name, value)]) }
        return Layer(commandLine: value, mode: operation == .append ? .append : .assign)
    }

    /// The value as the key takes it: one item as a list of one, a number as text.
    private func fitted(to kind: Kind) -> Value {
        switch (kind, value) {
        case (_, .array), (_, .table): return value
        case (.oneOrMore(let form), _): return fitted(to: .string(form))
        case (.list(let element), _), (.vector(let element), _): return .array([fitted(to: element)])
        case (.tables(let keys, let identity), .string(let text)) where text.hasPrefix("!"):
            guard let name = identity.first, let key = Schema.key(name, in: keys()) else { return value }
            return .array([.table([(name, fitted(to: key.kind))])])
        case (.namespaces, .string(let text)): return text == "all" || text == "none" ? value : .array([value])
        case (.idMapping, .string(let text)): return text == "self" || text == "auto" ? value : .array([value])
        case (.string, .integer), (.string, .double), (.string, .bool): return words.map { .string($0) } ?? value
        default: return value
        }
    }
}

extension Kind {
    /// Whether `+=` has a meaning.
    var takesItems: Bool {
        switch self {
        case .list, .namespaces, .idMapping, .tables: true
        // Replaced as a whole; `+=` would be lost.
        case .vector, .oneOrMore, .string, .boolean, .integer, .number, .size, .duration, .limit, .account, .action,
            .word, .section, .map:
            false
        }
    }
}
