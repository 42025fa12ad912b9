import Addresses

/// What a parameter of a function is, read from its text.
enum ParameterValue: Equatable {
    /// Nothing was given, and nothing is usual.
    case absent
    case flag(Bool)
    /// As it was written.
    case plain(String)
    case list([String])
    case addresses([IPPrefix])
    /// A port of this sandbox's, known only where the port is.
    case sandbox(String)

    /// - Returns: nil where the text is none of the sort.
    init?(_ text: String, _ type: Profile.Function.Parameter.Sort) {
        let items = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        switch type {
        case .boolean:
            guard text == "true" || text == "false" else { return nil }
            self = .flag(text == "true")
        case .integer:
            guard let number = Quantity.plain(Substring(text)), number <= UInt64(UInt32.max) else { return nil }
            self = .plain(text)
        case .word:
            guard ParameterValue.isWord(text) else { return nil }
            self = .plain(text)
        case .words:
            if !items.allSatisfy(ParameterValue.isWord) { return nil }
            self = .list(items)
        case .names:
            if !items.allSatisfy(ParameterValue.isHostName) { return nil }
            self = .list(items.map { $0.lowercased() })
        case .port:
            guard PortRange.read(Substring(text)) != nil else { return nil }
            self = .plain(text)
        case .ports:
            if !items.allSatisfy({ PortRange.read(Substring($0)) != nil }) { return nil }
            self = .list(items)
        case .address:
            guard let prefix = ParameterValue.network(text) else { return nil }
            self = .addresses([prefix])
        case .addresses:
            let prefixes = items.compactMap(ParameterValue.network)
            if prefixes.count != items.count { return nil }
            self = .addresses(prefixes)
        case .rate:
            guard Form.bitRate.problem(with: text) == nil else { return nil }
            self = .plain(text)
        case .size:
            guard Quantity.size(text) != nil else { return nil }
            self = .plain(text)
        case .duration:
            guard Quantity.duration(.string(text)) != nil else { return nil }
            self = .plain(text)
        case .path:
            guard ParameterValue.isPath(text) else { return nil }
            self = .plain(text)
        case .sandbox:
            guard ProfileStore.isName(text) else { return nil }
            self = .sandbox(text)
        }
    }

    private static func network(_ text: String) -> IPPrefix? {
        IPPrefix(text).flatMap { $0.isNetwork ? $0 : nil }
    }

    /// What cannot be anything but a word to nft(8).
    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { DocumentPath.isBare($0) || $0 == UInt8(ascii: ".") }
    }

    /// A host's name, or all below one: `*.example.org`. Labels of RFC 1123, and of what services are called (`_`).
    private static func isHostName(_ text: String) -> Bool {
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        guard (1...253).contains(name.utf8.count) else { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.first != 0x2D && label.utf8.last != 0x2D
                && label.utf8.allSatisfy(DocumentPath.isBare)
        }
    }

    /// One that a shell takes as it is.
    private static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/")
            && text.utf8.allSatisfy { DocumentPath.isBare($0) || [0x2E, 0x2F, 0x2B, 0x40].contains($0) }
    }

    /// Whether a rule with it is left out.
    var isEmpty: Bool {
        switch self {
        case .absent, .flag(false): true
        case .list(let items): items.isEmpty
        case .addresses(let items): items.isEmpty
        default: false
        }
    }

    /// As a rule of nft(8) has it.
    var ruleText: String {
        switch self {
        case .absent, .flag: ""
        case .plain(let text): text
        case .list(let items): "{ " + items.joined(separator: ", ") + " }"
        case .addresses(let items): "{ " + items.map { $0.description }.joined(separator: ", ") + " }"
        case .sandbox(let name): ResolvedFunction.portMark + name + ResolvedFunction.portMark
        }
    }

    /// As a program has it.
    var plainText: String {
        switch self {
        case .absent: ""
        case .flag(let flag): flag ? "true" : "false"
        case .plain(let text): text
        case .list(let items): items.joined(separator: ",")
        case .addresses(let items): items.map { $0.description }.joined(separator: ",")
        case .sandbox(let name): name
        }
    }

    /// One by one, as a program has them.
    var elements: [String] {
        switch self {
        case .list(let items): items
        case .addresses(let items): items.map { $0.description }
        default: []
        }
    }

    /// Names of hosts, or domains below which all names are, without `*.`.
    func only(_ kind: NameKind) -> ParameterValue {
        guard case .list(let items) = self else { return self }
        let domains = items.filter { $0.hasPrefix("*.") }
        return .list(
            kind == .domains ? domains.map { String($0.dropFirst(2)) } : items.filter { !domains.contains($0) })
    }

    enum NameKind: String, CaseIterable { case hosts, domains }

    func only(_ family: IPFamily) -> ParameterValue {
        guard case .addresses(let items) = self else { return self }
        return .addresses(items.filter { $0.family == family })
    }
}

extension Profile.Function.Parameter.Sort {
    /// How a value of it is written.
    var example: String {
        switch self {
        case .boolean: "\"true\" or \"false\""
        case .integer: "a number such as \"10\""
        case .word: "a word"
        case .words: "words with commas between"
        case .names: "names of hosts such as \"example.org,*.debian.org\""
        case .address: "an address or a network such as \"10.1.0.0/16\""
        case .addresses: "addresses or networks such as \"10.1.0.0/16,fd00::/8\""
        case .port: "a port such as \"80\" or \"8000-8009\""
        case .ports: "ports such as \"80,443,8000-8009\""
        case .rate: "a rate such as \"10mbit\", 8kbit or more"
        case .size: "a size such as \"64K\""
        case .duration: "a duration such as \"20ms\""
        case .sandbox: "a sandbox's name"
        case .path: "an absolute path such as \"/var/tmp\""
        }
    }
}
