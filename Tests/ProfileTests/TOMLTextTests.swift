import Testing

@testable import Profile

struct TOMLTextTests {
    /// Tables as the parser gives them: their keys sorted.
    private func sorted(_ value: Value) -> Value {
        switch value {
        case .array(let items): .array(items.map(sorted))
        case .table(let entries):
            .table(entries.map { ($0.key, sorted($0.value)) }.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) })
        default: value
        }
    }

    /// Equal byte for byte: canonically equivalent text is not the same.
    private func expectSame(_ left: Value?, _ right: Value, _ comment: Comment) {
        #expect(left == right, comment)
        if let left { #expect(left.compactJSON.utf8.elementsEqual(right.compactJSON.utf8), comment) }
    }

    @Test func aDocumentHasKeysThenSections() {
        let document = Value.table([
            ("first", .table([("inner", .table([("x", .integer(1))])), ("y", .strings(["a", "b"]))])),
            ("second", .bool(true)), ("third", .table([("only", .table([("z", .double(0.5))]))])),
            ("empty", .table([])), ("none", .null), ("odd key", .table([("a.b", .string("c"))])),
            ("list", .array([.table([("k", .integer(1)), ("none", .null)]), .null])),
        ])
        #expect(
            document.tomlDocument() == """
                second = true
                list = [{ k = 1 }]

                [first]
                y = ["a", "b"]

                [first.inner]
                x = 1

                [third.only]
                z = 0.5

                [empty]

                ["odd key"]
                "a.b" = "c"

                """)
    }

    static let texts: [String] =
        [
            "", " ", "\"", "\\", "'", "'''", "\"\"\"", "a\nb", "a\r\nb", "\r", "\t", "\u{7f}", "\u{80}", "\u{85}",
            "\u{2028}", "\u{2029}", "\u{feff}", "\u{fffd}", "\u{ffff}", "\u{10ffff}", "e\u{301}", "\u{e9}",
            "\u{1f468}\u{200d}\u{1f4bb}",
            "\\u0041", "\\n", "${x}", "#", "# no comment", "[x]", "a = 1", "=", ".", "a.b", "true", "1979-05-27", "inf",
            "\u{202e}abc", Samples.odd, String(repeating: "\"\\\n", count: 200),
        ] + (1..<32).map { "a" + String(Unicode.Scalar(UInt8($0))) + "b" }

    @Test(arguments: texts) func textIsReadBack(text: String) throws {
        let document = Value.table([
            (text, .table([("in", .table([(text, .string(text)), ("list", .strings([text, text]))]))])),
            ("inline", .array([.table([(text, .string(text))])])), ("plain", .string(text)),
        ])
        let read = try TOMLDocument(file: "x", text: document.tomlDocument()).value
        expectSame(read, sorted(document), "\(text.unicodeScalars.map { $0.value })")
    }

    @Test func numbersAreReadBack() throws {
        let numbers: [Value] = [
            .integer(0), .integer(-1), .integer(.min), .integer(.max), .double(0), .double(-0.5), .double(1e300),
            .double(.leastNonzeroMagnitude), .double(.greatestFiniteMagnitude), .double(0.1), .double(1e16),
            .double(.infinity),
            .double(-.infinity), .bool(false), .array([]), .table([]), .array([.array([.integer(1)]), .array([])]),
        ]
        for number in numbers {
            let document = Value.table([("x", number), ("list", .array([number]))])
            let read = try TOMLDocument(file: "x", text: document.tomlDocument()).value
            #expect(read == sorted(document), "\(number)")
        }
        let nan = try TOMLDocument(file: "x", text: Value.table([("x", .double(.nan))]).tomlDocument()).value
        guard case .double(let read)? = nan["x"] else {
            Issue.record("\(nan)")
            return
        }
        #expect(read.isNaN)
    }

    @Test func whatIsNotThereIsLeftOut() {
        #expect(Value.table([("x", .null), ("y", .array([.null]))]).toml == "{ y = [] }")
        #expect(Value.table([("x", .null)]).tomlDocument() == "")
        #expect(Value.table([("t", .table([("x", .null)]))]).tomlDocument() == "[t]\n")
    }

    /// TOML has no NUL; a text that holds one is refused when it is read, not cut.
    @Test func aNULIsNotReadBack() {
        let text = Value.table([("x", .string("a\0b"))]).tomlDocument()
        #expect(throws: ProfileError.self) { try TOMLDocument(file: "x", text: text) }
    }
}
