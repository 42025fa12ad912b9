import Testing

@testable import Profile

struct ExtendsTests {
    private func load(_ files: [String: String], _ names: [String] = ["a"]) -> Result<LoadedProfile, ProfileError> {
        do { return .success(try store(files).load(names)) } catch { return .failure(error) }
    }

    private func message(_ files: [String: String], _ names: [String] = ["a"]) -> String {
        if case .failure(let error) = load(files, names) { return error.message }
        return "no error"
    }

    @Test func laterLayersOverrideScalarsMergeTablesAndAppendLists() throws {
        let loaded = try load([
            "/system/base.toml": """
            [process]
            nice = 1
            umask = "0022"
            environment = { clear = true, set = { A = "1", B = "2" } }
            command = ["one", "two"]
            [filesystem]
            hide = ["/a", "/b/"]
            [namespaces]
            unshare = ["mount"]
            """,
            "/system/more.toml": "process.nice = 2\nfilesystem.hide = [\"/c\"]",
            "/user/a.toml": """
            extends = ["base", "more"]
            [process]
            environment = { set = { B = "3" } }
            command = ["three"]
            [filesystem]
            hide = ["/d", "/a/", "!/b"]
            """,
        ]).get()
        #expect(loaded.profile.process.nice == 2)
        #expect(loaded.profile.process.umask == 0o22)
        #expect(loaded.profile.process.environment.clear)
        #expect(loaded.profile.process.environment.set == ["A": "1", "B": "3"])
        #expect(loaded.profile.process.command == ["three"])
        #expect(loaded.profile.filesystem.hide == ["/a", "/c", "/d"])
        #expect(loaded.files.map(\.file) == ["/system/base.toml", "/system/more.toml", "/user/a.toml"])
        #expect(loaded.provenance(of: "process.nice")?.text == "/system/more.toml:1:16")
        #expect(loaded.provenance(of: "process.umask")?.text == "/system/base.toml:3:9")
        #expect(loaded.provenance(of: "process.environment.set.A")?.text == "/system/base.toml:4:43")
        #expect(loaded.provenance(of: "process.environment.set.B")?.text == "/user/a.toml:3:29")
        #expect(loaded.provenance(of: "filesystem.hide[0]")?.text == "/system/base.toml:7:9")
        #expect(loaded.provenance(of: "filesystem.hide[2]")?.text == "/user/a.toml:6:9")
        #expect(loaded.provenance(of: "filesystem.hide[3]") == nil)
    }

