/// What a text must look like.
public enum Form: Sendable {
    /// Anything.
    case text
    /// One of these words, which are put together when they are first asked for.
    case oneOf(@Sendable () -> [String])
    /// An absolute path, or one that begins with `~`, `$HOME`, `$PWD` or `$XDG_…`; globs allowed.
    case path
    /// `path`, or this word.
    case pathOr(String)
    /// The name of a profile or the path of its file.
    case profile
    /// Octal digits, at most this value.
    case octal(maximum: UInt32)
    case hostname
    /// A list of CPUs such as "0-1,3".
    case cpus
    case capability
    /// A system call, or a group that begins with `@`.
    case call
    case architecture
    case variable
    /// A variable's name, with `*` at its end as a wildcard.
    case variablePattern
    case bindOption, tmpfsOption
    /// A path, or "sandbox:NAME".
    case joinTarget
    /// `no`, `on-failure`, `on-failure:N` or `always`.
    case restart
    /// A signal's name, with or without `SIG`.
    case signal
    case switchName, interfaceName
    /// One of these words, or an address with its network's length.
    case address([String])
    /// One of these words, or an address alone.
    case addressOr([String])
    /// One of these words, or a hardware address.
    case mac([String])
    /// `NETWORK via ADDRESS`.
    case route
    /// Ports of the host: ``Publication``.
    case publication
    /// Bits per second.
    case bitRate
    /// ``TrafficRule``.
    case trafficRule
    /// The name of a function's parameter or preset.
    case identifier
    /// One rule of nft(8).
    case statement
    /// ``FunctionReference``.
    case functionReference
    /// `1280x800`.
    case screenSize
    /// A name on a message bus, with `.*` at its end those below.
    case busName
    /// `NAME=METHOD@PATH`.
    case busRule

    struct Problem {
        var text: String
        var mend: String?

        init(_ text: String, mend: String? = nil) {
            self.text = text
            self.mend = mend
        }
    }

    /// What is wrong with the text; nil when nothing is.
    func problem(with text: String) -> Problem? {
        switch self {
        case .text: nil
        case .oneOf(let words): Form.unknown("value", text, among: words())
        case .path: Form.pathProblem(text)
        case .pathOr(let word): text == word ? nil : Form.pathProblem(text, or: word)
        case .profile: Form.profileProblem(text)
        case .octal(let maximum): Form.octalProblem(text, maximum: maximum)
        case .hostname: Form.hostnameProblem(text)
        case .cpus:
            CPUList.isValid(text)
                ? nil : Problem("\(Form.quote(text)) is no list of CPUs", mend: "write it like \"0-1,3\"")
        case .capability:
            Form.unknown("capability", Names.capability(text), among: Names.capabilities + ["ALL"], shown: text)
        case .call: Form.callProblem(text)
        case .architecture: Form.unknown("architecture", text, among: Names.architectures)
        case .variable: Form.variableProblem(text)
        case .variablePattern:
            text == "*" ? nil : Form.variableProblem(text.hasSuffix("*") ? String(text.dropLast()) : text)
        case .bindOption: Form.unknown("option", text, among: Names.bindOptions)
        case .tmpfsOption: Form.unknown("option", text, among: Names.tmpfsOptions)
        case .joinTarget: Form.joinProblem(text)
        case .restart: Form.restartProblem(text)
        case .signal: Form.signalProblem(text)
        case .switchName: Form.switchNameProblem(text)
        case .interfaceName: Form.interfaceNameProblem(text)
        case .address(let words): Form.addressProblem(text, or: words)
        case .addressOr(let words): Form.plainAddressProblem(text, or: words)
        case .mac(let words): Form.macProblem(text, or: words)
        case .route: Form.routeProblem(text)
        case .publication: Form.publicationProblem(text)
        case .bitRate: Form.bitRateProblem(text)
        case .trafficRule: Form.trafficRuleProblem(text)
        case .identifier: Form.identifierProblem(text)
        case .statement: Form.statementProblem(text)
        case .functionReference: Form.functionReferenceProblem(text)
        case .screenSize: Form.screenSizeProblem(text)
        case .busName: Form.busNameProblem(text)
        case .busRule: Form.busRuleProblem(text)
        }
    }

