import Glibc
import Testing

extension Integration {
    /// Chains on a kernel that is taken for one without tcx, as those before Linux 6.6 are.
    @Suite(
        "Chains on older kernels", .needsRoot, .needsProgram("nft"), .needsProgram("tc"), .needsProgram("python3"),
        .needsCrashPoints)
    struct OlderKernelTests {
        let scene: SwitchScene

        init() throws {
            scene = try SwitchScene()
            try must("switch", "create", "lab", "--subnet", "10.99.0.0/24")
            try start("server", "10.99.0.7/24")
            try start("client", "10.99.0.9/24")
        }

        private func must(_ words: String...) throws {
            let outcome = try scene.box.sandbox(words, environment: ["SANDBOX_WITHOUT": "tcx"])
            guard outcome.succeeded else { throw Failure(saying: "\(words): \(outcome)") }
        }

        private func start(_ name: String, _ address: String) throws {
            try must(
                "run", "-d", "-n", name, "--unshare", "net", "--switch", "lab", "--address", address, "--", "sleep",
                "1000")
        }

        private func box(_ name: String) throws -> RunningSandbox { try RunningSandbox(joining: name, of: scene.box) }

        /// What filters of tc(8) are at the client's port.
        private func filters() throws -> String {
            let port = try scene.port(of: "client")["port"].text ?? ""
            return try ["ingress", "egress"].map { place in
                try scene.box.must([
                    "nsenter", "--net=\(scene.box.file("state/switches/lab/netns"))", "tc", "filter", "show", "dev",
                    port, place,
                ]).out
            }.joined()
        }

        @Test("functions are put in, replaced and taken out by filters of tc, without a lost frame")
        func hitless() throws {
            let client = try box("client")
            let flood = try client.start([], ["ping", "-n", "-q", "-i", "0.002", "10.99.0.7"], name: "flood")
            #expect(try !filters().contains("sandbox_steer"))
            for round in 0..<3 {
                try must("chain", "insert", "client", "bridge")
                #expect(try filters().contains("sandbox_steer"), "round \(round)")
                try must("chain", "replace", "client", "bridge", "bridge")
                try must("chain", "insert", "client", "counter", "--at", "1")
                try must("chain", "remove", "client", "bridge")
                try must("chain", "remove", "client", "counter")
                #expect(try !filters().contains("sandbox_steer"), "round \(round)")
            }
            let end = scene.endFlood(flood)
            #expect(end.numbers.count > 2 && end.numbers[0] > 100 && end.numbers[0] == end.numbers[1], "\(end.said)")
        }

        @Test("a function that dies stops the traffic, or is passed by", arguments: ["closed", "open"])
        func failure(policy: String) throws {
            let file = try scene.box.write(
                "weak.toml", "[function]\nplacement = \"sandbox\"\nfail = \"\(policy)\"\n")
            let client = try box("client")
            try must("chain", "insert", "client", file)
            #expect(try client.ping("10.99.0.7"))
            kill(try box("client.weak").command, SIGKILL)
            #expect(
                Clock.waitUntil {
                    (try? scene.box.sandbox(["events", "--no-follow"]).out.contains("chain-failed")) == true
                })
            #expect(try client.ping("10.99.0.7") == (policy == "open"))
            try must("chain", "remove", "client", "1")
            #expect(try client.ping("10.99.0.7"))
        }
    }
}
