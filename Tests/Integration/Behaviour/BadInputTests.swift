import Glibc
import Testing

extension Integration {
    /// One line with file, position, key and mend; exit 125; nothing started, nothing left.
    @Suite("Bad input") struct BadInputTests {
        let box: Box

        init() throws { box = try Box() }

        /// Runs under a profile that cannot be used, and checks that nothing happened.
        func refuse(_ toml: String, naming words: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
            let marker = box.file("started")
            let outcome = try box.launch(toml, [], ["touch", marker])
            expectRefused(outcome, sourceLocation: sourceLocation)
            for word in words { #expect(outcome.err.contains(word), "\(outcome)", sourceLocation: sourceLocation) }
            #expect(!Files.exists(marker), sourceLocation: sourceLocation)
            #expect(Files.list(box.file("state")).isEmpty, sourceLocation: sourceLocation)
        }

        @Test("an unknown key: file, line, nearest key") func unknownKey() throws {
            try refuse(
                "description = \"x\"\n\n[process]\nhostnam = \"a\"\n", naming: "test.toml:4", "hostnam", "hostname")
            try refuse("[filesytem]\nhide = []\n", naming: "test.toml:1", "filesytem", "filesystem")
        }

        @Test(
            "a wrong type",
            arguments: [
                ("[process]\nnice = \"low\"\n", "process.nice"),
                ("[process]\ncommand = \"ls -l\"\n", "process.command"),
                ("[namespaces]\nunshare = \"net\"\n", "namespaces.unshare"),
                ("[filesystem]\nbind = [\"/a:/b\"]\n", "filesystem.bind"),
                ("[filesystem]\nlandlock = \"yes\"\n", "filesystem.landlock"),
                ("[process]\nnice = 99999999999999999999\n", "test.toml:2"),
            ])
        func wrongType(toml: String, key: String) throws { try refuse(toml, naming: "test.toml:2", key) }

        @Test(
            "a value that is none",
            arguments: [
                ("[namespaces]\nunshare = [\"nett\"]\n", "nett"), ("[process]\nterminal = \"big\"\n", "big"),
                ("[filesystem]\nprivate = [\"temp\"]\n", "temp"), ("[process]\numask = \"0999\"\n", "umask"),
                ("[limits]\nnofiles = 3\n", "nofiles"), ("[process]\nnice = 40\n", "nice"),
                ("[network]\naddress = \"10.0.0.1/99\"\n", "address"),
            ])
        func wrongValue(toml: String, word: String) throws { try refuse(toml, naming: "test.toml:2", word) }

        @Test("not TOML at all") func syntax() throws {
            try refuse("[process\nnice = 1\n", naming: "test.toml:1")
            try refuse("[process]\nnice = 1\nnice = 2\n", naming: "test.toml")
        }

        @Test("binary garbage") func garbage() throws {
            let path = box.file("test.toml")
            try box.must(["sh", "-c", "head -c 4096 /dev/urandom > \(path)"])
            let marker = box.file("started")
            let outcome = try box.sandbox(["run", "-p", path, "--", "touch", marker])
            expectRefused(outcome, naming: "test.toml")
            #expect(!Files.exists(marker))
            #expect(
                outcome.err.utf8.allSatisfy { $0 >= 32 || $0 == 10 },
                "control characters in \(outcome.err.debugDescription)")
        }

        @Test("a file of 10 MB") func large() throws {
            let path = box.file("test.toml")
            try box.must(["sh", "-c", "yes '# a comment of some length, again and again' | head -c 10M > \(path)"])
            expectRefused(try box.sandbox(["run", "-p", path, "--", "true"]), naming: "test.toml")
        }

        @Test("a file that is missing, a folder, an unreadable one") func missing() throws {
            expectRefused(try box.sandbox(["run", "-p", box.file("none.toml"), "--", "true"]), naming: "none.toml")
            expectRefused(try box.sandbox(["run", "-p", box.path, "--", "true"]))
            expectRefused(try box.sandbox(["run", "-p", "no-such-profile", "--", "true"]), naming: "no-such-profile")
        }

        @Test("a loop in extends") func loop() throws {
            try box.write("other.toml", "extends = [\"\(box.path)/test.toml\"]\n")
            try refuse("extends = [\"\(box.path)/other.toml\"]\n", naming: "extends")
            try refuse("extends = [\"\(box.path)/test.toml\"]\n", naming: "extends")
            try refuse("extends = [\"no-such-base\"]\n", naming: "test.toml:1", "no-such-base")
        }

        @Test(
            "an option that is none",
            arguments: [
                ["--no-such"], ["--unshare", "nett"], ["--unshare"], ["--set", "process.nice"], ["--set", "x"],
                ["--env", "=x"], ["--tmpfs", "relative"], ["--bind", ""],
            ])
        func options(words: [String]) throws {
            let marker = box.file("started")
            expectRefused(try box.sandbox(["run"] + words + ["--", "touch", marker]))
            #expect(!Files.exists(marker))
        }

        @Test("an unknown command, with the nearest") func command() throws {
            expectRefused(try box.sandbox(["rum", "--", "true"]), naming: "rum", "run")
        }

        @Test("a namespace that the kernel refuses", .needsRoot) func namespaceLimit() throws {
            // A user namespace in which the number of further ones is limited to none.
            let script = "echo 0 > /proc/sys/user/max_net_namespaces; exec \"$@\""
            let words = [Binary.shared, "run", "--unshare", "net", "--", "touch", box.file("started")]
            let outcome = try box.run(["unshare", "-Ur", "sh", "-c", script, "sh"] + words)
            expectRefused(outcome, naming: "net")
            #expect(!Files.exists(box.file("started")))
        }

        @Test("no permission", .needsRoot) func permission() throws {
            let user = try Box(as: Box.user)
            try Files.write("x\n", to: user.file("closed.toml"), mode: 0o600)
            expectRefused(
                try user.sandbox(["run", "-p", user.file("closed.toml"), "--", "true"]), naming: "closed.toml")
            try box.must(["mkdir", "-m", "700", user.path + "/closed"])
            expectRefused(
                try user.launch("", ["--unshare", "user,mount", "--bind", "\(user.path)/closed/x:/mnt"], ["true"]),
                naming: "closed")
        }
    }
}