    static func choice(_ words: @escaping @autoclosure @Sendable () -> [String]) -> Form { .oneOf(words) }

    static func quote(_ text: String) -> String { Value.string(text).compactJSON }

    static func either(_ words: [String]) -> String {
        guard words.count > 1, let last = words.last else { return words.first.map(quote) ?? "" }
        var list = ""
        for word in words.dropLast() { list += (list.isEmpty ? "" : ", ") + quote(word) }
        return list + " or " + quote(last)
    }

    /// An unknown word, with the nearest known one, or all when they are few.
    static func unknown(_ noun: String, _ word: String, among words: [String], shown: String? = nil) -> Problem? {
        if words.contains(word) { return nil }
        let text = "unknown \(noun) \(quote(shown ?? word))"
        if let nearest = Suggestion.nearest(to: word, among: words) {
            return Problem(text, mend: "did you mean \(quote(nearest))?")
        }
        return Problem(text, mend: words.count <= 12 ? "use \(either(words))" : nil)
    }
}

extension Form {
    static func pathProblem(_ text: String, or word: String? = nil) -> Problem? {
        if text.hasPrefix("/") || text == "~" || text.hasPrefix("~/") || hasKnownVariable(text) { return nil }
        let other = word.map { ", or \(quote($0))" } ?? ""
        if text.isEmpty { return Problem("an empty path", mend: "write an absolute path\(other)") }
        return Problem(
            "\(quote(text)) is not an absolute path",
            mend: "begin it with \"/\", \"~/\", \"$HOME\", \"$PWD\" or \"$XDG_…\"\(other)")
    }

    /// Whether a path begins with `$HOME`, `$PWD` or `$XDG_…`, alone or before a `/`.
    private static func hasKnownVariable(_ text: String) -> Bool {
        guard text.hasPrefix("$") else { return false }
        let name = text.dropFirst().prefix { $0 != "/" }
        return name == "HOME" || name == "PWD" || (name.hasPrefix("XDG_") && variableProblem(String(name)) == nil)
    }

    private static func profileProblem(_ text: String) -> Problem? {
        if ProfileStore.isPath(text) { return nil }
        return ProfileStore.isName(text)
            ? nil
            : Problem(
                "\(quote(text)) is no name of a profile",
                mend: "use letters, digits, \".\", \"_\" and \"-\", or a path with \"/\"")
    }

    private static func octalProblem(_ text: String, maximum: UInt32) -> Problem? {
        if let mode = UInt32(text, radix: 8), mode <= maximum, !text.hasPrefix("+") { return nil }
        return Problem(
            "\(quote(text)) is no octal mode", mend: "write octal digits up to \"0\(String(maximum, radix: 8))\"")
    }

    private static func hostnameProblem(_ text: String) -> Problem? {
        if text.isEmpty { return Problem("an empty name") }
        if text.utf8.count > 64 { return Problem("longer than 64 bytes, the most that the kernel takes") }
        let isPlain = text.utf8.allSatisfy { DocumentPath.isBare($0) || $0 == UInt8(ascii: ".") }
        if isPlain, !text.hasPrefix("-"), !text.hasPrefix(".") { return nil }
        return Problem("\(quote(text)) is no host name", mend: "use letters, digits, \"-\" and \".\"")
    }

    private static func callProblem(_ text: String) -> Problem? {
        let name = text.hasPrefix("@") ? text.dropFirst() : Substring(text)
        let isPlain = !name.isEmpty && name.utf8.allSatisfy(DocumentPath.isBare)
        return isPlain
            ? nil : Problem("\(quote(text)) is no system call", mend: "write a name such as \"ptrace\" or \"@mount\"")
    }

    private static func variableProblem(_ text: String) -> Problem? {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "=") && $0 != 0x7F }
        return isPlain ? nil : Problem("\(quote(text)) is no name of an environment variable")
    }

    private static func joinProblem(_ text: String) -> Problem? {
        if text.hasPrefix("/") { return nil }
        if text.hasPrefix("sandbox:") {
            return ProfileStore.isName(String(text.dropFirst(8)))
                ? nil : Problem("\(quote(text)) names no sandbox", mend: "write \"sandbox:NAME\"")
        }
        return Problem("\(quote(text)) is no namespace", mend: "write an absolute path or \"sandbox:NAME\"")
    }
}
