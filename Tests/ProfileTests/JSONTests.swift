import Testing

@testable import Profile

@Suite("JSON")
struct JSONTests {
    @Test("what is written is read") func roundTrip() {
        let value = Value.table([
            ("text", .string("a\"\\\n\t\r\u{1}\u{7f}é🎉/")),
            ("numbers", .array([.integer(-7), .integer(.max), .double(1.5)])),
            ("flags", .array([.bool(true), .bool(false), .null])), ("empty", .table([])), ("none", .array([])),
        ])
        #expect(Value(json: value.json) == value)
        #expect(Value(json: value.compactJSON) == value)
    }

    @Test("escapes and spaces") func escapes() {
        #expect(Value(json: " \"\\u00e9\\ud83c\\udf89\\/\\b\\f\" ") == .string("é🎉/\u{8}\u{c}"))
        #expect(Value(json: "[ 1 , 2e3 , -0.5 ]\n") == .array([.integer(1), .double(2000), .double(-0.5)]))
    }

    @Test(
        "what is none",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "01", "1.", ".5", "+1", "--1", "tru", "\"a", "\"\\x\"",
            "\"\\ud83c\"", "\"\\u+123\"", "\"\n\"", "1 2", "nan", "{\"a\":1}}", String(repeating: "[", count: 100_000),
        ])
    func none(text: String) { #expect(Value(json: text) == nil) }
}
