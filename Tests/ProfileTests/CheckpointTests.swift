import Testing

@testable import Profile

struct CheckpointTests {
    @Test func everyKeyReachesTheModel() throws {
        let checkpoint = try load("[checkpoint]\nenabled = true\ntcp = \"close\"").profile.checkpoint
        #expect(checkpoint.enabled && checkpoint.tcp == .close)
        #expect(try load("").profile.checkpoint == Profile.Checkpoint())
        #expect(try load("[checkpoint]").profile.checkpoint.tcp == .established)
        #expect(try !load("[checkpoint]\nenabled = false").profile.checkpoint.enabled)
    }

    @Test("it brings a pid and a mount namespace, and the command as process 1")
    func brings() throws {
        let profile = try load("checkpoint.enabled = true\nnamespaces.unshare = [\"net\"]").profile.forCheckpoints
        #expect(profile.namespaces.unshare == [.net, .pid, .mount])
        #expect(!profile.process.initProcess)
        let without = try load("namespaces.unshare = [\"net\"]").profile
        #expect(without.forCheckpoints == without)
    }

    @Test("keys that need a mount namespace have one")
    func namespaces() throws {
        let text = "filesystem.hide = [\"/srv\"]\nfilesystem.proc = \"fresh\"\n"
        #expect(problem("checkpoint.enabled = true\n" + text) == "no error")
        #expect(problem(text).contains("needs a mount namespace"))
    }

    @Test(
        "what contradicts it is named with its place",
        arguments: [
            ("filesystem.landlock = true", "filesystem.landlock"),
            ("security.landlock.scope = [\"signal\"]", "security.landlock"),
            ("namespaces.join.pid = \"/proc/1/ns/pid\"", "namespaces.join.pid"),
            ("namespaces.join.user = \"/proc/1/ns/user\"", "namespaces.join.user"),
            ("process.terminal = \"pty\"", "process.terminal"),
            ("process.keep-descriptors = [5]", "process.keep-descriptors"),
            ("lifecycle.record-exit = false", "lifecycle.record-exit"), ("process.init = true", "process.init"),
        ])
    func contradictions(line: String, key: String) throws {
        let told = problem("checkpoint.enabled = true\n" + line)
        #expect(told.hasPrefix("a.toml:2:") && told.contains(": \(key): ") && told.contains("; "), "\(told)")
        #expect(problem(line) != told)
    }

    @Test("a network may be joined: it is not CRIU's")
    func joinedNetwork() throws {
        let text = "checkpoint.enabled = true\nnamespaces.join.net = \"/run/netns/blue\""
        #expect(problem(text) == "no error")
    }
}
