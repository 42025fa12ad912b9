import Foundation
import Testing

extension Integration {
    /// What the README shows, done as it stands there.
    @Suite("README", .needsRoot) struct ReadmeTests {
        let box: Box

        init() throws { box = try Box() }

        @Test("the session of servers in the background") func session() throws {
            let script = try Self.block(after: "<!-- session -->")
            #expect(script.split(separator: "\n").count > 15)
            let outcome = try box.run(
                ["bash", "-euc", "PATH=\(try installed()):$PATH\n" + script], timeout: 120)
            #expect(outcome.succeeded, "\(outcome)")
            for words in [
                "hello from the box", "OK", "seccomp mode filter", "paused", "Ready to accept connections",
                "the job ended with 7", "exited with 7", "nginx", "redis-server", "updated",
            ] { #expect(outcome.out.contains(words), "\(words) is missing in:\n\(outcome.out)") }
            #expect(try box.sandbox(["ps", "-a", "-q"]).out == "")
        }

        @Test("the profile for Firefox is accepted") func firefox() throws {
            let block = try Self.block(after: "<!-- firefox -->")
            #expect(block.hasPrefix("toml\n") && block.contains("firefox-esr"))
            let file = try box.write("firefox.toml", String(block.dropFirst(5)))
            let check = try box.run([try installed() + "/sandbox", "profile", "check", file])
            #expect(check.succeeded && check.text.hasSuffix("good"), "\(check)")
        }

        /// The lines of the code block that follows a mark.
        private static func block(after mark: String) throws -> String {
            let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../README.md")
            let text = try String(contentsOf: file, encoding: .utf8)
            let tail = try #require(text.range(of: mark).map { text[$0.upperBound...] })
            let parts = tail.components(separatedBy: "```")
            return parts[1].hasPrefix("sh\n") ? String(parts[1].dropFirst(3)) : parts[1]
        }

        /// A folder with the executable under its own name, the shipped profiles where it looks for them.
        private func installed() throws -> String {
            try box.folder("prefix/bin")
            try box.folder("prefix/share/sandbox")
            let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
                .path
            try box.must(["cp", Binary.path, box.file("prefix/bin/sandbox")])
            try box.must(["cp", "-r", root + "/Profiles", box.file("prefix/share/sandbox/profiles")])
            return box.file("prefix/bin")
        }
    }
}
