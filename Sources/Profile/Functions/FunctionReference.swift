/// What a chain names: `NAME[:PRESET][?PARAMETER=VALUE&…][@INSTANCE]`.
public struct FunctionReference: Sendable, Hashable, CustomStringConvertible {
    /// A function's name, or the path of its file.
    public var name: String
    public var preset: String?
    /// In the order in which they are given.
    public var parameters: [Given]
    /// One instance that several applications share.
    public var instance: String?

    public struct Given: Sendable, Hashable {
        public var key: String
        public var value: String
    }

    /// - Throws: what is wrong with it.
    init(reading text: String) throws(NotRead) {
        let mend = "write it like \"firewall:web\", \"shaper?rate=10mbit\" or \"capture@shared\""
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { throw NotRead("holds control characters", mend) }
        var rest = Substring(text)
        if let sign = rest.lastIndex(of: "@") {
            let word = String(rest[rest.index(after: sign)...])
            guard ProfileStore.isName(word) else { throw NotRead("names no instance behind \"@\"", mend) }
            instance = word
            rest = rest[..<sign]
        }
        parameters = []
        if let mark = rest.firstIndex(of: "?") {
            for part in rest[rest.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false) {
                guard let sign = part.firstIndex(of: "="), sign != part.startIndex else {
                    throw NotRead("gives a parameter no value", mend)
                }
                parameters.append(
                    Given(key: String(part[..<sign]), value: String(part[part.index(after: sign)...])))
            }
            rest = rest[..<mark]
        }
        let isPath = ProfileStore.isPath(String(rest))
        if !isPath, let colon = rest.firstIndex(of: ":") {
            let word = String(rest[rest.index(after: colon)...])
            guard Form.identifier.problem(with: word) == nil else { throw NotRead("names no preset", mend) }
            preset = word
            rest = rest[..<colon]
        }
        name = String(rest)
        guard isPath || ProfileStore.isName(name) else { throw NotRead("names no function", mend) }
    }

    /// `nil` for what cannot be read: see ``init(reading:)``.
    public init?(_ text: String) {
        guard let read = try? FunctionReference(reading: text) else { return nil }
        self = read
    }

    public var description: String {
        var text = name
        if let preset { text += ":" + preset }
        for (index, given) in parameters.enumerated() {
            text += (index == 0 ? "?" : "&") + given.key + "=" + given.value
        }
        return instance.map { text + "@" + $0 } ?? text
    }
}
