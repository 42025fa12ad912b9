import Testing

@testable import Launch

@Suite("Paths of profiles") struct PathExpansionTests {
    private func host(directory: String? = "/work/site", glob: [String: [String]] = [:]) -> HostFacts {
        HostFacts(
            uid: 1000, gid: 1000, privileged: false, environment: ["XDG_CONFIG_HOME=/home/ada/settings"],
            home: "/home/ada", hasTerminal: false, directory: { directory }, glob: { glob[$0] ?? [] })
    }

    private func expand(_ path: String, directory: String? = "/work/site") throws(LaunchError) -> String {
        try PathExpansion(host: host(directory: directory)).expand(path, key: "filesystem.hide[0]")
    }

    @Test(arguments: [
        ("/", "/"), ("/a//b/./c/", "/a/b/c"), ("~", "/home/ada"), ("~/.ssh", "/home/ada/.ssh"),
        ("$HOME/x", "/home/ada/x"),
        ("$PWD", "/work/site"), ("$PWD/out/", "/work/site/out"), ("$XDG_CONFIG_HOME/gh", "/home/ada/settings/gh"),
        ("$XDG_DATA_HOME/x", "/home/ada/.local/share/x"), ("$XDG_RUNTIME_DIR/bus", "/run/user/1000/bus"),
    ])
    func expanded(path: String, result: String) throws {
        #expect(try expand(path) == result)
    }

    @Test(arguments: ["a", "./a", "$PATH/x", "$XDG_UNKNOWN", "/a/../b", "~/..", "$PWD/..", "$PWDX"])
    func refused(path: String) {
        #expect(throws: LaunchError.self) { try expand(path) }
    }

    @Test("a directory that is, or holds, the home is no project's", arguments: ["/", "/home", "/home/ada"])
    func holdsHome(directory: String) throws {
        #expect(throws: LaunchError.self) { try expand("$PWD", directory: directory) }
        #expect(try expand("$PWD/x", directory: directory) == (directory == "/" ? "" : directory) + "/x")
        #expect(try expand("$PWD", directory: "/home/adam") == "/home/adam")
    }

    @Test("a directory that is gone") func gone() {
        #expect(throws: LaunchError.self) { try expand("$PWD/x", directory: nil) }
    }

    @Test("what a variable stands for is no pattern, what the profile writes is") func patterns() throws {
        let odd = "/work/a[1]*"
        let paths = PathExpansion(host: host(directory: odd, glob: [#"/work/a\[1]\*/*.key"#: [odd + "/b.key"]]))
        #expect(try paths.expandGlob("$PWD", key: "") == [odd])
        #expect(try paths.expandGlob("$PWD/x", key: "") == [odd + "/x"])
        #expect(try paths.expandGlob("$PWD/*.key", key: "") == [odd + "/b.key"])
        #expect(try paths.expandGlob("$PWD/*.none", key: "") == [])
    }

    @Test("patterns are looked up in the box's root, and stay the box's paths") func patternsInTree() throws {
        let paths = PathExpansion(host: host(glob: ["/srv/tree/etc/*_key": ["/srv/tree/etc/a_key"]]))
        #expect(try paths.expandGlob("/etc/*_key", key: "", root: "/srv/tree") == ["/etc/a_key"])
        #expect(try paths.expandGlob("/etc/*_key", key: "", root: "/srv/other") == [])
    }

    @Test("whether a written path may lead somewhere") func reach() {
        let exists = { (path: String) in path == "/home/ada/x" }
        #expect(host().mayReach("~/x", exists: exists))
        #expect(!host().mayReach("~/y", exists: exists))
        #expect(host().mayReach("/etc/*", exists: exists))
        #expect(host(directory: nil).mayReach("$PWD", exists: exists))
    }
}
