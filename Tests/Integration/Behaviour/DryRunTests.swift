import Glibc
import Testing

extension Integration {
    /// The plan, shown instead of carried out.
    @Suite("Dry run") struct DryRunTests {
        let box: Box

        init() throws { box = try Box() }

        static let toml = """
            [namespaces]
            unshare = ["mount", "pid", "net"]
            [filesystem]
            read-only = ["/usr"]
            hide = ["/etc/shadow"]
            private = ["tmp"]
            [process]
            user = "daemon"
            hostname = "shown"
            [security.seccomp]
            deny = ["@mount"]
            """

        @Test("for a person, and nothing is started") func text() throws {
            let marker = box.file("started")
            let outcome = try box.launch(
                Self.toml, ["--unshare", "mount,pid,net,uts", "--dry-run"], ["touch", marker])
            #expect(outcome.succeeded, "\(outcome)")
            for word in ["mount", "pid", "net", "/usr", "/etc/shadow", "/tmp", "daemon", "shown", "touch"] {
                #expect(outcome.out.contains(word), "\(word) is not in \(outcome)")
            }
            #expect(!Files.exists(marker))
            #expect(Files.list(box.file("state")).isEmpty)
        }

        @Test("--json: one document", .needsProgram("python3")) func json() throws {
            let outcome = try box.launch(
                Self.toml, ["--unshare", "mount,pid,net,uts", "--dry-run", "--json"], ["touch", box.file("started")])
            #expect(outcome.succeeded, "\(outcome)")
            let check = "import json, sys; d = json.load(sys.stdin); print(isinstance(d, dict)); print(json.dumps(d))"
            let parsed = try box.run(["python3", "-c", check], input: .text(outcome.out))
            #expect(parsed.succeeded && parsed.lines.first == "True", "\(parsed) \(outcome)")
            for word in ["touch", "/etc/shadow", "mount"] { #expect(parsed.out.contains(word), "\(word): \(parsed)") }
            #expect(!Files.exists(box.file("started")))
        }

        @Test("an unusable profile is refused here too") func refused() throws {
            expectRefused(try box.launch("[process]\nnise = 1\n", ["--dry-run"], ["true"]), naming: "nise")
        }
    }
}
