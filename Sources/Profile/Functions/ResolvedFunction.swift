import Addresses

/// A function of a chain with all of its parameters filled in.
public struct ResolvedFunction: Sendable, Equatable {
    /// What holds traffic back, in bits per second, bytes and milliseconds.
    public struct Limits: Sendable, Equatable {
        /// What the application sends.
        public var egress: UInt64?
        /// What it receives.
        public var ingress: UInt64?
        public var burst: UInt64?
        /// Each way.
        public var delay: Int?

        public init() {}
        public var isEmpty: Bool { self == Limits() }
    }

    /// As the chain names it.
    public var reference: String
    public var name: String
    public var placement: Profile.Function.Placement
    public var mode: Profile.Function.Mode?
    public var failure: Profile.Function.Failure
    /// One that several applications share.
    public var instance: String?
    public var classifier: String?
    /// Rules for nft(8). A sandbox's name between two ``portMark`` stands for its port.
    public var toSwitch: [String] = []
    public var toApplication: [String] = []
    public var limits = Limits()
    /// Of a box that is to be started.
    public var wire = Profile.Function.Wire.bridge
    /// Whether what passes its bridge meets the packet filter of IP and its tracking of connections.
    public var tracksConnections = false
    /// How long a proxy that is taken out may end what it has begun, in milliseconds.
    public var drain = 5000
    /// The profile of its box, parameters filled in; `nil` for one without a box, and once it has been started.
    public var box: Value?

    public init(
        _ reference: String, name: String, _ placement: Profile.Function.Placement,
        mode: Profile.Function.Mode? = nil, failure: Profile.Function.Failure = .closed
    ) {
        self.reference = reference
        self.name = name
        self.placement = placement
        self.mode = mode
        self.failure = failure
    }

    /// Whether it knows its application's interface, and ends connections before it is taken out.
    public var knowsApplication: Bool { placement == .proxy || tracksConnections }

    /// No text of a profile can hold it.
    public static let portMark = "\u{1}"

    /// The classifier for the other way: sources and destinations exchanged.
    public var turnedClassifier: String? {
        let pairs = ["dport": "sport", "sport": "dport", "daddr": "saddr", "saddr": "daddr"]
        return classifier.map { text in
            text.split(separator: " ").map { pairs[String($0)] ?? String($0) }.joined(separator: " ")
        }
    }
}

/// Fills parameters in; what is wrong is told of the reference.
struct FunctionResolver {
    private let function: Profile.Function
    private let reference: FunctionReference
    private let isIncomplete: Bool
    private let document: Value?
    private var values: [(name: String, value: ParameterValue)] = []

    /// - Parameter document: the function's whole profile.
    /// - Parameter incomplete: whether parameters that must be given may be missing, to check a function by itself.
    init(
        _ function: Profile.Function, _ reference: FunctionReference, _ document: Value? = nil, incomplete: Bool = false
    ) throws(NotRead) {
        self.document = document
        self.function = function
        self.reference = reference
        isIncomplete = incomplete
        let given = try gather()
        for (name, parameter) in function.parameters.entries {
            let text = given.first { $0.key == name }?.value ?? parameter.usual
            guard let text else {
                if parameter.isRequired, !incomplete {
                    throw NotRead(
                        "lacks the parameter \(Form.quote(name))",
                        "write \(reference.name)?\(name)=…, \(parameter.type.example)")
                }
                values.append((name, parameter.type == .boolean ? .flag(false) : .absent))
                continue
            }
            guard let value = ParameterValue(text, parameter.type) else {
                throw NotRead(
                    "gives \(Form.quote(name)) the value \(Form.quote(text))", "write \(parameter.type.example)")
            }
            values.append((name, value))
        }
    }

    /// The preset's values, and over them those of the reference.
    private func gather() throws(NotRead) -> [(key: String, value: String)] {
        var given: [(key: String, value: String)] = []
        if let preset = reference.preset {
            guard let entries = function.presets[preset] else {
                throw NotRead(
                    "names the preset \(Form.quote(preset)), which \(reference.name) has not",
                    FunctionResolver.hint(preset, function.presets.entries.map(\.key)))
            }
            given = entries.entries
            for entry in given { _ = try parameter(entry.key) }
        }
        var own: [(key: String, value: String)] = []
        for one in reference.parameters {
            let parameter = try parameter(one.key)
            if let index = own.firstIndex(where: { $0.key == one.key }) {
                guard parameter.type.isList else {
                    throw NotRead("gives \(Form.quote(one.key)) twice", "take one of them out")
                }
                own[index].value += "," + one.value
            } else {
                own.append((one.key, one.value))
            }
        }
        return own + given
    }

