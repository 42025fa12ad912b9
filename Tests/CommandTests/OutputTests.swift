import Testing

@testable import sandbox

@Suite("Output")
struct OutputTests {
    @Test(
        "S27: nothing that a terminal would act on gets through",
        arguments: [
            ("plain äö 漢字 🙂", "plain äö 漢字 🙂"), ("\u{1b}[31mred", "\\x1b[31mred"), ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{9b}2J", "\\x9b2J"), ("\u{7f}", "\\x7f"), ("\u{0}", "\\x00"), ("a\u{202e}b", "a\\u{202e}b"),
            ("a\u{2066}b\u{2069}", "a\\u{2066}b\\u{2069}"), ("\u{200b}", "\\u{200b}"), ("\u{feff}", "\\u{feff}"),
            ("a\u{2028}b", "a\\u{2028}b"), ("\u{e0041}", "\\u{e0041}"),
        ])
    func escapes(text: String, safe: String) { #expect(printable(text) == safe) }

    @Test("colour only on a terminal, not with NO_COLOR, not on a dumb one")
    func colour() {
        #expect(Style(isTerminal: true, noColour: nil, term: "xterm").isColoured)
        #expect(Style(isTerminal: true, noColour: "", term: "xterm").isColoured)
        #expect(!Style(isTerminal: true, noColour: "1", term: "xterm").isColoured)
        #expect(!Style(isTerminal: true, noColour: nil, term: "dumb").isColoured)
        #expect(!Style(isTerminal: true, noColour: nil, term: nil).isColoured)
        #expect(!Style(isTerminal: false, noColour: nil, term: "xterm").isColoured)
        #expect(Style(isTerminal: false, noColour: nil, term: "xterm")(.red, "x") == "x")
    }

    @Test("a table is as wide as the terminal, and its cells are safe")
    func table() {
        let plain = Style(isTerminal: false, noColour: nil, term: nil)
        let table = Table(headings: ["NAME", "WHAT"], rows: [["a", "漢字 that is long"], ["long\u{1b}", "x"]])
        #expect(table.text(width: nil, style: plain) == "NAME      WHAT\na         漢字 that is long\nlong\\x1b  x\n")
        #expect(table.text(width: 20, style: plain) == "NAME      WHAT\na         漢字 that…\nlong\\x1b  x\n")
    }

    @Test("prose is wrapped between words")
    func wrapping() {
        #expect(wrapped("one two three", width: 8) == "one two\nthree")
        #expect(wrapped("one two three", width: 10, indent: 2) == "one two\n  three")
        #expect(wrapped("", width: 10) == "")
    }
}