    @Test("a function stands in a chain as often as it was asked for, and once where two files ask for it")
    func chains() throws {
        let base = "[namespaces]\nunshare = [\"net\"]\n[network]\nattach = \"veth\"\nswitch = \"lab\"\n"
        let files = [
            "/system/base.toml": base + "chain = [\"counter\", \"bridge\", \"counter\"]",
            "/user/a.toml": "extends = [\"base\"]\n[network]\nchain = [\"bridge\", \"nat\", \"nat\", \"!counter\"]",
        ]
        func chain(_ name: String, _ words: [String] = []) throws -> [String] {
            try store(files).load([name], overrides: words.map { try Override(parsing: $0) }).profile.network.interface
                .chain
        }
        #expect(try chain("base") == ["counter", "bridge", "counter"])
        #expect(try chain("a") == ["bridge", "nat", "nat"])
        #expect(
            try chain("base", ["network.chain+=counter", "network.chain+=bridge", "network.chain+=bridge"])
                == ["counter", "bridge", "counter", "counter", "bridge", "bridge"])
        #expect(try chain("base", ["network.chain=[\"nat\", \"nat\"]"]) == ["nat", "nat"])
    }

    @Test func recordsAreKnownByTheirPath() throws {
        let loaded = try load([
            "/system/base.toml": """
            [namespaces]
            unshare = ["mount"]
            [filesystem]
            bind = [{ from = "/1" }, { from = "/2", to = "/x" }, { from = "/3", to = "/y" }]
            tmpfs = [{ path = "/t" }, { path = "/u" }]
            """,
            "/user/a.toml": """
            extends = ["base"]
            [filesystem]
            bind = [{ from = "/new", to = "/x/" }, { to = "!/y" }, { from = "!/1" }]
            tmpfs = [{ path = "!/t" }]
            """,
        ]).get()
        #expect(loaded.profile.filesystem.binds.map(\.from) == ["/new"])
        #expect(loaded.profile.filesystem.binds.first?.source == SourceReference(file: "/user/a.toml"))
        #expect(loaded.profile.filesystem.tmpfs.map(\.path) == ["/u"])
        #expect(loaded.provenance(of: "filesystem.bind[0].from")?.text == "/user/a.toml:3:18")
    }

    @Test func filterRulesForTheSameCallsStandSideBySide() throws {
        let rule = "{ calls = [\"socket\"], action = \"EPERM\", when = [{ argument = 0, value = "
        let files = [
            "/system/base.toml": "[security.seccomp]\nrules = [\(rule)1 }] }, \(rule)2 }] }]",
            "/user/a.toml": "extends = [\"base\"]\n[security.seccomp]\nrules = [\(rule)2 }] }, \(rule)3 }] }]",
            "/user/b.toml": "extends = [\"a\"]\n[security.seccomp]\nrules = [{ calls = [\"!socket\"] }]",
        ]
        #expect(try load(files).get().profile.security.seccomp?.rules.map { $0.conditions[0].value } == [1, 2, 3])
        #expect(try load(files, ["b"]).get().profile.security.seccomp?.rules == [])
    }

    @Test func allNamespacesCanLoseOne() throws {
        let files = [
            "/system/base.toml": "namespaces.unshare = \"all\"",
            "/user/a.toml": "extends = [\"base\"]\nnamespaces.unshare = [\"!user\", \"!time\"]",
            "/user/b.toml": "extends = [\"base\"]\nnamespaces.unshare = \"none\"",
            "/user/c.toml": "extends = [\"b\"]\nnamespaces.unshare = [\"net\", \"all\", \"!net\"]",
        ]
        #expect(try load(files).get().profile.namespaces.unshare == [.mount, .pid, .net, .ipc, .uts, .cgroup])
        #expect(try load(files, ["b"]).get().profile.namespaces.unshare == [])
        #expect(
            try load(files, ["c"]).get().profile.namespaces.unshare
                == NamespaceSet(NamespaceKind.allCases).subtracting([.net]))
    }

    @Test func allCapabilitiesCanLoseOne() throws {
        let keep = try load(["/user/a.toml": "security.capabilities.keep = [\"all\", \"!cap_sys_admin\"]"]).get()
            .profile.security.capabilities.keep
        #expect(keep?.count == 40)
        #expect(keep?.contains("SYS_ADMIN") == false)
        #expect(keep?.contains("CHOWN") == true)
    }

    @Test func aScalarIsTakenAwayByAnExclamationMark() throws {
        let loaded = try load([
            "/system/base.toml": "process.nice = 3\nprocess.user = \"www-data\"",
            "/user/a.toml": "extends = [\"base\"]\nprocess.nice = \"!\"",
        ]).get()
        #expect(loaded.profile.process.nice == nil)
        #expect(loaded.profile.process.user == "www-data")
    }

    @Test func aParentOfTwoIsMergedOnce() throws {
        let loaded = try load([
            "/system/base.toml": "process.nice = 1", "/system/x.toml": "extends = [\"base\"]\nprocess.nice = 2",
            "/system/y.toml": "extends = [\"base\"]\nprocess.umask = \"0077\"",
            "/user/a.toml": "extends = [\"x\", \"y\"]",
        ]).get()
        #expect(loaded.profile.process.nice == 2)
        #expect(loaded.files.count == 4)
    }

    @Test func aFileThatExtendsItsOwnNameMeansTheNextOne() throws {
        let loaded = try load([
            "/system/a.toml": "process.nice = 1\nprocess.user = \"x\"",
            "/user/a.toml": "extends = [\"a\"]\nprocess.nice = 2",
        ]).get()
        #expect(loaded.profile.process.nice == 2)
        #expect(loaded.profile.process.user == "x")
        #expect(
            message(["/user/a.toml": "\nextends = [\"a\"]"])
                == "/user/a.toml:2:12: extends: no profile \"a\": searched /system; "
                + "`sandbox profile list` names those there are")
        #expect(
            message(["/system/a.toml": "extends = [\"a\"]"])
                == "/system/a.toml:1:12: extends: no profile \"a\": no directory is left to search; "
                + "`sandbox profile list` names those there are")
    }

    @Test func aLoopIsNamed() {
        #expect(
            message([
                "/user/a.toml": "extends = [\"b\"]", "/user/b.toml": "extends = [\"c\"]",
                "/system/c.toml": "description = \"x\"\nextends = [\n  \"a\",\n]",
            ]) == "/system/c.toml:3:3: extends: a loop: a -> b -> c -> a; take one of them out")
    }

    @Test func aMissingProfileNamesWhereItWasSought() {
        #expect(
            message(["/user/web-server.toml": ""], ["web-sever"])
                == "no profile \"web-sever\": searched /user, /system; did you mean \"web-server\"?")
        #expect(
            message(["/user/a.toml": "extends = [\"./x/b.toml\"]"])
                == "/user/a.toml:1:12: extends: no file \"/user/./x/b.toml\"")
        #expect(message([:], ["x/y.toml"]) == "no file \"x/y.toml\"")
        #expect(
            message([:], ["-x"]) == "\"-x\" is no name of a profile; "
                + "use letters, digits, \".\", \"_\" and \"-\", or a path with \"/\"")
    }

    @Test func aChainHasAnEnd() {
        var files: [String: String] = [:]
        for number in 0..<40 { files["/user/p\(number).toml"] = "extends = [\"p\(number + 1)\"]" }
        #expect(
            message(files, ["p0"])
                == "/user/p15.toml:1:12: extends: \"extends\" goes deeper than 16 files; flatten the chain")
    }

    @Test func extendsMustBeAListOfNames() {
        #expect(
            message(["/user/a.toml": "extends = \"b\""])
                == "/user/a.toml:1:11: extends: expected a list of strings, not a string")
        #expect(
            message(["/user/a.toml": "extends = [\"b\", \".c\"]"])
                == "/user/a.toml:1:17: extends: \".c\" is no name of a profile; "
                + "use letters, digits, \".\", \"_\" and \"-\", or a path with \"/\"")
    }
}
