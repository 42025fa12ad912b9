import Profile

/// A rule of nft(8) as a profile has it, in the words of a chain's table.
struct RuleText: Equatable {
    /// Ready for nft(8).
    private(set) var text: String
    /// Those that the rule looks into, by their contents: rules with the same share one. The kernel takes 16 KiB for one
    /// of ports that stands in a rule itself.
    private(set) var sets: [RuleSet] = []
    /// Whether the rule lets anything end here.
    private(set) var drops = false

    /// - Parameter drop: the chain that counts and drops.
    /// - Parameter counter: what counts frames that are refused.
    init(_ rule: String, drop: String, counter: String) {
        var words = RuleText.narrowed(RuleWords.split(rule))
        for index in words.indices {
            let bare = RuleWords.bare(words[index])
            switch bare {
            case "drop": words[index] = "goto \(drop)" + words[index].dropFirst(bare.count)
            case "reject": words[index] = "counter name \(counter) reject"
            default: continue
            }
            drops = true
        }
        text = ""
        var place = 0
        while place < words.count {
            if let (set, end) = RuleSet.read(words, at: place) {
                if !sets.contains(set) { sets.append(set) }
                words.replaceSubrange(place...end, with: ["@\(set.name)"])
            }
            place += 1
        }
        text = words.joined(separator: " ")
    }

    /// Without what all frames of a protocol would pass: all ports (nobody has port 0), all addresses. The kernel would look
    /// for it in each frame.
    private static func narrowed(_ words: [String]) -> [String] {
        var words = words
        var place = 0
        while place + 4 < words.count {
            let match = words[place..<(place + 5)]
            if let instead = substitute(
                for: match.joined(separator: " "), after: words[..<place].joined(separator: " "))
            {
                words.replaceSubrange(match.indices, with: instead)
            } else {
                place += 1
            }
        }
        return words
    }

    /// - Parameter before: the rule's words before that; what they say of the protocol is not said again.
    private static func substitute(for match: String, after before: String) -> [String]? {
        switch match {
        case "tcp dport { 1-65535 }", "tcp sport { 1-65535 }":
            before.hasSuffix("protocol tcp") || before.hasSuffix("l4proto tcp") ? [] : ["meta", "l4proto", "tcp"]
        case "udp dport { 1-65535 }", "udp sport { 1-65535 }":
            before.hasSuffix("protocol udp") || before.hasSuffix("l4proto udp") ? [] : ["meta", "l4proto", "udp"]
        case "ip saddr { 0.0.0.0/0 }", "ip daddr { 0.0.0.0/0 }":
            before.hasPrefix("ip protocol ") ? [] : ["meta", "protocol", "ip"]
        case "ip6 saddr { ::/0 }", "ip6 daddr { ::/0 }": ["meta", "protocol", "ip6"]
        default: nil
        }
    }
}

/// A set that rules look into.
struct RuleSet: Hashable {
    /// As nft(8) calls what its elements are.
    var type: String
    var elements: [String]

    /// Those of ours begin so.
    static let prefix = "set_"

    /// The same for the same contents (FNV-1a).
    var name: String {
        let hash = "\(type) \(elements)".utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        return RuleSet.prefix + String(hash, radix: 16)
    }

    /// Ports as ranges: for single ones the kernel takes a bitmap of 16 KiB, where it is not told to save memory, and a
    /// tree that cannot hold them, where it is.
    var definition: String {
        let hasRanges = type == "inet_service" || elements.contains { $0.contains("-") || $0.contains("/") }
        let kind = hasRanges ? "flags interval; auto-merge;" : "size \(elements.count);"
        return "\(name) { type \(type); \(kind) elements = { \(elements.joined(separator: ", ")) }; }"
    }

    /// The set that stands in a rule from a word on; `nil` where there is none, or none that could stand apart: of one
    /// element, of a map, of several fields.
    static func read(_ words: [String], at start: Int) -> (RuleSet, end: Int)? {
        guard words[start] == "{", let end = words[start...].firstIndex(of: "}") else { return nil }
        var place = start - 1
        if place >= 0, words[place] == "!=" || words[place] == "==" { place -= 1 }
        guard place > 0, let type = type(words[place - 1], words[place]), place < 2 || words[place - 2] != "." else {
            return nil
        }
        let inside = words[(start + 1)..<end].joined(separator: " ")
        let elements = inside.split(separator: ",").map { element in
            let bare = String(element.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            // nft(8) takes it for a range.
            let one = type == "ipv4_addr" ? "/32" : "/128"
            return bare.hasSuffix(one) ? String(bare.dropLast(one.utf8.count)) : bare
        }
        var known: Set<String> = []
        let own = elements.filter { known.insert($0).inserted }
        if own.count < 2 || own.contains(where: { $0.contains(":") && type != "ipv6_addr" || $0.contains(" ") }) {
            return nil
        }
        return (RuleSet(type: type, elements: own), end)
    }

    private static func type(_ header: String, _ field: String) -> String? {
        switch (header, field) {
        case ("tcp", "dport"), ("tcp", "sport"), ("udp", "dport"), ("udp", "sport"), ("th", "dport"), ("th", "sport"):
            "inet_service"
        case ("ip", "saddr"), ("ip", "daddr"): "ipv4_addr"
        case ("ip6", "saddr"), ("ip6", "daddr"): "ipv6_addr"
        default: nil
        }
    }
}
