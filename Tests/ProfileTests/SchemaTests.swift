import Testing

@testable import Profile

struct SchemaTests {
    @Test func theStarterIsAProfile() throws {
        let text = Schema.starterText(name: "web")
        let loaded = try load(text)
        #expect(loaded.profile.description == "web")
        #expect(loaded.merged["process"] == .table([]))
    }

    /// Every key stands in the starter with a value that its own check accepts.
    @Test func everyLineOfTheStarterIsValid() throws {
        var lines: [Substring] = []
        for line in Schema.starterText(name: "web").split(separator: "\n") {
            guard line.hasPrefix("# ") else {
                lines.append(line)
                continue
            }
            let rest = line.dropFirst(2)
            let word = rest.prefix { $0 != " " }
            if rest.dropFirst(word.count).hasPrefix(" = "), DocumentPath(parsing: String(word)) != nil {
                lines.append(rest)
            }
        }
        let document = try TOMLDocument(file: "starter", text: lines.joined(separator: "\n"))
        #expect(Validation(Layer(document)).findings == [])
        let missing = Schema.paths.filter { path in
            var value: Value? = document.value
            for key in path.keys { value = value?[key] }
            // A function is written from the beginning, for what it would be with every key contradicts itself.
            return value == nil && !["limits", "function"].contains(path.keys.first)
                && !path.text.hasPrefix("namespaces.join.")
        }
        #expect(missing.map(\.text) == [])
        let loaded = try LoadedProfile([Layer(document)])
        #expect(loaded.profile.security.seccomp?.rules.count == 1)
        #expect(loaded.profile.resources.memory == 512 << 20)
    }

    @Test func theEditorsSchemaNamesEveryKey() {
        let schema = Schema.schemaDocument()
        #expect(schema["$schema"] == .string("https://json-schema.org/draft/2020-12/schema"))
        for path in Schema.paths {
            var node: Value? = schema
            for key in path.keys { node = node?["properties"]?[key] }
            #expect(node != nil, "\(path.text)")
        }
        let network = schema["properties"]?["network"]?["properties"]
        #expect(network?["attach"] != nil)
        #expect(network?["switch"] != nil && network?["chain"] != nil)
        #expect(schema["properties"]?["process"]?["additionalProperties"] == .bool(false))
    }

    @Test func theNamespacesAreAllNamed() throws {
        let key = try #require(Schema.paths.first { $0.text == "namespaces.unshare" })
        let section = try #require(Schema.root.first { $0.name == "namespaces" })
        guard case .section(let keys) = section.kind, let unshare = Schema.key("unshare", in: keys()) else {
            Issue.record("no \(key.text)")
            return
        }
        #expect(unshare.summary.contains(Form.either(Schema.kindNames)))
    }

    @Test func distancesCountSlipsOfThePen() {
        func distance(_ left: String, _ right: String) -> Int {
            Suggestion.distance(Array(left.utf8), Array(right.utf8))
        }
        #expect(distance("hostname", "hostnmae") == 1)
        #expect(distance("hostname", "hostnme") == 1)
        #expect(distance("read_only", "Read-Only") == 0)
        #expect(distance("", "abc") == 3)
        #expect(Suggestion.nearest(to: "zzz", among: ["to", "from"]) == nil)
        #expect(problem("[filesystem]\nread_only = []").hasSuffix("did you mean \"read-only\"?"))
        #expect(problem("workingdirectory = \"/\"").hasSuffix("did you mean \"working-directory\" in [process]?"))
    }

    @Test(
        arguments: [
            ("0", 0), ("512M", 512 << 20), ("1k", 1024), ("2GiB", 2 << 30), ("1T", 1 << 40), ("", nil), ("M", nil),
            ("-1", nil), ("+1", nil), ("1.5G", nil), ("1MB", nil), ("9223372036854775808", nil), ("8388608T", nil),
            ("1 M", nil),
        ] as [(String, UInt64?)])
    func sizes(text: String, bytes: UInt64?) {
        #expect(Quantity.size(text) == bytes)
    }

    @Test(
        arguments: [
            ("0", 0), ("10", 10_000), ("100ms", 100), ("2s", 2000), ("5m", 300_000), ("1h", 3_600_000), ("", nil),
            ("s", nil), ("-1", nil), ("+1", nil), ("1.5s", nil), ("1 s", nil), ("1d", nil), ("1sm", nil), ("1S", nil),
            ("9223372036854775808ms", nil), ("9223372036854775807", nil),
        ] as [(String, Int?)])
    func durations(text: String, milliseconds: Int?) {
        #expect(Quantity.duration(.string(text)) == milliseconds)
    }

    @Test(arguments: [
        (0, "0s"), (1, "1ms"), (1500, "1500ms"), (2000, "2s"), (90_000, "90s"), (60_000, "1m"), (7_200_000, "2h"),
    ])
    func durationsAsText(milliseconds: Int, text: String) {
        #expect(Quantity.durationText(milliseconds) == text)
        #expect(Quantity.duration(.string(text)) == milliseconds)
    }

    @Test(arguments: [
        ("0", true), ("0-3,7", true), ("3,1", true), ("", false), ("1-", false), ("-1", false), ("2-1", false),
        ("1,,2", false), ("a", false), ("1-2-3", false), ("99999", false),
    ])
    func listsOfCPUs(text: String, isValid: Bool) {
        #expect(CPUList.isValid(text) == isValid)
    }

    @Test(
        arguments: [
            ("/", nil), ("~", nil), ("~/x", nil), ("$HOME", nil), ("$HOME/x", nil), ("$PWD", nil), ("$PWD/x", nil),
            ("$XDG_RUNTIME_DIR/bus", nil),
            ("/a/*", nil), ("", "an empty path"), ("a", "\"a\" is not an absolute path"),
            ("~user", "\"~user\" is not an absolute path"), ("$HOMER", "\"$HOMER\" is not an absolute path"),
            ("$PATH/x", "\"$PATH/x\" is not an absolute path"), ("./x", "\"./x\" is not an absolute path"),
        ] as [(String, String?)])
    func paths(text: String, problem: String?) {
        #expect(Form.path.problem(with: text)?.text == problem)
    }

    @Test func idRangesStayBelowTheLastId() {
        #expect(Quantity.idRange(.string("0 100000 65536"))?.count == 65536)
        #expect(Quantity.idRange(.string("0 0 4294967295"))?.count == 4_294_967_295)
        #expect(Quantity.idRange(.string("1 0 4294967295")) == nil)
        #expect(Quantity.idRange(.string("0 0 0")) == nil)
        #expect(Quantity.idRange(.string("0 0")) == nil)
        #expect(Quantity.idRange(.array([.integer(0), .integer(-1), .integer(1)])) == nil)
    }
}
