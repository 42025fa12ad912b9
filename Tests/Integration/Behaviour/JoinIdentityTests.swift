import Testing

extension Integration {
    @Suite("Identity in a joined user namespace", .needsRoot) struct JoinIdentityTests {
        let box: Box

        init() throws { box = try Box() }

        /// A process in a user namespace that maps `inside` to an id that is not the caller's.
        private func stranger(inside: UInt32) throws -> Child {
            let toml = """
                namespaces.unshare = ["user"]
                security.uid-map = ["\(inside) 100000 1"]
                """
            let child = try box.startSandbox(toml, [], ["/bin/sh", "-c", "echo up; exec sleep 100"])
            try #require(box.waitForOutput("up"))
            return child
        }

        @Test("who joins becomes a user of the namespace, not the outer root under another name") func mapped() throws {
            let child = try stranger(inside: 0)
            let file = try box.write("root-owned", "before\n", mode: 0o600)
            let outcome = try box.sandbox(
                [
                    "run", "--join", "user=/proc/\(child.pid)/ns/user", "--", "/bin/sh", "-c",
                    "id -u; id -G; cat \(file)",
                ])
            #expect(outcome.text == "0\n0")
            #expect(outcome.err.contains("Permission denied"))
        }

        @Test("control: nsenter with the outer credentials reads it") func control() throws {
            let child = try stranger(inside: 0)
            let file = try box.write("root-owned", "before\n", mode: 0o600)
            let outcome = try box.run(["nsenter", "--preserve-credentials", "-U", "-t", "\(child.pid)", "cat", file])
            #expect(outcome.text == "before")
        }

        @Test("a namespace without a root asks for a user") func unmapped() throws {
            let child = try stranger(inside: 7)
            let join = ["run", "--join", "user=/proc/\(child.pid)/ns/user"]
            let refused = try box.sandbox(join + ["--", "true"])
            #expect(refused.status == 125)
            #expect(refused.err.contains("process.user"))
            let named = try box.sandbox(
                join + ["--set", "process.user=7", "--set", "process.group=7", "--", "id", "-u"])
            #expect(named.text == "7")
        }

        @Test("a waiter keeps the caller's identity: what it made outside it can remove") func waiter() throws {
            let words = [
                "run", "--unshare", "user,pid", "--set", "security.uid-map=[\"0 100000 65536\"]", "-n", "mapped",
            ]
            let outcome = try box.sandbox(words + ["--set", "process.oom-score-adjust=7", "--", "id", "-u"])
            #expect(outcome.succeeded && outcome.text == "0", "\(outcome)")
        }
    }
}