    private func parameter(_ name: String) throws(NotRead) -> Profile.Function.Parameter {
        if let parameter = function.parameters[name] { return parameter }
        throw NotRead(
            "gives a parameter \(Form.quote(name)), which \(reference.name) has not",
            FunctionResolver.hint(name, function.parameters.entries.map(\.key)))
    }

    private static func hint(_ word: String, _ words: [String]) -> String {
        if let near = Suggestion.nearest(to: word, among: words) { return "did you mean \(Form.quote(near))?" }
        return words.isEmpty ? "it takes none" : "it has \(words.joined(separator: ", "))"
    }

    func resolved() throws(NotRead) -> ResolvedFunction {
        let usual: Profile.Function.Mode? =
            function.placement == .inline ? nil : function.placement == .proxy ? .proxy : .bridge
        var resolved = ResolvedFunction(
            reference.description, name: reference.name, function.placement, mode: function.mode ?? usual,
            failure: function.failure)
        resolved.instance = reference.instance
        if reference.instance != nil, function.placement == .inline {
            throw NotRead("shares an instance of an inline function, which has none", "take \"@…\" out")
        }
        if function.placement == .proxy, !isIncomplete { try checkProxy() }
        resolved.wire = function.wire ?? .bridge
        resolved.tracksConnections = function.tracksConnections
        if function.tracksConnections, reference.instance != nil {
            throw NotRead(
                "shares an instance of a function that tracks the connections of one application", "take \"@…\" out")
        }
        if let drain = function.drain { resolved.drain = drain }
        resolved.classifier = try function.classifier.flatMap { text throws(NotRead) in try fill(text) }
        resolved.toSwitch = try rules(function.toSwitch)
        resolved.toApplication = try rules(function.toApplication)
        resolved.limits.egress = try quantity(function.rate.egress, "rate.egress") { Quantity.bitRate($0) }
        resolved.limits.ingress = try quantity(function.rate.ingress, "rate.ingress") { Quantity.bitRate($0) }
        resolved.limits.burst = try quantity(function.rate.burst, "rate.burst") { Quantity.size($0) }
        resolved.limits.delay = try quantity(function.delay, "delay") { Quantity.duration(.string($0)) }
        let holdsBack = !function.rate.isEmpty || function.delay != nil
        if holdsBack, resolved.limits.isEmpty, resolved.toSwitch.isEmpty, resolved.toApplication.isEmpty, !isIncomplete
        {
            throw NotRead(
                "holds nothing back", "give it one of \(function.parameters.entries.map(\.key).joined(separator: ", "))"
            )
        }
        if function.placement != .inline { resolved.box = try document.map { value throws(NotRead) in try box(value) } }
        return resolved
    }

    /// It has the application's addresses, and stands for what it is told to.
    private func checkProxy() throws(NotRead) {
        if reference.instance != nil {
            throw NotRead(
                "shares an instance of a proxy, which has the addresses of one application", "take \"@…\" out")
        }
        if function.classifier == nil {
            throw NotRead(
                "is no part of a chain: it does not say what of the traffic it stands for",
                "run it by itself with 'sandbox run -p', or add function.classifier")
        }
    }

    private func rules(_ texts: [String]) throws(NotRead) -> [String] {
        var rules: [String] = []
        for text in texts {
            if let filled = try fill(text) { rules.append(FunctionResolver.goingOn(filled)) }
        }
        return rules
    }

    /// The end of one function is no end of the chain: `accept` returns to it.
    private static func goingOn(_ rule: String) -> String {
        RuleWords.split(rule).map { word in
            RuleWords.bare(word) == "accept" ? "return" + word.dropFirst(6) : word
        }.joined(separator: " ")
    }

    /// Where a box's profile names parameters.
    static let boxPaths = [
        ["process", "command"], ["process", "environment", "set"], ["filesystem", "files"], ["filesystem", "bind"],
    ]

    /// The profile of the box with `$NAME` filled in, in its command, its environment, its files and what it is shown.
    private func box(_ document: Value) throws(NotRead) -> Value {
        var filled = document
        for path in FunctionResolver.boxPaths {
            filled = try filled.changed(at: path[...]) { value throws(NotRead) in
                try value.mapTexts { text throws(NotRead) in try texts(text) }
            }
        }
        return filled
    }

