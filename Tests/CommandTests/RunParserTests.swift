import Profile
import Testing

@testable import sandbox

@Suite("The launch path's parser")
struct RunParserTests {
    private func parse(_ words: String...) throws -> RunRequest? {
        let parser = RunParser(word: { words[$0] }, count: words.count, directory: { "/home/me" })
        return try parser.parse(from: 0)
    }

    private func keys(_ request: RunRequest?) -> [String] { request?.overrides.map(\.key) ?? [] }

    @Test("values stand after the option or after an equals sign, short ones may be joined")
    func forms() throws {
        for line in [
            try parse("--profile", "web", "ls"), try parse("--profile=web", "ls"), try parse("-p", "web", "ls"),
            try parse("-pweb", "ls"),
        ] {
            #expect(line?.profiles == ["web"])
            #expect(line?.command == ["ls"])
        }
        let both = try parse("-tp", "web", "ls")
        #expect(both?.profiles == ["web"])
        #expect(both?.overrides == [Override("process.terminal", .string("pty"))])
    }

    @Test("all after the first word or -- is the command's, whatever it looks like")
    func command() throws {
        let request = try parse("-n", "web", "ls", "--bind", "/a", "-p", "x", "--")
        #expect(request?.command == ["ls", "--bind", "/a", "-p", "x", "--"])
        #expect(request?.commandStart == 2)
        #expect(try parse("--", "--bind", "/etc:/x")?.command == ["--bind", "/etc:/x"])
        #expect(try parse("--", "--bind", "/etc:/x")?.overrides.isEmpty == true)
        #expect(try parse("--", "--", "ls")?.command == ["--", "ls"])
        #expect(try parse("-", "x")?.command == ["-", "x"])
        #expect(try parse("", "x")?.command == ["", "x"])
        #expect(try parse("--")?.command == [])
        #expect(try parse("--")?.commandStart == nil)
    }

    @Test("a value may look like an option")
    func valuesWithDashes() throws {
        #expect(
            try parse("--workdir", "--bind", "ls")?.overrides == [
                Override("process.working-directory", .string("--bind"))
            ])
        #expect(try parse("--env", "A=--x", "ls")?.command == ["ls"])
    }

    @Test(
        "what it can't take goes to the general parser",
        arguments: [
            ["--help"], ["-h"], ["--frob", "ls"], ["-x", "ls"], ["--profile"], ["-p"], ["--rm=yes", "ls"],
            ["-tx", "ls"],
            ["--pro", "web", "ls"],
        ])
    func handOver(words: [String]) throws {
        let parser = RunParser(word: { words[$0] }, count: words.count, directory: { "/" })
        #expect(try parser.parse(from: 0) == nil)
    }

    @Test("bytes that are no UTF-8 are refused in options and kept in the command")
    func invalidText() throws {
        let words = ["--hostname", nil, "ls", nil]
        let refused = RunParser(word: { words[$0] }, count: 2, directory: { "/" })
        #expect(throws: UsageError("argument 1 is not valid UTF-8")) { try refused.parse(from: 0) }
        let kept = RunParser(word: { words[$0] }, count: 4, directory: { "/" })
        #expect(try kept.parse(from: 2)?.commandStart == 2)
        #expect(try kept.parse(from: 2)?.command.count == 2)
    }

    @Test(
        "empty values are refused", arguments: ["--name=", "--user=", "--profile=", "--hide=", "--set=", "--unshare="])
    func emptyValues(word: String) {
        #expect(throws: UsageError.self) { try parse(word, "ls") }
    }
}
