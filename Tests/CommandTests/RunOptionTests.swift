import ArgumentParser
import Testing

@testable import Profile
@testable import sandbox

@Suite("One table of options")
struct RunOptionTests {
    @Test("the general parser declares the same options: names, values, repetition, help, completion")
    func sameSet() throws {
        let tree = try CommandDescription.tree()
        let run = try #require(tree.subcommands?.first { $0.commandName == "run" })
        let declared = run.options.filter { !$0.texts.contains("--help") && !$0.texts.contains("--version") }
        #expect(Set(declared.flatMap(\.texts)).count == declared.flatMap(\.texts).count)
        #expect(declared.count == RunOption.all.count)
        for option in RunOption.all {
            let twin = try #require(declared.first { $0.texts.contains("--" + option.long) }, "\(option.long)")
            #expect(twin.texts.contains { $0.hasPrefix("-\(option.short ?? "-")") })
            #expect((twin.texts.count == 2) == (option.short != nil))
            #expect(twin.takesValue == (option.placeholder != nil))
            #expect(option.placeholder == nil || twin.valueName == option.placeholder)
            #expect(twin.isRepeating == option.isRepeatable || option.placeholder == nil)
            #expect(twin.abstract == option.help)
            #expect(twin.completion == option.completion)
        }
    }

    @Test(
        "both parsers make the same request of a line",
        arguments: [
            ["-p", "a", "-pb", "--unshare", "net", "--rm", "--", "ls", "-l"],
            ["--json", "--dry-run", "--bind=/a:/b", "--env", "A=b", "-t", "-n", "x", "ls", "--help"],
            ["--join", "net=/x", "--root", "/r", "--overlay", "tmpfs", "--tmpfs", "/t", "--read-only", "/u", "--"],
            ["--hide", "/h", "--writable", "/w", "--private", "tmp,home", "--user", "u", "--group", "g", "id"],
            ["--workdir", "--dashes", "--clear-env", "--hostname", "h", "--capabilities", "CHOWN", "--", "--bind"],
        ])
    func sameRequest(words: [String]) throws {
        let lean = try #require(
            try RunParser(word: { words[$0] }, count: words.count, directory: currentDirectory).parse(from: 0))
        let general = try #require(try SandboxCommand.parseAsRoot(["run"] + words) as? RunCommand).request()
        #expect(lean.profiles == general.profiles)
        #expect(Set(lean.overrides.map(\.key)) == Set(general.overrides.map(\.key)))
        #expect(lean.overrides.count == general.overrides.count)
        for override in lean.overrides { #expect(general.overrides.contains(override)) }
        #expect(lean.command == general.command)
        #expect(lean.name == general.name)
        #expect(lean.isDryRun == general.isDryRun)
        #expect(lean.json == general.json)
        #expect(lean.removesRecord == general.removesRecord)
    }

    @Test("an option's value is such as its key takes: nothing is looked up at a launch")
    func exactValues() throws {
        func kind(_ key: String) throws -> Kind {
            let path = try #require(DocumentPath(parsing: key))
            return try #require(Schema.kind(at: path), "\(key)")
        }
        for option in RunOption.all {
            switch option.effect {
            case .text(let key), .path(let key), .constant(let key, .text):
                switch try kind(key) {
                case .list, .vector, .tables, .section, .map, .boolean, .integer, .number:
                    Issue.record("--\(option.long) gives \(key) text")
                default: break
                }
            case .constant(let key, .yes):
                guard case .boolean = try kind(key) else { Issue.record("\(key) is no boolean"); continue }
            case .oneOrMore(let key):
                guard case .oneOrMore = try kind(key) else { Issue.record("\(key) takes one alone"); continue }
            case .words(let key), .item(let key), .paths(let key): #expect(try kind(key).takesItems, "\(key)")
            case .set, .unshare, .join, .bind, .tmpfs, .environment, .profile, .name, .remove, .detach, .view, .dryRun,
                .json:
                break
            }
        }
        for key in ["namespaces.unshare", "filesystem.bind", "filesystem.tmpfs", "process.environment.keep"] {
            #expect(try kind(key).takesItems, "\(key)")
        }
    }
}
