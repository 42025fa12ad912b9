import Testing

@testable import sandbox

@Suite("The line that tells how far work is")
struct ProgressLineTests {
    @Test("bar, bytes and time, as far as they are known, within the terminal")
    func text() {
        let line = ProgressLine(title: "saving web", total: 200_000_000)
        #expect(line.text(done: 100_000_000, seconds: 3, width: 200).contains("[##########----------]"))
        #expect(line.text(done: 300_000_000, seconds: 3, width: 200).contains("[####################]"))
        #expect(line.text(done: nil, seconds: 3, width: 200) == "saving web  3 s")
        #expect(ProgressLine(title: "x").text(done: 0, seconds: 0, width: 80) == "x  0 s")
        #expect(line.text(done: 1, seconds: 1, width: 10).count == 9)
        #expect(ProgressLine(title: "a\u{1b}[2Jb").text(done: nil, seconds: 0, width: 80).contains("\u{1b}") == false)
    }
}
