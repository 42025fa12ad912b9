extension Schema {
    static let function: [Key] = [
        Key(
            "placement", .string(.choice(words(Profile.Function.Placement.allCases))),
            "inline: rules and queues of the port itself, without a process; sandbox: a box with a pair of ports before "
                + "the switch; proxy: a program in such a box that ends connections and begins them anew",
            example: "\"inline\"", required: true),
        Key(
            "mode", .string(.choice(words(Profile.Function.Mode.allCases))), "How a box stands in the way",
            example: "\"bridge\"", fallback: "bridge; proxy with placement proxy"),
        Key(
            "classifier", .string(.statement),
            "What of the traffic goes through it: a match of nft(8), as what the application sends meets it; for the "
                + "other way sources and destinations are exchanged",
            example: "\"tcp dport 443\"", fallback: "all", basis: "nft(8)"),
        Key(
            "fail", .string(.choice(words(Profile.Function.Failure.allCases))),
            "What becomes of the traffic when the function's box ends: it stops, or passes it by",
            example: "\"closed\"", fallback: "closed"),
        Key(
            "parameters", .map(.identifier, .table(parameter)),
            "What a chain can give it, NAME?parameter=value&parameter=value", example: "{ tcp = { type = \"ports\" } }"),
        Key(
            "presets", .map(.identifier, .map(.identifier, .string(.text))),
            "Values of parameters under a name, for NAME:PRESET", example: "{ web = { tcp = \"80,443\" } }"),
        Key(
            "to-switch", .vector(.string(.statement)),
            "Rules for what the application sends, each a line of statements of nft(8) in the netdev family, without "
                + "connection tracking. accept goes on to the next function, and so does the end of the list. $NAME is "
                + "a parameter: of a list a set, $NAME.ipv4 and $NAME.ipv6 its addresses of a family; a boolean stands "
                + "for nothing. A rule is left out where one of its parameters is empty or false",
            example: "[\"tcp dport $tcp accept\", \"drop\"]", fallback: "[]", basis: "nft(8)"),
        Key(
            "to-application", .vector(.string(.statement)), "The same for what the application is sent",
            example: "[\"tcp sport $tcp accept\", \"drop\"]", fallback: "[]", basis: "nft(8)"),
        Key(
            "rate", .table(functionRate),
            "Most bits per second; $NAME is a parameter, \"$A or $B\" the first that is given", basis: "tc-tbf(8)"),
        Key(
            "delay", .string(.text), "How long all waits, each way; $NAME is a parameter", example: "\"$delay\"",
            basis: "tc-netem(8)"),
        Key(
            "wire", .string(.choice(words(Profile.Function.Wire.allCases))),
            "What joins in0 and out0 of a box of mode bridge: a bridge(8), where the packet filter of its network namespace "
                + "sees what passes; direct: a program of the kernel that nothing sees but who looks on (packet(7)); none: "
                + "the box's own program hands frames on",
            example: "\"none\"", fallback: "bridge"),
        Key(
            "tracking", .boolean,
            "Whether what passes a box of mode bridge meets the tables ip, ip6 and inet of its network namespace, with "
                + "connection tracking and translation of addresses (br_netfilter). Where it has a set paused of nf_proto "
                + "in the table inet nat, both families are put into it when the function is to be taken out: nothing "
                + "that begins may be translated from then on",
            example: "true", fallback: "false"),
        Key(
            "drain", .duration(0...3_600_000),
            "How long a proxy, or a function with tracking, that is taken out or replaced may end the connections that it "
                + "has; new ones go past it",
            example: "\"10s\"", fallback: "5s"),
    ]

    private static let parameter: [Key] = [
        Key(
            "type", .string(.choice(words(Profile.Function.Parameter.Sort.allCases))),
            "What it takes; words, names, addresses and ports take several, with commas", example: "\"ports\"",
            required: true),
        Key(
            "default", .string(.text), "What holds where it is not given, written as a chain writes it",
            example: "\"80,443\"", fallback: "nothing"),
        Key("required", .boolean, "Whether it has to be given", example: "false", fallback: "false"),
        Key("help", .string(.text), "One line on what it does", example: "\"TCP ports that others may call\""),
    ]

    private static let functionRate: [Key] = [
        Key("egress", .string(.text), "What the application sends", example: "\"$rate\""),
        Key("ingress", .string(.text), "What it receives", example: "\"$rate\""),
        Key("burst", .string(.text), "Bytes that may pass at once", example: "\"$burst\""),
    ]
}

extension Form {
    static func identifierProblem(_ text: String) -> Problem? {
        let isPlain =
            text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
            && text.utf8.first.map { (0x61...0x7A).contains($0) } == true && text.utf8.count <= 32
        return isPlain
            ? nil
            : Problem(
                "\(quote(text)) is no name of a parameter or a preset", mend: "use small letters, digits and \"-\"")
    }

    /// One line for nft(8), that stays the one rule which it is.
    static func statementProblem(_ text: String) -> Problem? {
        if text.allSatisfy({ $0 == " " }) { return Problem("an empty rule", mend: "take it out") }
        var depth = 0
        var isQuoted = false
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte < 0x20 || byte == 0x7F { return Problem("a rule of several lines", mend: "write one for each") }
            if isQuoted { continue }
            if byte == UInt8(ascii: "{") { depth += 1 }
            if byte == UInt8(ascii: "}") { depth -= 1 }
            if depth < 0 || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "\\") {
                return Problem("\(quote(text)) is not one rule", mend: "write each rule as a text of the list")
            }
        }
        return depth == 0 && !isQuoted ? nil : Problem("\(quote(text)) is not closed", mend: "close it")
    }

    static func functionReferenceProblem(_ text: String) -> Problem? {
        do throws(NotRead) { _ = try FunctionReference(reading: text) } catch {
            return Problem("\(quote(text)) \(error.problem)", mend: error.mend)
        }
        return nil
    }
}