    /// As a program reads it: lists with commas, nothing for what is absent. A line with `$NAME[]` stands once for each
    /// element of the list.
    func texts(_ text: String) throws(NotRead) -> String {
        guard text.contains("[]") else { return filled(text) }
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard let (name, elements) = try elements(of: line) else {
                lines.append(filled(String(line)))
                continue
            }
            for element in elements { lines.append(filled(String(line).replacing("$\(name)[]", with: element))) }
        }
        return lines.joined(separator: "\n")
    }

    /// The list that a line is repeated for; nil where it is none such.
    private func elements(of line: Substring) throws(NotRead) -> (name: String, elements: [String])? {
        var found: (name: String, elements: [String])?
        var rest = line
        while let sign = rest.firstIndex(of: "$") {
            rest = rest[rest.index(after: sign)...]
            let name = rest.prefix(while: FunctionResolver.isNamed)
            rest = rest.dropFirst(name.count)
            let kind = ParameterValue.NameKind.allCases.first { rest.hasPrefix(".\($0.rawValue)[]") }
            if let kind { rest = rest.dropFirst(kind.rawValue.count + 1) }
            guard !name.isEmpty, rest.hasPrefix("[]") else { continue }
            guard let parameter = function.parameters[String(name)] else {
                throw NotRead(
                    "has a line with $\(name)[], which is no parameter",
                    FunctionResolver.hint(String(name), values.map(\.name)))
            }
            if !parameter.type.isList {
                throw NotRead("has a line with $\(name)[], which is no list", "write $\(name)")
            }
            if kind != nil, parameter.type != .names {
                throw NotRead(
                    "has a line with $\(name).\(kind?.rawValue ?? "")[], which is no list of hosts", "write $\(name)[]")
            }
            let text = name + (kind.map { "." + $0.rawValue } ?? "")
            if let found, found.name != text {
                throw NotRead("has a line for two lists, $\(found.name)[] and $\(text)[]", "write a line for each")
            }
            let value = values.first { $0.name == name }?.value
            found = (String(text), (kind.map { value?.only($0) } ?? value)?.elements ?? [])
        }
        return found
    }

    private static func isNamed(_ letter: Character) -> Bool {
        letter.isASCII && (letter.isLowercase || letter.isNumber || letter == "-")
    }

    private func filled(_ text: String) -> String {
        var filled = ""
        var rest = Substring(text)
        while let sign = rest.firstIndex(of: "$") {
            filled += rest[..<sign]
            rest = rest[rest.index(after: sign)...]
            let name = rest.prefix { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
            guard let value = values.first(where: { $0.name == name })?.value else {
                // The shell's own.
                filled += "$"
                continue
            }
            rest = rest.dropFirst(name.count)
            filled += value.plainText
        }
        return filled + rest
    }

    private func quantity<Number>(
        _ text: String?, _ key: String, _ read: (String) -> Number?
    ) throws(NotRead) -> Number? {
        // The first alternative whose parameters are there.
        var filled: String?
        for part in (text ?? "").split(separator: " or ") where filled == nil { filled = try fill(String(part)) }
        guard let filled else { return nil }
        guard let number = read(filled) else {
            throw NotRead("has the \(key) \(Form.quote(filled)), which is none", "mend the function's profile")
        }
        return number
    }

    /// - Returns: nil where one of its parameters is empty.
    private func fill(_ text: String) throws(NotRead) -> String? {
        var filled = ""
        var rest = Substring(text)
        while let sign = rest.firstIndex(of: "$") {
            filled += rest[..<sign]
            rest = rest[rest.index(after: sign)...]
            let name = rest.prefix { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
            rest = rest.dropFirst(name.count)
            guard var value = values.first(where: { $0.name == name })?.value else {
                throw NotRead(
                    "has a rule with $\(name), which is no parameter",
                    FunctionResolver.hint(String(name), values.map(\.name)))
            }
            for (suffix, family) in [(".ipv4", IPFamily.v4), (".ipv6", .v6)] where rest.hasPrefix(suffix) {
                value = value.only(family)
                rest = rest.dropFirst(suffix.count)
            }
            if value.isEmpty { return nil }
            filled += value.ruleText
        }
        return RuleWords.split(filled + rest).joined(separator: " ")
    }
}
