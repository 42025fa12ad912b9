import Glibc
import Profile
import Testing

@testable import sandbox

@Suite("Manual pages and completion scripts")
struct ManualTests {
    @Test("every command has a page that names all its options")
    func complete() throws {
        let pages = try Manual.pages()
        let tree = try CommandDescription.tree()
        #expect(Set(pages.map(\.fileName)).count == pages.count)
        #expect(pages.map(\.fileName).contains("sandbox.1"))
        for command in tree.subcommands ?? [] {
            let page = try #require(pages.first { $0.fileName == "sandbox-\(command.commandName).1" })
            for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"] {
                #expect(page.text.contains(".Sh \(heading)\n"), "\(page.fileName): \(heading)")
            }
            for option in (command.subcommands ?? [command]).flatMap(\.options) {
                for name in option.texts where name.hasPrefix("--") && name != "--help" && name != "--version" {
                    #expect(page.text.contains("Fl -" + name.dropFirst(2)), "\(page.fileName): \(name)")
                }
            }
        }
    }

    @Test("the page of the profile language has every section and key")
    func language() throws {
        let page = try #require(try Manual.pages().first { $0.section == 5 })
        for section in ["namespaces", "process", "limits", "filesystem", "security", "resources", "network"] {
            #expect(page.text.contains(".Ss The section \(section)\n"))
        }
        for key in ["unshare", "no-new-privileges", "read-only", "seccomp", "memory", "keep-descriptors"] {
            #expect(page.text.contains(".It Cm \(key)"))
        }
    }

    @Test("no text is taken for a request")
    func escaping() {
        #expect(mdocText(".Sh") == "\\&.Sh")
        #expect(mdocText("'x") == "\\&'x")
        #expect(mdocText("a\\b") == "a\\eb")
        #expect(mdocArgument("a b") == "\"a b\"")
    }

    @Test("mandoc finds nothing to say", .enabled(if: findProgram("mandoc") != nil, "needs mandoc"))
    func lint() throws {
        var template = Array("/tmp/sandbox-manual-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let mandoc = try #require(findProgram("mandoc"))
        defer { rmdir(folder) }
        for page in try Manual.pages() {
            let path = folder + "/" + page.fileName
            let file = open(path, O_WRONLY | O_CREAT, 0o600)
            try #require(file >= 0)
            try Output.write(page.text, to: file, name: path)
            close(file)
            // Pages that are not installed here can't be found.
            let told = Subprocess.run(mandoc, ["-T", "lint", "-W", "warning", path]).output
            #expect(told.isEmpty, "\(told)")
            unlink(path)
        }
    }

    @Test("a script names every option of every command", arguments: CompletionScript.Shell.allCases)
    func scripts(shell: CompletionScript.Shell) throws {
        let script = try CompletionScript.text(for: shell)
        for (_, command) in try CommandDescription.tree().flattened {
            for option in command.options {
                for name in option.names ?? [] {
                    #expect(script.contains(shell == .fish && name.kind == "long" ? "-l \(name.name)" : name.text))
                }
            }
        }
    }

    @Test("the committed scripts are fresh", arguments: CompletionScript.Shell.allCases)
    func fresh(shell: CompletionScript.Shell) throws {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        let script = try CompletionScript.text(for: shell)
        #expect(
            fileText("\(root)/completions/\(shell.fileName)") == script,
            "sandbox --generate-completion-script \(shell.rawValue) > completions/\(shell.fileName)")
    }

    @Test("the flag takes both forms, and refuses other shells")
    func flag() throws {
        let flag = "--generate-completion-script"
        #expect(try CompletionScript.requested(by: [flag, "bash"]) == CompletionScript.text(for: .bash))
        #expect(try CompletionScript.requested(by: [flag + "=fish"]) == CompletionScript.text(for: .fish))
        #expect(try CompletionScript.requested(by: ["run", flag, "bash"]) == nil)
        #expect(throws: UsageError.self) { try CompletionScript.requested(by: [flag, "csh"]) }
    }

    @Test("candidates of comma-separated lists keep what is there")
    func candidateLists() {
        #expect(candidates(.namespaces, "net,").map(\.word).contains("net,pid"))
        #expect(!candidates(.namespaces, "net,").map(\.word).contains("net,net"))
        #expect(candidates(.namespaces, "all,!").map(\.word).contains("all,!time"))
        #expect(candidates(.joins, "").map(\.word).contains("net="))
        #expect(candidates(.joins, "net=/").map(\.word).contains("net=/etc/"))
        #expect(candidates(.overlays, "").first?.word == "tmpfs")
        #expect(candidates(.capabilities, "").map(\.word).contains("NET_BIND_SERVICE"))
        #expect(candidates(.keys, "process.terminal=").map(\.word).contains("process.terminal=pty"))
        #expect(candidates(.users, "").map(\.word).contains("root"))
    }
}
