import Testing

@testable import Profile

@Suite("Profiles with parameters, run by themselves")
struct RunningTests {
    private static let pool = #"""
        extends = ["lean"]
        [function]
        placement = "proxy"
        [function.parameters]
        servers = { type = "words", required = true }
        peers = { type = "addresses" }
        port = { type = "integer", default = "80" }
        [function.presets]
        high = { port = "8080" }
        [process]
        command = ["sh", "-c", "echo $HOME $x $port"]
        environment = { set = { SERVERS = "$servers" } }
        [[filesystem.files]]
        path = "/run/pool"
        content = """
        begin $port
        allow $peers[]
        server $servers[] $servers[]:$port
        end"""
        """#

    private func run(_ names: [String], _ text: String = RunningTests.pool) throws(ProfileError) -> LoadedProfile {
        try store([
            "/user/functions/pool.toml": text,
            "/system/lean.toml": "description = \"lean\"\nnamespaces.unshare = [\"mount\"]",
            "/system/functions/gate.toml": "[function]\nplacement = \"inline\"\nto-switch = [\"drop\"]",
        ]).load(running: names)
    }

    private func message(_ names: [String], _ text: String = RunningTests.pool) -> String {
        do throws(ProfileError) {
            _ = try run(names, text)
            return "no error"
        } catch {
            return error.message
        }
    }

    @Test("values stand in the command, the environment and files, a line for each element of a list")
    func filled() throws {
        let profile = try run(["lean", "pool:high?servers=one,two"]).profile
        #expect(profile.process.command == ["sh", "-c", "echo $HOME $x 8080"])
        #expect(profile.process.environment.set["SERVERS"] == "one,two")
        #expect(profile.filesystem.files[0].content == "begin 8080\nserver one one:8080\nserver two two:8080\nend")
        #expect(profile.function == nil && profile.description == "lean")
    }

    @Test("values keep the place of what they were put into") func provenance() throws {
        let loaded = try run(["pool?servers=one"])
        #expect(loaded.provenance(of: "process.command")?.file == "/user/functions/pool.toml")
    }

    @Test(
        "what is wrong with parameters",
        arguments: [
            ("pool", "\"pool\" lacks the parameter \"servers\"; write pool?servers=…, words with commas between"),
            (
                "pool?sevrers=a",
                "\"pool?sevrers=a\" gives a parameter \"sevrers\", which pool has not; did you mean \"servers\"?"
            ),
            (
                "pool:hihg?servers=a",
                "\"pool:hihg?servers=a\" names the preset \"hihg\", which pool has not; did you mean \"high\"?"
            ),
            (
                "pool?servers=a b",
                "\"pool?servers=a b\" gives \"servers\" the value \"a b\"; write words with commas between"
            ),
            (
                "lean?port=1",
                "\"lean\" takes no parameters: its profile has no section [function]; name the profile alone"
            ),
            (
                "pool?servers=a@b",
                "\"pool?servers=a@b\" names an instance, which only a chain shares; take \"@…\" out; -n names the sandbox"
            ),
            (
                "gate",
                "/system/functions/gate.toml:2:13: function.placement: an inline function is no sandbox: "
                    + "it has no process; put \"gate\" into a chain with --chain"
            ),
        ])
    func bad(name: String, expected: String) { #expect(message([name]) == expected) }

    @Test("parameters of two profiles") func two() {
        #expect(
            message(["pool?servers=a", "pool?port=1"]).hasSuffix(
                "both give parameters; give them to one of the profiles"))
    }

    @Test(
        "a line for a list that is none",
        arguments: [
            ("$srevers[]", "has a line with $srevers[], which is no parameter; did you mean \"servers\"?"),
            ("$port[]", "has a line with $port[], which is no list; write $port"),
            ("$peers[] $servers[]", "has a line for two lists, $peers[] and $servers[]; write a line for each"),
        ])
    func badLines(line: String, expected: String) {
        let text = RunningTests.pool.replacing("allow $peers[]", with: line)
        let found = message(["pool?servers=a"], text)
        #expect(
            found.hasPrefix("/user/functions/pool.toml:15:") || found.hasPrefix("/user/functions/pool.toml:13:"),
            "\(found)")
        #expect(found.contains("filesystem.files[0]") && found.hasSuffix(expected), "\(found)")
    }
}
