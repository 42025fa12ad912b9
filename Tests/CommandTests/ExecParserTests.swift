import Launch
import Profile
import Testing

@testable import sandbox

@Suite("The lean parser of exec")
struct ExecParserTests {
    private func parse(_ words: String...) throws -> ExecRequest? { try parse(words) }

    private func parse(_ words: [String]) throws -> ExecRequest? {
        let parser = ExecParser(word: { words[$0] }, count: words.count) { ["TERM": "vt100"][$0] }
        return try parser.parse(from: 0)
    }

    @Test("options stand before the name and after it, until the command or --") func places() throws {
        for line in [
            try parse("web", "-t", "--user", "www", "ls", "-l"), try parse("-t", "--user=www", "web", "ls", "-l"),
            try parse("-t", "web", "--user", "www", "--", "ls", "-l"),
        ] {
            #expect(line?.name == "web")
            #expect(line?.options.terminal == true && line?.options.user == "www")
            #expect(line?.command == ["ls", "-l"])
        }
        #expect(try parse("web", "ls", "--user", "x")?.options.user == nil)
        #expect(try parse("web", "ls", "--user", "x")?.commandStart == 1)
        #expect(try parse("web", "--", "--user", "x")?.command == ["--user", "x"])
        #expect(try parse("--", "web", "-t", "x")?.command == ["-t", "x"])
    }

    @Test("every option") func all() throws {
        let request = try parse(
            "web", "--user", "u", "--group", "g", "--workdir", "/srv", "--env", "A=1", "--env", "B=", "--env", "TERM",
            "--env", "GONE", "id")
        var options = ExecOptions()
        options.user = "u"
        options.group = "g"
        options.workingDirectory = "/srv"
        options.environment = ["A": "1", "B": "", "TERM": "vt100"]
        #expect(request?.options == options)
    }

    @Test(
        "what it can't take goes to the general parser",
        arguments: [
            [], ["web"], ["web", "--"], ["web", "-t"], ["--help"], ["web", "--help"], ["web", "--frob", "ls"],
            ["web", "--user"], ["web", "-x", "ls"], ["-t"], ["web", "--terminal=yes", "ls"],
        ])
    func handOver(words: [String]) throws { #expect(try parse(words) == nil) }

    @Test("empty values are refused", arguments: ["--user=", "--group=", "--workdir=", "--env=", "--env==x"])
    func emptyValues(word: String) { #expect(throws: UsageError.self) { try parse("web", word, "ls") } }

    @Test("bytes that are no UTF-8 are refused in options and kept in the command") func invalidText() throws {
        let words = ["web", "--env", nil, "ls", nil]
        #expect(throws: UsageError.self) {
            try ExecParser(word: { words[$0] }, count: 5) { _ in nil }.parse(from: 0)
        }
        let kept = ExecParser(word: { [0: "web", 1: "ls"][$0] }, count: 3) { _ in nil }
        #expect(try kept.parse(from: 0)?.commandStart == 1)
        #expect(try kept.parse(from: 0)?.command.count == 2)
    }
}
