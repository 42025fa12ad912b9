public import Addresses

/// Which of an application's traffic passes a function: what any of its clauses describes. All as the application sends
/// it; what comes back is the same with source and destination exchanged.
public struct Classifier: Sendable, Equatable {
    /// What is nil or empty is not asked for.
    public struct Clause: Sendable, Equatable {
        public var family: IPFamily?
        /// protocols(5).
        public var `protocol`: UInt8?
        /// Of the other side: `dport`.
        public var remotePorts: [ClosedRange<UInt16>] = []
        /// Of the application's side: `sport`.
        public var localPorts: [ClosedRange<UInt16>] = []
        public var remote: IPPrefix?
        public var local: IPPrefix?

        public init() {}
    }

    public var clauses: [Clause]
    /// Whether what tells of neighbours' hardware addresses passes, too (ARP).
    public var takesNeighbours = false

    public init(_ clauses: [Clause]) { self.clauses = clauses }

    /// From the words of nftables: `tcp dport 443`, `udp dport {53, 5353}`, `ip daddr 10.0.0.0/8`, `tcp sport 8000-8999`,
    /// `icmp`; several with commas between them.
    public init(parsing text: String) throws(SwitchError) {
        clauses = []
        for part in Classifier.parts(text) { clauses += try ClauseReader(part, of: text).clauses() }
        if clauses.isEmpty { throw Classifier.refusal(text, "it is empty") }
    }

    static func refusal(_ text: String, _ why: String) -> SwitchError {
        SwitchError(
            key: "classifier", "\"\(text)\": \(why)",
            mend:
                "write such as \"tcp dport 443\", \"udp dport {53, 5353}\", \"ip daddr 10.0.0.0/8\", with commas between "
                + "several")
    }

    /// At commas that are in no braces.
    private static func parts(_ text: String) -> [Substring] {
        var depth = 0
        return text.split(omittingEmptySubsequences: false) { character in
            if character == "{" { depth += 1 }
            if character == "}" { depth -= 1 }
            return character == "," && depth == 0
        }
    }
}

/// One clause's words.
private struct ClauseReader {
    private var words: [Substring]
    private let text: String

    init(_ part: Substring, of text: String) {
        self.text = text
        // Ports in braces are one word.
        var braces = false
        let joined = part.filter { character in
            if character == "{" { braces = true }
            if character == "}" { braces = false }
            return !(braces && character == " ")
        }
        words = joined.split(separator: " ").map { Substring(String($0)) }
    }

    func clauses() throws(SwitchError) -> [Classifier.Clause] {
        if words.isEmpty { throw Classifier.refusal(text, "a part of it is empty") }
        var clause = Classifier.Clause()
        var isICMP = false
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "ip": try set(&clause, .v4)
            case "ip6": try set(&clause, .v6)
            case "tcp": clause.protocol = 6
            case "udp": clause.protocol = 17
            case "sctp": clause.protocol = 132
            case "icmp": isICMP = true
            case "dport": clause.remotePorts = try ports(rest.popFirst())
            case "sport": clause.localPorts = try ports(rest.popFirst())
            case "daddr": clause.remote = try network(rest.popFirst(), &clause)
            case "saddr": clause.local = try network(rest.popFirst(), &clause)
            default: throw Classifier.refusal(text, "\"\(word)\" is no word of a classifier")
            }
        }
        if clause.protocol == nil, !clause.remotePorts.isEmpty || !clause.localPorts.isEmpty {
            throw Classifier.refusal(text, "ports need a protocol, tcp, udp or sctp")
        }
        return isICMP ? try icmp(clause) : [clause]
    }

    private func icmp(_ clause: Classifier.Clause) throws(SwitchError) -> [Classifier.Clause] {
        if clause.protocol != nil { throw Classifier.refusal(text, "it names two protocols") }
        return [IPFamily.v4, .v6].filter { clause.family == nil || clause.family == $0 }.map { family in
            var own = clause
            (own.family, own.protocol) = (family, family == .v4 ? 1 : 58)
            return own
        }
    }

    private func set(_ clause: inout Classifier.Clause, _ family: IPFamily) throws(SwitchError) {
        if let other = clause.family, other != family {
            throw Classifier.refusal(text, "it is of IPv4 and of IPv6 at once")
        }
        clause.family = family
    }

    private func ports(_ word: Substring?) throws(SwitchError) -> [ClosedRange<UInt16>] {
        guard var word else { throw Classifier.refusal(text, "a port is missing") }
        if word.first == "{", word.last == "}" { word = word.dropFirst().dropLast() }
        var ranges: [ClosedRange<UInt16>] = []
        for item in word.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = item.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first <= last else {
                throw Classifier.refusal(text, "\"\(item)\" is no port")
            }
            ranges.append(first...last)
        }
        return ranges
    }

    private func network(
        _ word: Substring?, _ clause: inout Classifier.Clause
    ) throws(SwitchError) -> IPPrefix {
        let given = word.map { String($0) } ?? ""
        guard let network = IPPrefix(given) else {
            throw Classifier.refusal(text, "\"\(given)\" is no address or network")
        }
        try set(&clause, network.family)
        return network
    }
}
